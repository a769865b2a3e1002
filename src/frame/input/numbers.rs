//! Reads columns of numbers: each in one notation, which the whole column settles.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{FILE, ROW, ROWS_OF_A_FILE};
use crate::frame::input::notation::{Class, DecimalMark, classify, currency_of, mark_of, read};
use crate::frame::input::typed::{Blanks, text};
use crate::frame::streamed;
use crate::settings::{Columns, Input, InputKind};

/// Rows that [`Notations::glimpse`] reads.
const GLIMPSE: u32 = 20_000;

/// How the numbers of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// The column has a numeric type in the file.
    Typed,
    /// Digits only. A point would be a surprise that the whole column must settle.
    Whole,
    /// As Polars reads them: digits and a decimal point.
    Plain,
    /// With separators, currencies or signs that Polars does not read.
    Written {
        /// The sign before the decimals.
        mark: DecimalMark,
        /// The only currency beside the numbers.
        currency: Option<&'static str>,
    },
}

impl std::fmt::Display for Notation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Typed => f.write_str("numeric type"),
            Self::Whole => f.write_str("1234"),
            Self::Plain => f.write_str("1234.56"),
            Self::Written { mark, currency } => {
                write!(
                    f,
                    "{}{}",
                    mark.example(),
                    currency.map_or(String::new(), |c| format!(" {c}"))
                )
            }
        }
    }
}

/// A column of numbers whose notation is to be found.
#[derive(Debug, Clone, Copy)]
pub struct Numeric<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether its values can only be whole, as counts of orders are: then `1,234` and `1.234` are
    /// thousands.
    pub is_count: bool,
}

/// The columns of numbers that the settings name.
pub fn numeric_columns(input: &Input) -> Vec<Numeric<'_>> {
    let Columns { orders, value, quantity, unit_price, .. } = &input.columns;
    let count = |name| Numeric { name, is_count: true };
    let other = |name| Numeric { name, is_count: false };
    // Keys of the other kind of input may be there; their columns are not read.
    if input.kind == InputKind::Customers {
        let counts = orders.iter().map(|name| count(name.as_str()));
        return counts.chain(value.iter().map(|name| other(name.as_str()))).collect();
    }
    let amounts = value.iter().chain(quantity).chain(unit_price);
    amounts.map(|name| other(name.as_str())).collect()
}

/// The column as numbers; null where it has none.
pub fn number(name: &str, notation: Notation, blanks: Blanks) -> Expr {
    match notation {
        Notation::Typed => col(name).cast(DataType::Float64),
        Notation::Whole => text(name, blanks).cast(DataType::Int64).cast(DataType::Float64),
        Notation::Plain => text(name, blanks).cast(DataType::Float64),
        Notation::Written { mark, currency } => {
            let one = move |text: &str| {
                let is_other = currency_of(text).is_some_and(|found| Some(found) != currency);
                if is_other { None } else { read(text, mark) }
            };
            each(name, DataType::Float64, move |texts| {
                Float64Chunked::from_iter_options(
                    texts.name().clone(),
                    texts.iter().map(|text| text.and_then(one)),
                )
                .into_column()
            })
        }
    }
}

/// An expression that applies a function to the texts of a column.
pub(crate) fn each(
    name: &str,
    output: DataType,
    function: impl Fn(&StringChunked) -> Column + Send + Sync + 'static,
) -> Expr {
    let field =
        move |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), output.clone()));
    col(name).cast(DataType::String).map(move |column| Ok(function(column.str()?)), field)
}

/// What the values of a text column say about its notation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// For each class, by its number: how many values, and the first row and value.
    classes: Vec<(u64, Option<(u64, String)>)>,
    /// Currencies beside the numbers, and how many values have each.
    currencies: Vec<(&'static str, u64)>,
}

impl Evidence {
    /// Looks at every value of a text column.
    ///
    /// # Errors
    /// When the column cannot be read.
    pub fn of(frame: &LazyFrame, name: &str) -> PolarsResult<Self> {
        let class = each(name, DataType::UInt8, |texts| {
            let classes =
                texts.iter().map(|text| Some(text.map_or(0, |text| classify(text) as u8)));
            UInt8Chunked::from_iter_options(texts.name().clone(), classes).into_column()
        });
        let currency = each(name, DataType::String, |texts| {
            let currencies = texts.iter().map(|text| text.and_then(currency_of));
            StringChunked::from_iter_options(texts.name().clone(), currencies).into_column()
        });
        let values = frame.clone().select([
            (col(FILE).cast(DataType::UInt64) * lit(ROWS_OF_A_FILE)
                + col(ROW).cast(DataType::UInt64))
            .alias("row"),
            col(name).cast(DataType::String).alias("value"),
            class.alias("class"),
            currency.alias("currency"),
        ]);
        let first = FunctionExpr::MinBy;
        let found = streamed(
            values.group_by([col("class"), col("currency")]).agg([
                len().cast(DataType::UInt64).alias("count"),
                Expr::Function { input: vec![col("value"), col("row")], function: first }
                    .alias("example"),
                col("row").min().alias("first_row"),
            ]),
        )?;
        let mut evidence =
            Self { classes: vec![(0, None); Class::ALL.len()], currencies: Vec::new() };
        let counts = found.column("count")?.u64()?;
        let examples = found.column("example")?.str()?;
        let rows = found.column("first_row")?.u64()?;
        let currencies = found.column("currency")?.str()?;
        for (position, class) in found.column("class")?.u8()?.iter().enumerate() {
            let count = counts.get(position).unwrap_or(0);
            let example = rows.get(position).zip(examples.get(position).map(str::to_owned));
            let Some(known) = evidence.classes.get_mut(usize::from(class.unwrap_or(0))) else {
                continue;
            };
            known.0 += count;
            known.1 = [known.1.take(), example].into_iter().flatten().min();
            let Some(currency) = currencies.get(position).and_then(currency_of_sign) else {
                continue;
            };
            match evidence.currencies.iter_mut().find(|(sign, _)| *sign == currency) {
                Some((_, known)) => *known += count,
                None => evidence.currencies.push((currency, count)),
            }
        }
        evidence.currencies.sort_by_key(|(sign, count)| (std::cmp::Reverse(*count), *sign));
        Ok(evidence)
    }

    fn count(&self, classes: &[Class]) -> u64 {
        classes.iter().map(|class| self.classes[*class as usize].0).sum()
    }

    /// Number of values that are numbers.
    pub fn numbers(&self) -> u64 {
        self.values() - self.count(&[Class::NoNumber, Class::Odd])
    }

    /// Number of values.
    pub fn values(&self) -> u64 {
        self.classes.iter().map(|(count, _)| count).sum::<u64>() - self.count(&[Class::Missing])
    }

    /// Whether all numbers are whole, where the decimal mark does not matter.
    fn is_undecided(&self) -> bool {
        self.count(&[Class::PlainPoint, Class::Point, Class::Comma]) == 0
            && self.count(&[Class::EitherPoint, Class::EitherComma]) > 0
    }

    /// The first value of some classes, with its row.
    fn example(&self, classes: &[Class]) -> String {
        let first =
            classes.iter().filter_map(|class| self.classes[*class as usize].1.as_ref()).min();
        first.map_or(String::new(), |(position, value)| {
            let shown: String = value.chars().take(40).collect();
            format!("{shown:?} in row {}", position % ROWS_OF_A_FILE)
        })
    }

    /// The notation of the column. `format` is `input.number_format`.
    ///
    /// # Errors
    /// A sentence, when there are two notations or currencies, or the notation is open.
    pub fn decide(&self, column: Numeric<'_>, format: &str) -> Result<Notation, String> {
        use Class::{Comma, EitherComma, EitherPoint, PlainPoint, Point, Same};
        let name = column.name;
        if let [(first, many), (second, few), ..] = self.currencies.as_slice() {
            return Err(format!(
                "the amounts in {name:?} are in more than one currency: {many} in {first}, {few} in \
                 {second}: convert them into one, or make a file of each"
            ));
        }
        let odd = self.count(&[Class::Odd]);
        if odd > 1 {
            return Err(format!(
                "{odd} values in {name:?} are numbers in a notation that is not read, as {}: write them \
                 as the others",
                self.example(&[Class::Odd])
            ));
        }
        let with_currency: u64 = self.currencies.iter().map(|(_, count)| count).sum();
        if with_currency > 0 && 2 * with_currency < self.numbers() {
            return Err(format!(
                "{with_currency} of {} amounts in {name:?} have a currency ({}) and the others have none: \
                 are they all in one currency? Write all with it, or all without",
                self.numbers(),
                self.currencies.iter().map(|(sign, _)| *sign).collect::<Vec<_>>().join(", "),
            ));
        }
        let (points, commas) = (self.count(&[PlainPoint, Point]), self.count(&[Comma]));
        if points > 0 && commas > 0 {
            return Err(format!(
                "the numbers in {name:?} are written in two ways: {points} with a decimal point, as \
                 {}, and {commas} with a decimal comma, as {}: write them all the same way",
                self.example(&[PlainPoint, Point]),
                self.example(&[Comma]),
            ));
        }
        let mark = match (points > 0, commas > 0) {
            (true, _) => DecimalMark::Point,
            (_, true) => DecimalMark::Comma,
            _ if self.is_undecided() => self.of_thousands(column, format)?,
            _ => DecimalMark::Point,
        };
        let currency = self.currencies.first().map(|(sign, _)| *sign);
        let otherwise = self.count(&[Point, Comma, EitherComma, Same]);
        Ok(match mark {
            DecimalMark::Point if otherwise == 0 && points + self.count(&[EitherPoint]) == 0 => {
                Notation::Whole
            }
            DecimalMark::Point if otherwise == 0 => Notation::Plain,
            mark => Notation::Written { mark, currency },
        })
    }

    /// The mark of a column in which every point or comma could separate thousands.
    fn of_thousands(&self, column: Numeric<'_>, format: &str) -> Result<DecimalMark, String> {
        let either = [Class::EitherPoint, Class::EitherComma];
        let [points, commas] = either.map(|class| self.count(&[class]));
        // Counts of thousands only, and no smaller one, are decimals: 5.000 is five.
        let is_padded = column.is_count && self.count(&[Class::Whole, Class::Same]) == 0;
        match (column.is_count, mark_of(format)) {
            (_, Some(mark)) => Ok(mark),
            (true, None) if is_padded && points == 0 => Ok(DecimalMark::Comma),
            (true, None) if is_padded && commas == 0 => Ok(DecimalMark::Point),
            (true, None) if points == 0 => Ok(DecimalMark::Point),
            (true, None) if commas == 0 => Ok(DecimalMark::Comma),
            _ => Err(format!(
                "the numbers in {:?} can be read in two ways: is {} between 1 and 1000, or more than \
                 a thousand? Set number_format = {:?} or number_format = {:?} in [input] (or --set \
                 input.number_format=…), as 1234.56 would be written",
                column.name,
                self.example(&either),
                if points > 0 { "1234.56" } else { "1234,56" },
                if points > 0 { "1.234,56" } else { "1,234.56" },
            )),
        }
    }
}

/// The static text of a sign that [`currency_of`] returned.
fn currency_of_sign(sign: &str) -> Option<&'static str> {
    currency_of(&format!("{sign}1"))
}

/// Notations by column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notations(Vec<(String, Notation)>);

impl Notations {
    /// The column as numbers.
    pub fn number(&self, name: &str, blanks: Blanks) -> Expr {
        number(name, self.of(name), blanks)
    }

    /// The notation of a column; one that nobody asked about is plain.
    pub fn of(&self, name: &str) -> Notation {
        let known = self.0.iter().find(|(known, _)| known == name);
        known.map_or(Notation::Plain, |(_, notation)| *notation)
    }

    /// Settles each column from all of its values.
    ///
    /// # Errors
    /// [`Error::Input`] with a sentence for each column that is written in two ways or whose
    /// notation is open; [`Error::Engine`] when the columns cannot be read.
    pub fn settle(
        frame: &LazyFrame,
        columns: &[Numeric<'_>],
        format: &str,
        place: &str,
    ) -> Result<Self, Error> {
        let failed = || Error::engine("look at the numbers");
        let schema = frame.clone().collect_schema().map_err(failed())?;
        let (mut notations, mut faults) = (Vec::new(), Vec::new());
        for column in columns {
            let is_typed = schema.get(column.name).is_some_and(|dtype| dtype.is_numeric());
            let notation = match is_typed {
                true => Ok(Notation::Typed),
                false => {
                    Evidence::of(frame, column.name).map_err(failed())?.decide(*column, format)
                }
            };
            match notation {
                Ok(notation) => notations.push((column.name.to_owned(), notation)),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self(notations))
        } else {
            Err(Error::Input { place: place.to_owned(), faults })
        }
    }

    /// As [`Self::settle`], from the first rows only. What they say holds if every later number can
    /// be read in their notation too; a number that cannot calls for [`Self::settle`]. Returns
    /// `None` where the first rows say too little.
    pub fn glimpse(frame: &LazyFrame, columns: &[Numeric<'_>], format: &str) -> Option<Self> {
        let mut names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        let mut read: Vec<Expr> = names.into_iter().map(col).collect();
        read.extend([col(FILE), col(ROW)]);
        let first = streamed(frame.clone().select(read).limit(GLIMPSE)).ok()?;
        Self::settle(&first.lazy(), columns, format, "").ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(values: &[&str], is_count: bool, format: &str) -> Result<Notation, String> {
        let rows: Vec<u64> = (1..=values.len() as u64).collect();
        let frame = df!("n" => values, FILE => vec![0u32; values.len()], ROW => rows);
        let frame = frame.expect("a frame").lazy();
        Evidence::of(&frame, "n").expect("evidence").decide(Numeric { name: "n", is_count }, format)
    }

    fn read_as(values: &[&str], is_count: bool) -> Vec<Option<f64>> {
        let notation = decided(values, is_count, "auto").expect("one notation");
        let frame = df!("n" => values).expect("a frame").lazy();
        let read = frame.select([number("n", notation, Blanks::TakenOff)]).collect().expect("read");
        read.column("n").expect("n").f64().expect("numbers").iter().collect()
    }

    #[test]
    fn a_value_that_fits_one_notation_decides_the_column() {
        assert_eq!(read_as(&["1.234", "12,50"], false), [Some(1234.0), Some(12.5)]);
        assert_eq!(read_as(&["1,234", "12.50"], false), [Some(1234.0), Some(12.5)]);
        assert_eq!(read_as(&["1.234", "12.50"], false), [Some(1.234), Some(12.5)]);
        assert_eq!(read_as(&["1 234,5 TL", "7"], false), [Some(1234.5), Some(7.0)]);
        assert_eq!(read_as(&["(12.50)", "12.50-", "x"], false), [Some(-12.5), Some(-12.5), None]);
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!(read_as(&["1.234", "7"], true), [Some(1234.0), Some(7.0)]);
        assert_eq!(read_as(&["5,0", "7,0"], true), [Some(5.0), Some(7.0)]);
        assert_eq!(read_as(&["5.000", "7.000"], true), [Some(5.0), Some(7.0)]);
        assert_eq!(read_as(&["5,000", "7,000"], true), [Some(5.0), Some(7.0)]);
    }

    #[test]
    fn two_notations_are_refused_with_an_example_of_each() {
        let fault = decided(&["307.96", "460,50"], false, "auto").expect_err("two notations");
        assert!(
            fault.contains("\"307.96\" in row 1") && fault.contains("\"460,50\" in row 2"),
            "{fault}"
        );
    }

    #[test]
    fn thousands_or_decimals_is_a_question_that_a_key_answers() {
        let values = ["1.234", "5"];
        let fault = decided(&values, false, "auto").expect_err("open");
        assert!(fault.contains("number_format = \"1234.56\""), "{fault}");
        assert!(fault.contains("number_format = \"1.234,56\""), "{fault}");
        assert_eq!(decided(&values, false, "1234.56"), Ok(Notation::Plain));
        let comma = Notation::Written { mark: DecimalMark::Comma, currency: None };
        assert_eq!(decided(&values, false, "1.234,56"), Ok(comma));
    }

    #[test]
    fn two_currencies_are_refused() {
        let fault = decided(&["$5.5", "€7.5", "$8"], false, "auto").expect_err("two currencies");
        assert!(fault.contains("2 in $, 1 in €"), "{fault}");
    }

    #[test]
    fn digits_alone_say_nothing_about_the_mark() {
        assert_eq!(decided(&["5", "7"], false, "auto"), Ok(Notation::Whole));
        assert_eq!(decided(&["5", "7.5"], false, "auto"), Ok(Notation::Plain));
    }
}
