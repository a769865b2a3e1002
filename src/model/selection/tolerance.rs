//! How many customers may contradict a rule that the rest of the file keeps.
//!
//! Exports have strays: a customer merged from two, an order that was booked late, a test account.
//! One of them must not hide that twenty thousand others were selected.

/// Share of the customers that may be strays: one in a thousand is far less than a whole customer
/// base has beyond any edge, where it is tens of percent.
const SHARE: f64 = 0.001;
/// Number of strays that is believed in a file of any but the smallest size.
const FEW: f64 = 3.0;
/// The most that strays may be of a small file.
const MOST: f64 = 0.02;

/// The number of strays that are tolerated among `customers`: one in a thousand, or three if that
/// is more, but not more than one in fifty.
pub fn tolerated(customers: usize) -> usize {
    let n = customers as f64;
    (SHARE * n).max(FEW).min(MOST * n) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_strays_are_tolerated() {
        // By the definition above.
        for (customers, strays) in
            [(0, 0), (49, 0), (50, 1), (149, 2), (200, 3), (3_999, 3), (20_000, 20)]
        {
            assert_eq!(tolerated(customers), strays, "{customers}");
        }
    }
}
