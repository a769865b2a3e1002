//! Unpacks gzip, Zstandard and zip into a temporary file, and never more than is plausible.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::error::Error;
use crate::frame::input::plain::file::{Kind, Packing};
use crate::frame::input::plain::kind::kind_at;
use crate::frame::input::plain::scratch::{Scratch, scratch};
use crate::frame::input::plain::zipped::{open_zip, zip_fault};
use crate::safe_text::printable::shown;

/// How much may be unpacked: any ratio up to `bytes`, then `ratio` times the packed size.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that may be unpacked at any ratio.
    pub bytes: u64,
    /// Unpacked bytes per packed byte beyond that.
    pub ratio: u64,
}

/// The limits for data.
pub const DATA: Limits = Limits { bytes: 1 << 30, ratio: 200 };

const CUT_OFF: &str = "the packed file is cut off or damaged: fetch it again";

/// Unpacks a file into a temporary file, which is text.
///
/// # Errors
/// The packed file is damaged, unpacks to too much, or does not hold exactly one text.
pub fn unpack(file: &Path, packing: Packing, limits: Limits) -> Result<Scratch, Error> {
    let open = || File::open(file).map_err(Error::io(file, "open the input"));
    let packed = open()?.metadata().map_err(Error::io(file, "open the input"))?.len();
    let (mut target, path) = scratch()?;
    let broken = |_| Error::input(file.display(), CUT_OFF);
    match packing {
        Packing::Gzip => {
            let source = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, open()?));
            pour(source, &mut target, &path, file, packed, limits)?;
        }
        Packing::Zstd => {
            let source = zstd::stream::read::Decoder::new(open()?).map_err(broken)?;
            pour(source, &mut target, &path, file, packed, limits)?;
        }
        Packing::Zip => {
            let mut archive = open_zip(file, file)?;
            let entry = only_entry(&archive, file)?;
            let source = archive.by_index(entry).map_err(|error| zip_fault(file, &error))?;
            pour(source, &mut target, &path, file, packed, limits)?;
        }
    }
    drop(target);
    match kind_at(&path, file)? {
        Kind::Text => Ok(path),
        Kind::Parquet => Err(Error::input(
            file.display(),
            "a Parquet file is packed inside: unpack it and give the .parquet file",
        )),
        Kind::Packed | Kind::Workbook => Err(Error::input(
            file.display(),
            "another packed file or a workbook is packed inside: unpack it and give what is inside",
        )),
    }
}

/// The entry of an archive that is the data.
fn only_entry(archive: &ZipArchive<BufReader<File>>, file: &Path) -> Result<usize, Error> {
    let hidden = |name: &str| {
        name.ends_with(['/', '\\'])
            || name.split(['/', '\\']).any(|part| part.starts_with('.') || part == "__MACOSX")
    };
    let names = (0..archive.len()).map(|index| {
        let name = archive.name_for_index(index)?.ok()?;
        (!hidden(&name)).then(|| (index, name.into_owned()))
    });
    let all: Vec<(usize, String)> = names.flatten().collect();
    let data: Vec<&(usize, String)> = all.iter().filter(|(_, name)| is_data(name)).collect();
    let candidates = if data.is_empty() { all.iter().collect() } else { data };
    match candidates.as_slice() {
        [(index, _)] => Ok(*index),
        [] => Err(Error::input(file.display(), "the archive holds no file")),
        many => {
            let mut list: Vec<String> = many.iter().take(5).map(|(_, name)| shown(name)).collect();
            if many.len() > list.len() {
                list.push("…".to_owned());
            }
            let fault = format!(
                "the archive holds {} files ({}): unpack it and give the folder",
                many.len(),
                list.join(", ")
            );
            Err(Error::input(file.display(), fault))
        }
    }
}

fn is_data(name: &str) -> bool {
    const DATA_FILES: [&str; 8] = ["csv", "tsv", "txt", "xlsx", "parquet", "pq", "gz", "zst"];
    let extension = Path::new(name).extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| DATA_FILES.contains(&extension.as_str()))
}

fn pour(
    mut source: impl Read,
    target: &mut File,
    path: &Path,
    place: &Path,
    packed: u64,
    limits: Limits,
) -> Result<(), Error> {
    let mut meter = Meter::new(packed, limits);
    each_chunk(&mut source, place, |chunk| {
        meter.add(chunk.len(), place)?;
        target.write_all(chunk).map_err(Error::io(path, "unpack the input into the file"))
    })
}

/// Reads to the end in chunks.
pub fn each_chunk(
    source: &mut impl Read,
    place: &Path,
    mut with: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut buffer = vec![0; 128 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => with(buffer.get(..read).unwrap_or_default())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Error::input(place.display(), CUT_OFF)),
        }
    }
}

/// Counts unpacked bytes against limits.
pub struct Meter {
    packed: u64,
    unpacked: u64,
    limits: Limits,
}

impl Meter {
    /// For a file of `packed` bytes.
    pub fn new(packed: u64, limits: Limits) -> Self {
        Self { packed, unpacked: 0, limits }
    }

    /// Counts `bytes` more.
    ///
    /// # Errors
    /// They are too many.
    pub fn add(&mut self, bytes: usize, place: &Path) -> Result<(), Error> {
        self.unpacked += bytes as u64;
        let Limits { bytes, ratio } = self.limits;
        if self.unpacked > bytes && self.unpacked / ratio > self.packed {
            let fault = format!(
                "the file unpacks to more than {ratio} times its size: unpack it yourself if it is \
                 sound"
            );
            return Err(Error::input(place.display(), fault));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::NamedTempFile;
    use zip::write::SimpleFileOptions;

    fn written(bytes: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn text(bytes: &[u8], packing: Packing) -> Result<String, String> {
        let file = written(bytes);
        let path = unpack(file.path(), packing, DATA).map_err(|error| error.to_string())?;
        Ok(std::fs::read_to_string(&*path).unwrap())
    }

    #[test]
    fn one_file() {
        let csv = b"a,b\n1,2\n";
        let plain = Ok("a,b\n1,2\n".to_owned());
        assert_eq!(text(&gzip(csv), Packing::Gzip), plain);
        assert_eq!(text(&[gzip(b"a,b\n"), gzip(b"1,2\n")].concat(), Packing::Gzip), plain);
        assert_eq!(text(&zstd::encode_all(&csv[..], 1).unwrap(), Packing::Zstd), plain);
        let entries: [(&str, &[u8]); 4] =
            [("x/a.csv", csv), ("__MACOSX/a.csv", b"?"), ("x/.DS_Store", b"?"), ("README", b"?")];
        assert_eq!(text(&zipped(&entries), Packing::Zip), plain);
        let two = text(&zipped(&[("a.csv", csv), ("b.csv", csv)]), Packing::Zip).unwrap_err();
        assert!(two.contains("\"a.csv\", \"b.csv\"") && two.contains("give the folder"), "{two}");
        assert!(text(&zipped(&[]), Packing::Zip).unwrap_err().contains("no file"));
        let nested = text(&gzip(&gzip(csv)), Packing::Gzip).unwrap_err();
        assert!(nested.contains("packed inside"), "{nested}");
    }

    #[test]
    fn damaged() {
        let csv = "a,b\n1,2\n".repeat(9000);
        for (bytes, packing) in [
            (gzip(csv.as_bytes()), Packing::Gzip),
            (zstd::encode_all(csv.as_bytes(), 1).unwrap(), Packing::Zstd),
            (zipped(&[("a.csv", csv.as_bytes())]), Packing::Zip),
        ] {
            for end in 4..bytes.len() {
                let error = text(&bytes[..end], packing).unwrap_err();
                assert!(error.contains("damaged"), "{packing:?} {end}: {error}");
            }
            for at in 4..bytes.len() {
                let mut wrong = bytes.clone();
                wrong[at] ^= 0x55;
                let _ = text(&wrong, packing);
            }
        }
    }

    #[test]
    fn bombs() {
        let file = written(&gzip(&vec![b'0'; 4 << 20]));
        let limits = Limits { bytes: 1 << 20, ratio: 200 };
        let error = unpack(file.path(), Packing::Gzip, limits).unwrap_err().to_string();
        assert!(error.contains("more than 200 times its size"), "{error}");
        assert!(unpack(file.path(), Packing::Gzip, DATA).is_ok());
    }
}
