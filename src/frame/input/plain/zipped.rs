//! Zip archives: opened within bounds, and told apart.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::Error;
use crate::frame::input::plain::file::Kind;

/// A zip archive with this many entries is not an export.
pub const MOST_ENTRIES: usize = 10_000;

/// Whether a zip archive is a workbook or holds data.
pub fn kind_of_zip(file: &Path, place: &Path) -> Result<Kind, Error> {
    let mut archive = open_zip(file, place)?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("xl/workbook.xml") {
        return Ok(Kind::Workbook);
    }
    let spreadsheet = |text: &str| text.starts_with("application/vnd.oasis.opendocument");
    let other = if has("xl/workbook.bin") {
        Some("this is a binary Excel workbook (.xlsb): save it as .xlsx or CSV")
    } else if has("word/document.xml") || has("ppt/presentation.xml") {
        Some("this is a document and no table: save the table as CSV or .xlsx")
    } else {
        let mut text = String::new();
        let entry = archive.by_name("mimetype").ok();
        let read = entry.map(|entry| entry.take(200).read_to_string(&mut text));
        (matches!(read, Some(Ok(_))) && spreadsheet(&text))
            .then_some("this is an OpenDocument file (.ods): save it as .xlsx or CSV")
    };
    other.map_or(Ok(Kind::Packed), |fault| Err(Error::input(place.display(), fault)))
}

/// Opens a zip archive.
pub fn open_zip(file: &Path, place: &Path) -> Result<ZipArchive<BufReader<File>>, Error> {
    let open = File::open(file).map_err(Error::io(place, "open the input"))?;
    let archive =
        ZipArchive::new(BufReader::new(open)).map_err(|error| zip_fault(place, &error))?;
    if archive.len() > MOST_ENTRIES {
        let fault = format!(
            "the archive has {} entries, at most {MOST_ENTRIES} are read: unpack it and give the \
             folder",
            archive.len()
        );
        return Err(Error::input(place.display(), fault));
    }
    Ok(archive)
}

/// What is wrong with an archive or one of its entries.
pub fn zip_fault(place: &Path, error: &ZipError) -> Error {
    let fault = match error {
        ZipError::UnsupportedArchive(reason) => {
            format!("the archive cannot be unpacked ({reason}): unpack it yourself")
        }
        _ => "the archive is cut off or damaged: fetch it again".to_owned(),
    };
    Error::input(place.display(), fault)
}
