//! What a file is, by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Error;
use crate::frame::input::plain::file::{Kind, Packing};
use crate::frame::input::plain::zipped;

/// What a file is, by its content and not by its name.
///
/// # Errors
/// The file cannot be opened, or it is of a kind that cannot be read.
pub fn kind_of(file: &Path) -> Result<Kind, Error> {
    kind_at(file, file)
}

/// As [`kind_of`]; an error names `place`.
pub fn kind_at(file: &Path, place: &Path) -> Result<Kind, Error> {
    let head = first_bytes(file, place)?;
    if let Some(fault) = unreadable(&head) {
        return Err(Error::input(place.display(), fault));
    }
    Ok(match packing_of(&head) {
        Some(Packing::Zip) => zipped::kind_of_zip(file, place)?,
        Some(_) => Kind::Packed,
        None if head.starts_with(b"PAR1") => Kind::Parquet,
        None => Kind::Text,
    })
}

/// How a file is packed, by its first bytes.
///
/// # Errors
/// The file cannot be read.
pub fn packing(file: &Path, place: &Path) -> Result<Option<Packing>, Error> {
    Ok(packing_of(&first_bytes(file, place)?))
}

fn packing_of(head: &[u8]) -> Option<Packing> {
    match head {
        [0x1f, 0x8b, ..] => Some(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Packing::Zip),
        _ => None,
    }
}

fn first_bytes(file: &Path, place: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    File::open(file)
        .and_then(|open| open.take(4096).read_to_end(&mut head))
        .map_err(Error::io(place, "open the input"))?;
    Ok(head)
}

/// Why a file with these first bytes cannot be read, if so.
fn unreadable(head: &[u8]) -> Option<&'static str> {
    const UNPACK: &str = "the file is packed in a way that is not read: unpack it first";
    match head {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Some(
                "this is an old Excel workbook (.xls) or one with a password: \
                 save it as .xlsx without a password, or as CSV",
            );
        }
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
        | [0xfd, b'7', b'z', b'X', b'Z', 0, ..]
        | [b'7', b'z', 0xbc, 0xaf, ..]
        | [b'R', b'a', b'r', b'!', ..] => return Some(UNPACK),
        [b'%', b'P', b'D', b'F', b'-', ..] => {
            return Some("this is a PDF: export the table as CSV or .xlsx");
        }
        _ => {}
    }
    let text: Vec<u8> = head.iter().filter(|byte| **byte != 0).copied().collect();
    let text = String::from_utf8_lossy(&text).to_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || !c.is_ascii());
    if !text.starts_with('<') {
        return None;
    }
    if text.contains("urn:schemas-microsoft-com:office:spreadsheet") {
        return Some("this is an XML spreadsheet of Excel 2003: save it as .xlsx or CSV");
    }
    ["<html", "<table", "<!doctype html"].iter().any(|tag| text.contains(tag)).then_some(
        "this is a web page saved under another name: open it in a spreadsheet and save it as \
         .xlsx or CSV",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Result<Kind, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        kind_of(file.path())
    }

    #[test]
    fn by_content() {
        assert_eq!(kind(b"PAR1...").unwrap(), Kind::Parquet);
        assert_eq!(kind(b"a,b\n<html>,2\n").unwrap(), Kind::Text);
        assert_eq!(kind(b"").unwrap(), Kind::Text);
        assert_eq!(kind(&[0x1f, 0x8b, 8, 0]).unwrap(), Kind::Packed);
        assert!(
            kind(b"\xef\xbb\xbf\r\n <HTML><body>").unwrap_err().to_string().contains("web page")
        );
        assert!(kind(b"<table><tr>").unwrap_err().to_string().contains("web page"));
        assert!(kind(b"\xd0\xcf\x11\xe0\xa1\xb1").unwrap_err().to_string().contains(".xlsx"));
        assert!(kind(b"PK\x03\x04 nothing").unwrap_err().to_string().contains("damaged"));
    }
}
