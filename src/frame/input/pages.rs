//! Scans Parquet files after checking their page headers against the footer. Polars reserves memory
//! for as many values as a header claims. A damaged header can claim more than any machine has, and
//! the process would end without a message. So would a small file that unpacks to a large one.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use polars::prelude::*;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, FileMetadata};
use polars_parquet::parquet::read::read_metadata;
use polars_parquet::parquet::schema::types::{
    PhysicalType, PrimitiveConvertedType, PrimitiveLogicalType,
};
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

/// Most bytes that a small file may take once it is in memory, where it is held whole.
const MOST: Limit = Limit { bytes: 512 << 20, ratio: 200 };
/// The same for a page: writers make pages of about 1 MiB.
const MOST_OF_PAGE: Limit = Limit { bytes: 64 << 20, ratio: 200 };

/// A size that may only be exceeded by so many bytes per packed byte.
#[derive(Clone, Copy)]
struct Limit {
    bytes: u64,
    ratio: u64,
}

impl Limit {
    fn is_exceeded(self, unpacked: u64, packed: u64) -> bool {
        unpacked > self.bytes && unpacked / self.ratio > packed
    }
}

/// A lazy frame over a Parquet file whose page headers claim no more values than its footer, and
/// which does not unpack to far more than its size.
///
/// # Errors
/// When Polars cannot read the file, a column is damaged, or the file unpacks to too much.
pub(crate) fn scan(file: &Path, row_index: Option<RowIndex>) -> PolarsResult<LazyFrame> {
    let mut opened = File::open(file)?;
    let footer = read_metadata(&mut opened)?;
    readable(&footer)?;
    let path = PlRefPath::try_from_path(file)?;
    let args = ScanArgsParquet { row_index, glob: false, ..Default::default() };
    let frame = LazyFrame::scan_parquet(path, args)?;
    let mut file = opened;
    let size = file.metadata()?.len();
    let mut unpacked = 0;
    for group in &footer.row_groups {
        for column in group.parquet_columns() {
            let is_flat = column.descriptor().descriptor.max_rep_level == 0;
            if is_flat && column.num_values() != group.num_rows() as i64 {
                return Err(damaged(column, "has more or fewer values than there are rows"));
            }
            unpacked += check(column, &bytes_of(column, &mut file)?)?;
            if MOST.is_exceeded(unpacked, size) {
                polars_bail!(ComputeError:
                    "the file has {size} bytes and unpacks to more than {unpacked}: write it again \
                     with fewer rows, or as CSV, if it is sound"
                );
            }
        }
    }
    Ok(frame)
}

/// Bytes of a value in memory.
fn width(column: &ColumnChunkMetadata) -> u64 {
    match column.physical_type() {
        PhysicalType::Boolean => 1,
        PhysicalType::Int32 | PhysicalType::Float => 4,
        PhysicalType::Int64 | PhysicalType::Double => 8,
        // A text is a view of 16 bytes and, if it is long, what that points to.
        _ => 16,
    }
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

/// Checks the page headers of a column; the pages themselves are not decoded. Returns the bytes that
/// the column takes in memory.
fn check(column: &ColumnChunkMetadata, bytes: &[u8]) -> PolarsResult<u64> {
    let mut unpacked = 0;
    let mut left = column.num_values();
    let mut rest = Cursor::new(bytes);
    while left > 0 && rest.position() < bytes.len() as u64 {
        let mut protocol = TCompactInputProtocol::new(&mut rest, bytes.len());
        let header = PageHeader::read_from_in_protocol(&mut protocol)
            .map_err(|_| damaged(column, "has a page header that cannot be read"))?;
        let size = u64::try_from(header.compressed_page_size)
            .map_err(|_| damaged(column, "has a page of negative size"))?;
        let page = u64::try_from(header.uncompressed_page_size)
            .map_err(|_| damaged(column, "has a page of negative size"))?;
        if MOST_OF_PAGE.is_exceeded(page, size) {
            let name = column.descriptor().path_in_schema.join(".");
            polars_bail!(ComputeError:
                "column {name} has a page of {size} bytes that unpacks to {page}: no column of a \
                 table does"
            );
        }
        unpacked += page;
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
    let values = u64::try_from(column.num_values()).unwrap_or(0);
    Ok(unpacked.max(values.saturating_mul(width(column))))
}

fn damaged(column: &ColumnChunkMetadata, fault: &str) -> PolarsError {
    let name = column.descriptor().path_in_schema.join(".");
    polars_err!(ComputeError: "the file is damaged: column {name} {fault}")
}
