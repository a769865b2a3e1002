//! Whole files, as people have them.
#![allow(clippy::unwrap_used)]

use super::*;
use std::io::Write;
use tempfile::NamedTempFile;

fn written(bytes: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

struct Seen {
    text: String,
    plain: Plain,
    in_place: bool,
}

fn read_as(bytes: impl AsRef<[u8]>, encoding: &str, columns: &[&str]) -> Result<Seen, String> {
    let file = written(bytes);
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let hints =
        Hints { separator: "auto", encoding, sheet: None, columns: &columns, vital: &columns };
    let plain = plain(file.path(), &hints).map_err(|error| error.to_string())?;
    let in_place = plain.path == file.path();
    assert_eq!(in_place, plain.copy.is_none());
    let text = String::from_utf8_lossy(&std::fs::read(&plain.path).unwrap()).into_owned();
    Ok(Seen { text, plain, in_place })
}

fn read(bytes: impl AsRef<[u8]>) -> Result<Seen, String> {
    read_as(bytes, "auto", &[])
}

fn copied(bytes: impl AsRef<[u8]>) -> (String, u64, Vec<Remark>) {
    let seen = read(bytes).unwrap();
    assert!(!seen.in_place);
    (seen.text, seen.plain.records, seen.plain.remarks)
}

fn in_place(bytes: impl AsRef<[u8]>) -> u64 {
    let seen = read(bytes).unwrap();
    assert!(seen.in_place);
    assert_eq!(seen.plain.remarks, []);
    seen.plain.records
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    encoding.encode(text).0.into_owned()
}

#[test]
fn plain_files_are_read_in_place() {
    assert_eq!(in_place("a,b\n1,2\n3,4\n"), 2);
    assert_eq!(in_place("a;b\r\n1;2\r\n3;4"), 2);
    assert_eq!(copied("a;b\r\n1;2\r\n\r\n3;4"), ("a,b\n1,2\n3,4\n".to_owned(), 2, vec![]));
    assert_eq!(in_place("\u{feff}a,b\n1,ş\n"), 1);
    assert_eq!(in_place("a,b\n"), 0);
    assert_eq!(in_place("a,b"), 0);
    assert_eq!(in_place("\"a\",\"b\"\n\"1\",\"x\ny \"\"z\"\"\"\n\"2\",\"\r\n\"\r\n"), 2);
    assert_eq!(in_place("\"a\nb\",c\n1,2\n"), 1);
    let seen = read("\u{feff} a ;b\n1;2\n").unwrap();
    assert!(seen.in_place && seen.plain.separator == b';');
}

#[test]
fn encodings() {
    let text = "id,şehir\n1,İzmir\n2,Muğla\n";
    let plain = (text.to_owned(), 2);
    for (bytes, name) in [
        (encoded(text, "windows-1254"), "windows-1254"),
        (utf16(text, true, true), "UTF-16LE"),
        (utf16(text, true, false), "UTF-16BE"),
        (utf16(text, false, true), "UTF-16LE"),
        (utf16(text, false, false), "UTF-16BE"),
    ] {
        let (copy, records, remarks) = copied(bytes);
        assert_eq!((copy, records), plain);
        assert_eq!(remarks, [Remark::Encoding { name }]);
    }
    let named = read_as(encoded(text, "iso-8859-9"), "iso-8859-9", &["şehir"]).unwrap();
    assert_eq!((named.text, named.plain.remarks), (text.to_owned(), vec![]));
    let greek = "id,πόλη\n1,Αθήνα\n";
    assert_eq!(read_as(encoded(greek, "iso-8859-7"), "iso-8859-7", &[]).unwrap().text, greek);
    let polish = encoded("id,miasto\n1,\u{17b}ory \u{15f}\n2,\u{17e}\n", "windows-1250");
    assert!(read(&polish).err().unwrap().contains("input.encoding"));
    assert!(read_as("a,b\n", "utf-9", &[]).err().unwrap().contains("\"windows-1254\""));
    assert!(read(b"a,b\n1,\0\0\0\0\n").err().unwrap().contains("NUL"));
}

fn utf16(text: &str, mark: bool, little: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let units = [mark, text].concat();
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    units.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn stray_bytes() {
    let text = b"id,city,note\n1,\xc5\x9f,x\n2,y,\xfe\n";
    let (copy, records, remarks) = copied(text);
    assert_eq!((copy.as_str(), records), ("id,city,note\n1,ş,x\n2,y,\u{fffd}\n", 2));
    let columns = vec!["note".to_owned()];
    assert_eq!(remarks, [Remark::StrayBytes { count: 1, first_line: 3, columns }]);
    assert!(read_as(text, "auto", &["id", "city"]).is_ok());
    let error = read_as(text, "auto", &["note"]).err().unwrap();
    assert!(error.contains("line 3, column \"note\"") && error.contains("input.encoding"));
    let mixed = [&"ş\n".repeat(50).into_bytes()[..], &b"\xfe\n".repeat(50)].concat();
    assert!(read([b"a\n", &mixed[..]].concat()).err().unwrap().contains("mixes"));
}

#[test]
fn line_ends_and_titles() {
    assert_eq!(copied("a,b\r1,2\r3,4\r"), ("a,b\n1,2\n3,4\n".to_owned(), 2, vec![]));
    let titles = |lines| vec![Remark::LinesBeforeHeader { lines }];
    let plain = || "a,b,c\n1,2,3\n".to_owned();
    assert_eq!(copied("sep=;\r\na;b;c\r\n1;2;3\r\n"), (plain(), 1, vec![]));
    assert_eq!(copied("\n\na,b,c\n1,2,3\n"), (plain(), 1, titles(2)));
    assert_eq!(copied("Report\nall\n\n a ,b,c\n1,2,3\n"), (plain(), 1, titles(3)));
    assert_eq!(copied("Report;;\n;;\na;b;c\n1;2;3\n"), (plain(), 1, titles(2)));
    assert_eq!(copied("# made by\na\tb\tc\n1\t2\t3"), (plain(), 1, titles(1)));
    assert_eq!(copied("T\na,b,c\n1,2\n"), ("a,b,c\n1,2,\n".to_owned(), 1, titles(1)));
    let error = read("T\na,b,c\n1,2,3\n4,5,6\n1,2,3,4\n").err().unwrap();
    assert!(error.ends_with(
        "line 5 has 4 fields, the header 3: is a text that contains the separator unquoted?"
    ));
    assert!(read("").err().unwrap().ends_with("the file is empty"));
    assert!(read("\u{feff}\n").err().unwrap().ends_with("the file is empty"));
}

#[test]
fn odd_quotes() {
    let quotes = |line| vec![Remark::Quotes { line }];
    let (copy, records, remarks) = copied("a,b\n1,12\" boot\n2,x\n");
    assert_eq!((copy.as_str(), records, remarks), ("a,b\n1,\"12\"\" boot\"\n2,x\n", 2, quotes(2)));
    let (copy, _, remarks) = copied("a,b\n0,0\n1,\"12\" boot\"\n2,x\n");
    assert_eq!((copy.as_str(), remarks), ("a,b\n0,0\n1,\"12 boot\"\"\"\n2,x\n", quotes(3)));
    let (copy, _, _) = copied("a,b\n1,\"5\\\" x\"\n2,\"5\\\" y\"\n");
    assert_eq!(copy, "a,b\n1,\"5\\ x\"\"\"\n2,\"5\\ y\"\"\"\n");
    let (copy, _, _) = copied("a,b\n1,\"5\\\", x\"\n2,\"C:\\\\\"\n");
    assert_eq!(copy, "a,b\n1,\"5\"\", x\"\n2,C:\\\n");
}

#[test]
fn quotes_that_swallow_rows() {
    let rows = "3,y\n".repeat(30);
    let open = read(format!("a,b\n1,\"x\n{rows}")).err().unwrap();
    assert!(open.contains("opens in line 2 is never closed") && !open.contains("3,y"), "{open}");
    let far = read(format!("a,b\n1,\"x\n{rows}4,\"z\"\n")).err().unwrap();
    assert!(far.contains("opens in line 2 closes 31 lines later"), "{far}");
    let near = read("a,b\n1,\"x\n2,y\n3,\"z\n4,u\n").err().unwrap();
    assert!(near.contains("lines 2 to 4") || near.contains("opens in line"), "{near}");
    let sound = read(format!("a,b\n1,\"{}\"\n", "x\n".repeat(11))).err().unwrap();
    assert!(sound.contains("closes 11 lines later"), "{sound}");
    assert_eq!(in_place(format!("a,b\n1,\"{}\"\n", "x\n".repeat(10))), 1);
    let more = read("a,b\n1,\"x\"\n\"1\",2,3\n").err().unwrap();
    assert!(more.contains("line 3 has 3 fields, the header 2"), "{more}");
    let fewer = read("a,b\n1,x\"\n\"1\"\n2,3\n").err().unwrap();
    assert!(fewer.contains("line 3 has 1 fields"), "{fewer}");
}

#[test]
fn cut_off() {
    let remark = Remark::CutOff { line: 3, fields: 1, expected: 2 };
    let seen = read("a,b\n1,2\n3").unwrap();
    assert!(seen.in_place);
    assert_eq!((seen.plain.records, seen.plain.remarks), (2, vec![remark.clone()]));
    let (copy, records, remarks) = copied("a,b\r1,2\r3");
    assert_eq!((copy.as_str(), records, remarks), ("a,b\n1,2\n3,\n", 2, vec![remark]));
}

#[test]
fn packed() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"a;b\n1;2\n").unwrap();
    let file = written(encoder.finish().unwrap());
    let hints =
        Hints { separator: "auto", encoding: "auto", sheet: None, columns: &[], vital: &[] };
    let plain = plain(file.path(), &hints).unwrap();
    assert_eq!((plain.records, plain.separator), (1, b';'));
    assert_eq!(std::fs::read(&plain.path).unwrap(), b"a;b\n1;2\n");
    let path = plain.path.clone();
    drop(plain);
    assert!(!path.exists());
    let empty = written(zstd::encode_all(&b""[..], 1).unwrap());
    let error = super::plain(empty.path(), &hints).unwrap_err().to_string();
    assert!(error.starts_with(&empty.path().display().to_string()) && error.ends_with("is empty"));
}

#[test]
fn nobody_else_reads_the_copy() {
    use std::os::unix::fs::PermissionsExt;
    let seen = read("T\na,b\n1,2\n").unwrap();
    let mode = std::fs::metadata(&seen.plain.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Whatever a text is made of: a copy is well-formed and has as many rows as it says, and a file
/// that is read in place has as many as another reader finds.
#[test]
fn any_text() {
    let pieces: [&[u8]; 20] = [
        b"a",
        b",",
        b"\"",
        b"\n",
        b"\r\n",
        b";",
        b"\xc5\x9f",
        b"\xfe",
        b"\\\"",
        b"sep=;\n",
        b"#",
        b"1,2\n",
        b"\"x\",y\n",
        b"\"x\ny\",z\n",
        b"Title\n",
        b"\r",
        b"x;y;z\n",
        b"\xef\xbb\xbf",
        b"p,q\n",
        b" ",
    ];
    let mut seed = 99_u64;
    let mut next = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    let (mut copies, mut places) = (0, 0);
    for _ in 0..1_000 {
        let mut text = if next(2) == 0 { b"p,q\n1,2\n".to_vec() } else { Vec::new() };
        for _ in 0..next(14) {
            text.extend(pieces[next(pieces.len())]);
        }
        // A line of two quotes is a row, but another reader cannot tell it from a blank line.
        let two_quotes = text.windows(2).any(|pair| pair == b"\"\"")
            || text.windows(3).any(|three| three == b"\"\r\"");
        let Some(seen) = read(&text).ok().filter(|_| !two_quotes) else { continue };
        let separator = seen.plain.separator;
        let mut reader = csv::ReaderBuilder::new();
        reader.delimiter(separator).has_headers(false).flexible(seen.in_place);
        if seen.in_place {
            reader.terminator(csv::Terminator::Any(b'\n'));
            places += 1;
        } else {
            copies += 1;
        }
        let shown = String::from_utf8_lossy(&text);
        let rows: Vec<csv::ByteRecord> =
            reader.from_reader(seen.text.as_bytes()).byte_records().map(Result::unwrap).collect();
        let blank =
            |row: &&csv::ByteRecord| row.len() > 1 || !row[0].is_empty() && row[0] != b"\r"[..];
        let count = if seen.in_place { rows.iter().filter(blank).count() } else { rows.len() };
        assert_eq!(count as u64, seen.plain.records + 1, "{shown:?} {:?}", seen.plain);
    }
    assert!(copies > 50 && places > 50, "{copies} {places}");
}
