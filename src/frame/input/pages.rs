//! Scans Parquet files after checking their page headers against the footer. Polars reserves memory
//! for as many values as a header claims. A damaged header can claim more than any machine has, and
//! the process would end without a message.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use polars::prelude::*;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, FileMetadata};
use polars_parquet::parquet::read::read_metadata;
use polars_parquet::parquet::schema::types::{PrimitiveConvertedType, PrimitiveLogicalType};
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

/// A lazy frame over a Parquet file whose page headers claim no more values than its footer.
///
/// # Errors
/// When Polars cannot read the file, or a column is damaged.
pub(crate) fn scan(file: &Path, row_index: Option<RowIndex>) -> PolarsResult<LazyFrame> {
    let mut opened = File::open(file)?;
    let footer = read_metadata(&mut opened)?;
    readable(&footer)?;
    let path = PlRefPath::try_from_path(file)?;
    let args = ScanArgsParquet { row_index, glob: false, ..Default::default() };
    let frame = LazyFrame::scan_parquet(path, args)?;
    let mut file = opened;
    for group in &footer.row_groups {
        for column in group.parquet_columns() {
            let is_flat = column.descriptor().descriptor.max_rep_level == 0;
            if is_flat && column.num_values() != group.num_rows() as i64 {
                return Err(damaged(column, "has more or fewer values than there are rows"));
            }
            check(column, &bytes_of(column, &mut file)?)?;
        }
    }
    Ok(frame)
}

/// Refuses decimals of more digits than Polars has.
fn readable(footer: &FileMetadata) -> PolarsResult<()> {
    const DIGITS: usize = 38;
    for column in footer.schema_descr.columns() {
        let kind = &column.descriptor.primitive_type;
        let digits = match (kind.logical_type, kind.converted_type) {
            (Some(PrimitiveLogicalType::Decimal(digits, _)), _)
            | (_, Some(PrimitiveConvertedType::Decimal(digits, _))) => digits,
            _ => 0,
        };
        if digits > DIGITS {
            let name = column.path_in_schema.join(".");
            return Err(polars_err!(ComputeError:
                "column {name} has decimals of {digits} digits, at most {DIGITS} are read: cast it to \
                 DECIMAL(38, 2) or DOUBLE"
            ));
        }
    }
    Ok(())
}

/// The bytes of a column chunk.
fn bytes_of(column: &ColumnChunkMetadata, file: &mut File) -> PolarsResult<Vec<u8>> {
    let range = column.byte_range();
    let size = file.metadata()?.len();
    if range.start > range.end || range.end > size {
        return Err(damaged(column, "ends beyond the end of the file"));
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(range.start))?;
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks the page headers of a column; the pages themselves are not decoded.
fn check(column: &ColumnChunkMetadata, bytes: &[u8]) -> PolarsResult<()> {
    let mut left = column.num_values();
    let mut rest = Cursor::new(bytes);
    while left > 0 && rest.position() < bytes.len() as u64 {
        let mut protocol = TCompactInputProtocol::new(&mut rest, bytes.len());
        let header = PageHeader::read_from_in_protocol(&mut protocol)
            .map_err(|_| damaged(column, "has a page header that cannot be read"))?;
        let size = u64::try_from(header.compressed_page_size)
            .map_err(|_| damaged(column, "has a page of negative size"))?;
        if let Some(dictionary) = &header.dictionary_page_header {
            let bits = i64::from(header.uncompressed_page_size) * 8;
            if !(0..=bits).contains(&i64::from(dictionary.num_values)) {
                return Err(damaged(column, "has a dictionary of more entries than bits"));
            }
        }
        let values = [
            header.data_page_header.as_ref().map(|page| page.num_values),
            header.data_page_header_v2.as_ref().map(|page| page.num_values),
        ];
        for values in values.into_iter().flatten().map(i64::from) {
            if !(0..=left).contains(&values) {
                return Err(damaged(column, "has a page that claims more values than there are"));
            }
            left -= values;
        }
        rest.set_position(rest.position().saturating_add(size));
    }
    Ok(())
}

fn damaged(column: &ColumnChunkMetadata, fault: &str) -> PolarsError {
    let name = column.descriptor().path_in_schema.join(".");
    polars_err!(ComputeError: "the file is damaged: column {name} {fault}")
}
