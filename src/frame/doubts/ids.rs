//! Ids that are no customers, and ids that were changed on the way.

use polars::prelude::*;

use crate::frame::doubts::Doubt;
use crate::frame::input::letters::folded_word;
use crate::frame::input::notation::is_missing;
use crate::frame::input::numbers::each;

/// Column: the identifier.
pub const ID: &str = "id";
/// Column: orders or order lines of the identifier.
pub const WEIGHT: &str = "weight";
/// Column: the [`Sign`]s of the identifier, as bits.
const SIGNS: &str = "signs";
/// Words for customers who gave no name, in folded letters.
const GUESTS: &[&str] = &[
    "guest",
    "guests",
    "guestuser",
    "guestcustomer",
    "guestcheckout",
    "guestorder",
    "noemail",
    "nomail",
    "noreply",
    "anonymous",
    "anonymoususer",
    "anonymouscustomer",
    "anon",
    "unknown",
    "unknowncustomer",
    "undefined",
    "nocustomer",
    "notset",
    "notavailable",
    "notprovided",
    "unregistered",
    "unidentified",
    "walkin",
    "walkincustomer",
    "cash",
    "cashcustomer",
    "cashsale",
    "pos",
    "retail",
    "retailcustomer",
    "defaultcustomer",
    "misafir",
    "misafirmusteri",
    "misafirkullanici",
    "anonim",
    "anonimmusteri",
    "bilinmeyen",
    "bilinmiyor",
    "bilinmeyenmusteri",
    "belirsiz",
    "tanimsiz",
    "kayitsiz",
    "kayitsizmusteri",
    "uyesiz",
    "uyeliksiz",
    "musterisiz",
    "nakit",
    "nakitmusteri",
    "nakitsatis",
    "pesin",
    "pesinmusteri",
    "pesinsatis",
    "perakende",
    "perakendemusteri",
    "perakendesatis",
    "muhtelif",
    "muhtelifmusteri",
    "varsayilanmusteri",
    "ziyaretci",
    "isimsiz",
    "uyesizalisveris",
    "uyeliksizalisveris",
    "nihaituketici",
    "notloggedin",
    "bos",
    "blank",
    "kasa",
    "xxx",
    "gast",
    "laufkundschaft",
    "yok",
    "na",
    "none",
    "null",
    "nan",
    "nil",
];
/// Words for sums, in folded letters.
const TOTALS: &[&str] = &[
    "total", "totals", "subtotal", "grandtotal", "overall", "overalltotal", "sum", "toplam",
    "aratoplam", "geneltoplam", "toplamlar", "yekun", "geneltoplami",
];
/// Local parts of e-mail addresses that stand for guests. Other words are names of people and shops.
const GUEST_MAILS: &[&str] =
    &["guest", "misafir", "anonymous", "anonim", "noemail", "nomail", "noreply", "none", "null"];
/// Digits of an id that repeats one digit, from which it was typed for nobody.
const SAME_DIGITS: usize = 8;
/// Times the mean weight from which an id of a number for nobody, such as 0, is a guest.
const GUEST_TIMES: f64 = 5.0;
/// Times the mean weight, times the second highest weight, and share of all weight, from which an
/// id has implausibly many orders.
const FREQUENT: (f64, f64, f64) = (20.0, 5.0, 0.02);
/// Fewest ids for which that can be said.
const LEAST_IDS: usize = 100;

/// What an id looks like. Several can be true of one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Guest = 1,
    Total = 2,
    /// 0, -1, 000000, 11111111111, the nil UUID: a number for nobody, unless ids begin there.
    Zero = 4,
    /// 8.62E+12: the last digits are lost.
    Scientific = 8,
    LeadingZero = 16,
    Digits = 32,
    Upper = 64,
    Lower = 128,
}

impl Sign {
    fn is_in(self, signs: u8) -> bool {
        signs & self as u8 != 0
    }
}

fn signs(id: &str) -> u8 {
    let bytes = id.as_bytes();
    let any = |is: fn(&u8) -> bool| bytes.iter().any(is);
    let has_digit = any(u8::is_ascii_digit);
    let mut signs = 0;
    if bytes.iter().all(u8::is_ascii_digit) && !id.is_empty() {
        let repeated = bytes.iter().all(|byte| *byte == bytes[0]);
        return match (repeated, bytes[0]) {
            (true, b'0') => Sign::Zero as u8,
            (true, _) if bytes.len() >= SAME_DIGITS => Sign::Zero as u8,
            (_, b'0') => Sign::LeadingZero as u8,
            (_, _) => Sign::Digits as u8,
        };
    }
    if any(u8::is_ascii_uppercase) {
        signs |= Sign::Upper as u8;
    }
    if any(u8::is_ascii_lowercase) {
        signs |= Sign::Lower as u8;
    }
    if !has_digit {
        let (name, guests) = match id.split_once('@') {
            Some((name, _)) => (name, GUEST_MAILS),
            None => (id, GUESTS),
        };
        let word = if name.len() <= 40 { folded_word(name) } else { String::new() };
        if guests.contains(&word.as_str()) || is_missing(id) {
            signs |= Sign::Guest as u8;
        }
        if TOTALS.contains(&word.as_str()) && name == id {
            signs |= Sign::Total as u8;
        }
    } else if id == "-1" || bytes.iter().all(|byte| b"0-".contains(byte)) {
        signs |= Sign::Zero as u8;
    } else if is_scientific(id) {
        signs |= Sign::Scientific as u8;
    } else if is_counted_total(id) {
        signs |= Sign::Total as u8;
    }
    signs
}

/// Whether an id is a word for a sum with a number after it, as in "Total (420 customers)".
fn is_counted_total(id: &str) -> bool {
    let begins = |letter: char| letter.is_ascii_digit() || letter == '(';
    let Some((words, rest)) = id.find(begins).map(|at| id.split_at(at)) else {
        return false;
    };
    let is_apart = words.ends_with([' ', ':', '-']) || rest.starts_with('(');
    id.starts_with(char::is_alphabetic)
        && is_apart
        && words.len() <= 40
        && TOTALS.contains(&folded_word(words).as_str())
}

/// Whether an id is a number in scientific notation, as a spreadsheet writes long numbers.
fn is_scientific(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    id.split_once("E+").or_else(|| id.split_once("e+")).is_some_and(|(number, exponent)| {
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        whole.len() == 1 && digits(whole) && digits(fraction) && digits(exponent)
    })
}

/// What the ids of an input show.
pub struct Ids {
    /// Ids that mean a guest.
    pub guests: Vec<String>,
    /// Texts in place of ids that mean a sum.
    pub totals: Vec<String>,
    /// How many ids are in scientific notation, and one of them.
    pub scientific: Option<(usize, String)>,
    /// The other doubts.
    others: Vec<Doubt>,
}

impl Ids {
    /// Looks at ids. `all` may repeat them; `weights` gives each id once, with the number of its orders
    /// or lines, and is asked for only where the ids raise a doubt; `sample` gives some of them, for
    /// the share of the most frequent one. `stated` are ids that the pipeline says are no customers.
    ///
    /// # Errors
    /// When the columns cannot be read: a bug in this program.
    pub fn of(
        all: &Column,
        weights: impl FnOnce() -> LazyFrame,
        sample: LazyFrame,
        stated: &[String],
    ) -> PolarsResult<Self> {
        let signs = all.str()?.iter().flatten().map(signs).fold(0, std::ops::BitOr::bitor);
        let mut ids =
            Self { guests: Vec::new(), totals: Vec::new(), scientific: None, others: Vec::new() };
        if is_doubtful(signs) {
            ids.examine(&with_signs(weights())?, signs)?;
        }
        ids.guests.retain(|id| !stated.contains(id));
        let not_customers: Vec<&String> =
            ids.guests.iter().chain(&ids.totals).chain(stated).collect();
        let frequent = frequent(&with_weights(sample).collect()?, &not_customers)?;
        ids.others.extend(frequent);
        Ok(ids)
    }

    /// Looks at each id once.
    fn examine(&mut self, ids: &DataFrame, all: u8) -> PolarsResult<()> {
        let mean = ids.column(WEIGHT)?.f64()?.mean().unwrap_or(0.0);
        let zeros = Self::with(ids, Sign::Zero, all, GUEST_TIMES * mean)?;
        self.guests = Self::with(ids, Sign::Guest, all, 0.0)?;
        self.guests.extend(zeros);
        self.totals = Self::with(ids, Sign::Total, all, 0.0)?;
        let scientific = Self::with(ids, Sign::Scientific, all, 0.0)?;
        self.scientific = scientific.first().map(|one| (scientific.len(), one.clone()));
        if Sign::Upper.is_in(all) && Sign::Lower.is_in(all) {
            let same = twice(ids, col(ID).str().to_lowercase())?;
            self.others.extend((same > 0).then_some(Doubt::IdsInTwoCases { ids: same }));
        }
        if Sign::LeadingZero.is_in(all) && Sign::Digits.is_in(all) {
            let same = twice(ids, col(ID).str().strip_chars_start(lit("0")))?;
            self.others.extend((same > 0).then_some(Doubt::ZerosLost { ids: same }));
        }
        Ok(())
    }

    /// Refuses ids that have lost their last digits.
    ///
    /// # Errors
    /// A sentence that names the column of ids and an example.
    pub fn check(&self, column: &str) -> Result<(), String> {
        match &self.scientific {
            None => Ok(()),
            Some((count, example)) => Err(format!(
                "the ids in {column:?} have lost their last digits: {count} are written like \
                 {example:?}, as spreadsheets shorten long numbers, so that several customers share \
                 an id: export again with the ids as text"
            )),
        }
    }

    /// What is to be said of the ids, with the number of rows that were set aside for guests and for
    /// sums.
    pub fn doubts(self, guests: usize, totals: usize) -> Vec<Doubt> {
        let mut doubts = self.others;
        let shown = |ids: Vec<String>| -> Vec<String> {
            ids.into_iter().take(5).map(|id| id.chars().take(40).collect()).collect()
        };
        if guests > 0 {
            doubts.push(Doubt::Guests { rows: guests, ids: shown(self.guests) });
        }
        if totals > 0 {
            doubts.push(Doubt::Totals { rows: totals, ids: shown(self.totals) });
        }
        doubts
    }

    /// The ids with a sign whose weight is at least `least`, heaviest first.
    fn with(ids: &DataFrame, sign: Sign, all: u8, least: f64) -> PolarsResult<Vec<String>> {
        if !sign.is_in(all) {
            return Ok(Vec::new());
        }
        let signs = ids.column(SIGNS)?.u8()?;
        let weights = ids.column(WEIGHT)?.f64()?;
        let texts = ids.column(ID)?.str()?;
        let mut found: Vec<(f64, &str)> = signs
            .iter()
            .zip(weights.iter())
            .zip(texts.iter())
            .filter(|((signs, weight), _)| {
                signs.is_some_and(|signs| sign.is_in(signs)) && weight.unwrap_or(0.0) >= least
            })
            .filter_map(|((_, weight), id)| Some((weight.unwrap_or(0.0), id?)))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut names: Vec<String> = Vec::new();
        for (_, id) in found {
            if !names.iter().any(|known| known == id) {
                names.push(id.to_owned());
            }
        }
        Ok(names)
    }
}

/// Whether a text is one of several.
pub fn one_of(name: &str, texts: &[String]) -> Expr {
    match texts {
        [] => lit(false),
        [text] => col(name).eq(lit(text.as_str())),
        // In halves: an expression as deep as a long list would overflow the stack.
        texts => {
            let (one, other) = texts.split_at(texts.len() / 2);
            one_of(name, one).or(one_of(name, other))
        }
    }
}

/// Whether ids with these signs must be looked at one by one.
fn is_doubtful(signs: u8) -> bool {
    let single = [Sign::Guest, Sign::Total, Sign::Zero, Sign::Scientific];
    let pairs = [[Sign::Upper, Sign::Lower], [Sign::LeadingZero, Sign::Digits]];
    single.iter().any(|sign| sign.is_in(signs))
        || pairs.iter().any(|pair| pair.iter().all(|sign| sign.is_in(signs)))
}

/// Ids and weights, under the names that they have here.
fn with_weights(ids: LazyFrame) -> LazyFrame {
    let weight = col(WEIGHT).cast(DataType::Float64);
    let is_sound = col(ID).is_not_null().and(col(ID).neq(lit(""))).and(col(WEIGHT).is_finite());
    ids.select([col(ID), weight]).filter(is_sound)
}

/// Ids and weights, with the signs of each id.
fn with_signs(ids: LazyFrame) -> PolarsResult<DataFrame> {
    let marks = each(ID, DataType::UInt8, |texts| {
        let each = texts.iter().map(|text| text.map(signs));
        UInt8Chunked::from_iter_options(texts.name().clone(), each).into_column()
    });
    with_weights(ids).with_column(marks.alias(SIGNS)).collect()
}

/// An id with implausibly many orders, which no rule has set aside.
fn frequent(ids: &DataFrame, known: &[&String]) -> PolarsResult<Option<Doubt>> {
    let (times_mean, times_second, least_share) = FREQUENT;
    let pairs = ids.column(WEIGHT)?.f64()?.iter().zip(ids.column(ID)?.str()?.iter());
    let (mut first, mut second, mut sum, mut count) = ((0.0, ""), 0.0, 0.0, 0usize);
    for (weight, id) in pairs {
        let (Some(weight), Some(id)) = (weight.filter(|weight| weight.is_finite()), id) else {
            continue;
        };
        if known.iter().any(|known| *known == id) {
            continue;
        }
        sum += weight;
        count += 1;
        if weight > first.0 {
            (second, first) = (first.0, (weight, id));
        } else if weight > second {
            second = weight;
        }
    }
    let share = first.0 / sum;
    let is_frequent = count >= LEAST_IDS
        && first.0 > times_mean * sum / count as f64
        && first.0 > times_second * second
        && share > least_share;
    Ok(is_frequent.then(|| Doubt::FrequentId { id: first.1.chars().take(40).collect(), share }))
}

/// Number of ids that another one equals after a change.
fn twice(ids: &DataFrame, changed: Expr) -> PolarsResult<usize> {
    let count = ids
        .clone()
        .lazy()
        .select([
            col(ID).n_unique().cast(DataType::UInt64).alias("ids"),
            changed.n_unique().cast(DataType::UInt64).alias("changed"),
        ])
        .collect()?;
    let count_of =
        |name: &str| -> PolarsResult<u64> { Ok(count.column(name)?.u64()?.get(0).unwrap_or(0)) };
    Ok(count_of("ids")?.saturating_sub(count_of("changed")?) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(ids: &[(&str, f64)]) -> Ids {
        let (names, weights): (Vec<&str>, Vec<f64>) = ids.iter().copied().unzip();
        let frame = df!(ID => names, WEIGHT => weights).expect("a frame");
        let all = frame.column(ID).expect("ids");
        Ids::of(all, || frame.clone().lazy(), frame.clone().lazy(), &[]).expect("ids")
    }

    /// Customers 10001 to 10200, each with two orders, and others.
    fn among_customers(others: &[(&str, f64)]) -> Ids {
        let names: Vec<String> = (10_001..10_201).map(|id| id.to_string()).collect();
        let mut ids: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 2.0)).collect();
        ids.extend(others);
        look(&ids)
    }

    #[test]
    fn words_for_guests_in_two_languages() {
        for word in
            ["GUEST", "misafir", "Misafir Müşteri", "nan", "N/A", "ANONİM", "guest@shop.test", "-"]
        {
            assert_eq!(among_customers(&[(word, 1.0)]).guests, [word], "{word}");
        }
        assert!(among_customers(&[("Gustav", 1.0)]).guests.is_empty());
    }

    #[test]
    fn zero_is_a_guest_only_with_many_orders() {
        for id in ["0", "-1", "11111111111", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(among_customers(&[(id, 90.0)]).guests, [id]);
            assert!(among_customers(&[(id, 3.0)]).guests.is_empty());
        }
    }

    #[test]
    fn words_for_sums() {
        assert_eq!(among_customers(&[("Toplam", 1.0)]).totals, ["Toplam"]);
        assert_eq!(among_customers(&[("GENEL TOPLAM", 1.0)]).totals, ["GENEL TOPLAM"]);
        assert_eq!(among_customers(&[("Total (420 rows)", 1.0)]).totals, ["Total (420 rows)"]);
        assert!(
            among_customers(&[("Total420", 1.0), ("Totalis 4", 1.0), ("@SUM(1+1)", 1.0)])
                .totals
                .is_empty()
        );
    }

    #[test]
    fn long_numbers_that_a_spreadsheet_shortened() {
        let found = look(&[("8.62E+12", 2.0), ("8,63e+12", 2.0), ("8.6E", 1.0), ("AB1E+5", 1.0)]);
        assert_eq!(found.scientific.map(|(count, _)| count), Some(2));
    }

    #[test]
    fn an_id_with_far_more_orders_than_any_other() {
        let doubts = among_customers(&[("K7", 60.0)]).others;
        assert!(matches!(&doubts[..], [Doubt::FrequentId { id, .. }] if id == "K7"), "{doubts:?}");
        assert!(among_customers(&[("K7", 60.0), ("K8", 50.0)]).others.is_empty());
    }

    #[test]
    fn ids_changed_on_the_way() {
        let cases = look(&[("a@x.test", 1.0), ("A@X.test", 1.0), ("b@x.test", 1.0)]);
        assert_eq!(cases.others, [Doubt::IdsInTwoCases { ids: 1 }]);
        let zeros = look(&[("00123", 1.0), ("123", 1.0), ("00456", 1.0)]);
        assert_eq!(zeros.others, [Doubt::ZerosLost { ids: 1 }]);
        assert!(look(&[("00123", 1.0), ("00456", 1.0)]).others.is_empty());
    }
}
