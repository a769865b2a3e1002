//! Tables as files: Parquet, Arrow IPC and CSV.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::*;

use crate::error::Error;
use crate::output::folder::staging::Staging;
use crate::output::metadata::Notes;
use crate::safe_text::spreadsheet::csv_cell;

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

/// A frame as CSV text. Cells and titles that a spreadsheet would run as formulas are text; see
/// [`csv_cell`].
///
/// # Errors
/// [`Error::Engine`], never for plain columns.
pub fn csv_bytes(frame: &mut DataFrame) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut write = || -> PolarsResult<()> {
        let written = frame.columns().iter().map(written).collect::<PolarsResult<Vec<_>>>()?;
        let mut written = DataFrame::new(frame.height(), written)?;
        // The texts have their quotation marks.
        CsvWriter::new(&mut bytes).with_quote_style(QuoteStyle::Never).finish(&mut written)
    };
    write().map_err(Error::engine("format a table as CSV"))?;
    Ok(bytes)
}

/// A column with its title and, where it has texts, its cells as they are written.
fn written(column: &Column) -> PolarsResult<Column> {
    let title = csv_cell(column.name()).into_owned();
    let is_text =
        matches!(column.dtype(), DataType::String | DataType::Categorical(..) | DataType::Enum(..));
    if !is_text {
        return Ok(column.clone().with_name(title.into()));
    }
    let texts = column.cast(&DataType::String)?;
    let texts = texts.str()?;
    let is_plain = |text: &str| matches!(csv_cell(text), Cow::Borrowed(_));
    if texts.iter().flatten().all(is_plain) {
        return Ok(texts.clone().with_name(title.into()).into_column());
    }
    let texts: StringChunked = texts.iter().map(|text| text.map(csv_cell)).collect();
    Ok(texts.with_name(title.into()).into_column())
}
