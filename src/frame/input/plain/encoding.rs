//! Which encoding a text has, and a reader that gives it as UTF-8.

use std::fs::File;
use std::io::{BufRead, Read, Result as IoResult, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1254};

use crate::error::Error;
use crate::safe_text::printable::shown;

const CHUNK: usize = 256 << 10;

/// Bytes that Windows-1254 does not define.
const UNDEFINED: [u8; 7] = [0x81, 0x8d, 0x8e, 0x8f, 0x90, 0x9d, 0x9e];

/// The encoding of a text.
#[derive(Debug, Clone, Copy)]
pub struct Charset {
    /// The encoding.
    pub encoding: &'static Encoding,
    /// The length of its byte order mark.
    pub mark: u64,
    /// Whether it is worth a remark: found, and not UTF-8.
    pub found: bool,
    /// Whether nothing but the absence of other signs speaks for it.
    pub guessed: bool,
}

impl Charset {
    fn new(encoding: &'static Encoding, mark: u64, found: bool) -> Self {
        Self { encoding, mark, found, guessed: false }
    }

    /// Whether it is UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.encoding == UTF_8
    }
}

/// The encoding by byte order mark, name or zero bytes at the start of a file; else UTF-8, which
/// remains to be checked.
///
/// # Errors
/// The name is unknown, or the file is no text.
pub fn charset(place: &Path, head: &[u8], label: &str) -> Result<Charset, Error> {
    let named = if label == "auto" { None } else { Some(by_label(place, label)?) };
    if let Some((encoding, mark)) = Encoding::for_bom(head) {
        let found = encoding != UTF_8 && named.is_none();
        return Ok(Charset::new(encoding, mark as u64, found));
    }
    if let Some(encoding) = named {
        return Ok(Charset::new(encoding, 0, false));
    }
    let sample = head.get(..4096).unwrap_or(head);
    if memchr::memchr(0, sample).is_some() {
        let zeros =
            |first: usize| sample.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
        if odd * 10 >= half * 6 && even * 50 <= half {
            return Ok(Charset::new(UTF_16LE, 0, true));
        }
        if even * 10 >= half * 6 && odd * 50 <= half {
            return Ok(Charset::new(UTF_16BE, 0, true));
        }
        return Err(no_text(place));
    }
    Ok(Charset { guessed: true, ..Charset::new(UTF_8, 0, false) })
}

/// Whether the start of a file is valid UTF-8, but for a sequence that its end cuts.
pub fn begins_as_utf8(head: &[u8]) -> bool {
    simdutf8::compat::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The error for zero bytes in what should be text.
pub fn no_text(place: &Path) -> Error {
    Error::input(
        place.display(),
        "the file has NUL bytes, so it is no text: save it as CSV (UTF-8)",
    )
}

fn by_label(place: &Path, label: &str) -> Result<&'static Encoding, Error> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        let label = shown(label);
        Error::input(
            place.display(),
            format!(
                "there is no encoding {label}: input.encoding is \"auto\", \"utf-8\", \
                 \"windows-1254\", \"iso-8859-9\", \"windows-1252\" or \"utf-16le\", for example"
            ),
        )
    })
}

/// The encoding of a file that is not valid UTF-8: UTF-8 with a few stray bytes, or Windows-1254.
///
/// # Errors
/// Neither fits.
pub fn survey(file: &Path, place: &Path, charset: Charset) -> Result<Charset, Error> {
    if !charset.guessed {
        return Ok(charset);
    }
    let tally = Tally::of(file).map_err(Error::io(place, "read the input"))?;
    let Tally { valid, invalid, .. } = tally;
    if invalid == 0 || valid > 0 && (invalid <= 3 || invalid * 100 < valid + invalid) {
        return Ok(charset);
    }
    let line = tally.first_line;
    if valid * 10 >= invalid {
        let fault = format!(
            "the file mixes encodings: most of it may be UTF-8, but line {line} and others are \
             not: save it as UTF-8, or name its encoding in input.encoding"
        );
        return Err(Error::input(place.display(), fault));
    }
    if let Some((byte, line)) = tally.undefined {
        let fault = format!(
            "the file is neither UTF-8 nor Windows-1254 (byte 0x{byte:02X} in line {line}): name \
             its encoding in input.encoding, for example \"windows-1250\""
        );
        return Err(Error::input(place.display(), fault));
    }
    Ok(Charset::new(WINDOWS_1254, 0, true))
}

/// What the bytes beyond ASCII are.
#[derive(Default)]
struct Tally {
    /// Sequences that are valid UTF-8.
    valid: u64,
    /// Sequences that are not, and the line of the first.
    invalid: u64,
    first_line: u64,
    /// The first byte that Windows-1254 does not define, and its line.
    undefined: Option<(u8, u64)>,
}

impl Tally {
    fn of(file: &Path) -> IoResult<Self> {
        let mut file = File::open(file)?;
        let mut tally = Self::default();
        let mut buffer = vec![0; CHUNK];
        let (mut kept, mut line) = (0, 1);
        loop {
            let read = file.read(buffer.get_mut(kept..).unwrap_or_default())?;
            let filled = kept + read;
            let bytes = buffer.get(..filled).unwrap_or_default();
            let used = if read == 0 { filled } else { whole(bytes) };
            tally.add(bytes.get(..used).unwrap_or_default(), &mut line);
            if read == 0 {
                return Ok(tally);
            }
            buffer.copy_within(used..filled, 0);
            kept = filled - used;
        }
    }

    fn add(&mut self, bytes: &[u8], line: &mut u64) {
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid().as_bytes();
            let invalid = chunk.invalid();
            if !valid.is_ascii() {
                self.valid += valid.iter().filter(|byte| **byte >= 0xc0).count() as u64;
                if self.undefined.is_none() {
                    let at = valid.iter().position(|byte| UNDEFINED.contains(byte));
                    self.undefined = at.and_then(|at| {
                        let (before, rest) = valid.split_at(at);
                        Some((*rest.first()?, *line + line_ends(before)))
                    });
                }
            }
            *line += line_ends(valid);
            if !invalid.is_empty() {
                if self.invalid == 0 {
                    self.first_line = *line;
                }
                self.invalid += 1;
                let undefined = invalid.iter().find(|byte| UNDEFINED.contains(byte));
                self.undefined = self.undefined.or(undefined.map(|byte| (*byte, *line)));
            }
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// How many bytes of a chunk end at the border of a UTF-8 sequence.
fn whole(bytes: &[u8]) -> usize {
    for back in 1..=3.min(bytes.len()) {
        let at = bytes.len() - back;
        let width = match bytes.get(at) {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xff) => 4,
            Some(0x80..=0xbf) => continue,
            _ => 1,
        };
        return if width > back { at } else { bytes.len() };
    }
    bytes.len()
}

/// A text as UTF-8, from its start after the byte order mark. What cannot be decoded becomes
/// U+FFFD.
pub struct Decoded {
    file: File,
    decoder: Decoder,
    input: Vec<u8>,
    input_at: usize,
    ended: bool,
    finished: bool,
    output: Vec<u8>,
    output_at: usize,
    returns: bool,
    /// How often something could not be decoded, so far.
    pub replaced: u64,
    /// Whether the text had a NUL, so far.
    pub nul: bool,
}

impl Decoded {
    /// Opens a file. With `returns`, a CR is a line end and becomes LF.
    pub fn open(file: &Path, charset: &Charset, returns: bool) -> IoResult<Self> {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(charset.mark))?;
        Ok(Self {
            file,
            decoder: charset.encoding.new_decoder_without_bom_handling(),
            input: Vec::new(),
            input_at: 0,
            ended: false,
            finished: false,
            output: Vec::new(),
            output_at: 0,
            returns,
            replaced: 0,
            nul: false,
        })
    }

    /// The first bytes, at most `most`.
    pub fn head(mut self, most: usize) -> IoResult<Vec<u8>> {
        let mut head = Vec::new();
        Read::by_ref(&mut self).take(most as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Passes over the first `bytes`.
    pub fn skip(&mut self, mut bytes: u64) -> IoResult<()> {
        while bytes > 0 {
            let there = self.fill_buf()?.len();
            if there == 0 {
                break;
            }
            let step = there.min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.consume(step);
            bytes -= step as u64;
        }
        Ok(())
    }

    /// Decodes the next piece; nothing at the end.
    fn refill(&mut self) -> IoResult<()> {
        const ROOM: usize = 8;
        self.output_at = 0;
        self.output.clear();
        while self.output.is_empty() && !self.finished {
            if self.input_at >= self.input.len() && !self.ended {
                self.input.resize(CHUNK, 0);
                let read = self.file.read(&mut self.input)?;
                self.input.truncate(read);
                self.input_at = 0;
                self.ended = read == 0;
            }
            self.output.resize(CHUNK, 0);
            let source = self.input.get(self.input_at..).unwrap_or_default();
            let target = self.output.get_mut(..CHUNK - ROOM).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(source, target, self.ended);
            self.input_at += read;
            self.output.truncate(written);
            match result {
                DecoderResult::InputEmpty => self.finished = self.ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.replaced += 1;
                    self.output.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        }
        self.nul |= memchr::memchr(0, &self.output).is_some();
        if self.returns {
            self.output.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, target: &mut [u8]) -> IoResult<usize> {
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Decoded {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        if self.output_at >= self.output.len() {
            self.refill()?;
        }
        Ok(self.output.get(self.output_at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.output_at = (self.output_at + count).min(self.output.len());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tally(bytes: &[u8]) -> Tally {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Tally::of(file.path()).unwrap()
    }

    #[test]
    fn sequences_are_counted_across_chunks() {
        let mut bytes = vec![b'x'; CHUNK - 1];
        bytes.extend_from_slice("ş\nğ".as_bytes());
        bytes.extend_from_slice(b"\n\xfe");
        let tally = tally(&bytes);
        assert_eq!((tally.valid, tally.invalid, tally.first_line), (2, 1, 3));
        assert_eq!(tally.undefined, None);
    }

    #[test]
    fn utf16_without_a_mark() {
        let text: Vec<u8> = "id;şehir\n1;x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let place = Path::new("x.csv");
        assert_eq!(charset(place, &text, "auto").unwrap().encoding, UTF_16LE);
        let text: Vec<u8> = "id;şehir\n1;x\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(charset(place, &text, "auto").unwrap().encoding, UTF_16BE);
        assert!(charset(place, b"ab\0\0\0\0\0\0cd", "auto").is_err());
        assert!(charset(place, b"ab", "latin-99").unwrap_err().to_string().contains("iso-8859-9"));
    }
}
