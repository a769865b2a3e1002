//! Tables as files: Parquet, Arrow IPC and CSV.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::*;

use crate::error::Error;
use crate::output::folder::staging::Staging;
use crate::output::metadata::Notes;
use crate::safe_text::spreadsheet::harmless;

/// Rows per Parquet row group, the unit that readers distribute over cores and skip. About 10 MB of
/// customers is enough to compress well, and still keeps 16 cores busy for a million rows.
pub(crate) const ROW_GROUP: usize = 65_536;

/// Writes a frame as Parquet (zstd), using all cores; `notes` become the file's key-value metadata.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn parquet(
    staging: &Staging,
    name: &str,
    frame: &DataFrame,
    notes: &Notes,
) -> Result<(), Error> {
    let options = ParquetWriteOptions {
        compression: ParquetCompression::Zstd(None),
        row_group_size: Some(ROW_GROUP),
        key_value_metadata: Some(KeyValueMetadata::from_static(notes.clone())),
        ..ParquetWriteOptions::default()
    };
    staging.path(name, |path| {
        let target = SinkTarget::Path(PlRefPath::try_from_path(path)?);
        let format = FileWriteFormat::Parquet(Arc::new(options));
        let sink = SinkDestination::File { target };
        let written = frame.clone().lazy().sink(sink, format, UnifiedSinkArgs::default())?;
        written.collect_with_engine(Engine::Streaming).map(drop)
    })
}

/// Writes a frame as an Arrow IPC file, with text in the layout that all Arrow versions can read;
/// `notes` become the schema's metadata.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn ipc(staging: &Staging, name: &str, frame: &DataFrame, notes: &Notes) -> Result<(), Error> {
    let notes = notes.iter().map(|(key, value)| (key.into(), value.into())).collect();
    staging.file(name, |file| {
        let mut writer = IpcWriter::new(file).with_compat_level(CompatLevel::oldest());
        writer.set_custom_schema_metadata(Arc::new(notes));
        writer.finish(&mut frame.clone()).map_err(std::io::Error::other)
    })
}

/// Writes a frame as CSV; see [`csv_bytes`].
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn csv(staging: &Staging, name: &str, frame: &DataFrame) -> Result<(), Error> {
    let bytes = csv_bytes(&mut frame.clone())?;
    staging.file(name, |file| file.write_all(&bytes))
}

/// A frame as CSV text. Cells and titles that a spreadsheet would run as formulas get an apostrophe;
/// see [`harmless`].
///
/// # Errors
/// [`Error::Engine`], never for plain columns.
pub fn csv_bytes(frame: &mut DataFrame) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut write = || -> PolarsResult<()> {
        for name in frame.get_column_names_owned() {
            if let Some(column) = harmless_cells(frame.column(&name)?) {
                frame.with_column(column)?;
            }
            if let Cow::Owned(title) = harmless(&name) {
                frame.rename(&name, title.into())?;
            }
        }
        CsvWriter::new(&mut bytes).finish(frame)
    };
    write().map_err(Error::engine("format a table as CSV"))?;
    Ok(bytes)
}

/// The column with harmless cells. Returns `None` when all of them are already.
fn harmless_cells(column: &Column) -> Option<Column> {
    let texts = column.str().ok()?;
    if texts.iter().flatten().all(|text| matches!(harmless(text), Cow::Borrowed(_))) {
        return None;
    }
    let texts: StringChunked = texts.iter().map(|text| text.map(harmless)).collect();
    Some(texts.with_name(column.name().clone()).into_column())
}
