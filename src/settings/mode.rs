//! Modes of files and folders, such as "0750".

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `output.mode`: who may read, write and enter the output folder, in octal digits, as `chmod` takes
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderMode(u32);

impl FolderMode {
    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Parses three or four octal digits.
    ///
    /// # Errors
    /// A sentence that names the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = [3, 4].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| digits);
        match mode.filter(|mode| mode & 0o700 == 0o700 && mode & 0o5000 == 0) {
            Some(mode) => Ok(Self(mode)),
            None => Err(format!(
                "{text:?} is not the mode of an output folder: write the digits of chmod in quotes, \
                 beginning with 7 for the owner, as \"0750\""
            )),
        }
    }
}

impl fmt::Display for FolderMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Serialize for FolderMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FolderMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for FolderMode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FolderMode".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (text, mode) in [("0750", 0o750), ("700", 0o700), ("2770", 0o2770)] {
            assert_eq!(FolderMode::parse(text).map(FolderMode::bits), Ok(mode));
        }
        for text in ["", "75", "07500", "0999", "rwx", "0077", "4755", "+750", "1777"] {
            assert!(FolderMode::parse(text).is_err(), "{text}");
        }
        assert_eq!(FolderMode(0o750).to_string(), "0750");
    }
}
