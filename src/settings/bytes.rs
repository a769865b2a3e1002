//! Amounts of memory, such as "4 GiB".

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `resources.memory_limit`: a number of bytes, written as "4 GiB" or "500 MB".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(u64);

impl ByteSize {
    const UNITS: [(&'static str, u64); 7] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
        ("B", 1),
    ];

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Parses a whole number and a unit.
    ///
    /// # Errors
    /// A sentence that names the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Self::UNITS.iter().find_map(|(unit, size)| {
            let count: u64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
            count.checked_mul(*size).filter(|bytes| *bytes > 0)
        });
        known.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is not an amount of memory: write a whole number and a unit, as \"4 GiB\""
            )
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Self::UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size));
        let (unit, size) = whole.copied().unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory() {
        for (text, bytes) in [("4 GiB", 4 << 30), ("500 MB", 500_000_000), ("7B", 7)] {
            let size = ByteSize::parse(text).expect(text);
            assert_eq!(size.bytes(), bytes);
            assert_eq!(ByteSize::parse(&size.to_string()), Ok(size));
        }
        for wrong in ["", "4", "GiB", "0 B", "-1 GiB", "1.5 GiB", "99999999999 GiB"] {
            assert!(ByteSize::parse(wrong).is_err(), "{wrong}");
        }
    }
}
