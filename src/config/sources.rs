//! The texts of the files that were read, and places in them.
//!
//! Every configuration file, manifest and list is registered here once; a [`Span`] names a stretch of one of
//! them and stays small enough to sit on every value. Texts are UTF-8 without a byte order mark; the bytes of
//! a file that is something else are shown with U+FFFD in their place.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read, in octets. Far above any real list of users; keeps `/dev/zero` out.
pub const FILE_MAX: u64 = 256 * 1024 * 1024;

/// One registered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(super) u32);

/// A stretch of one text, in octets from its start; `end` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// The first octet.
    pub start: u32,
    /// One after the last octet.
    pub end: u32,
}

impl Span {
    /// A stretch of a text. Offsets beyond 4 GiB do not occur: files are smaller ([`FILE_MAX`]).
    pub fn new(source: SourceId, range: std::ops::Range<usize>) -> Self {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { source, start: offset(range.start), end: offset(range.end) }
    }
}

/// The line that a place stands on, as a diagnostic shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, without the line end.
    pub text: &'a str,
    /// The place within the text, cut at the end of the line and at whole characters.
    pub range: std::ops::Range<usize>,
}

/// Why a file could not be registered.
#[derive(Debug)]
pub enum ReadFault {
    /// The system refused.
    Io(io::Error),
    /// Over [`FILE_MAX`].
    TooLarge,
    /// Registered all the same; the span is that of the first wrong octet.
    NotUtf8(Span),
}

struct Source {
    name: String,
    text: Arc<str>,
    /// Where each line starts.
    lines: Vec<u32>,
    /// The number of each line, if some were left out.
    numbers: Vec<usize>,
    /// Of the file's octets.
    digest: Option<blake3::Hash>,
}

/// The registry of texts.
#[derive(Default)]
pub struct Sources {
    list: Vec<Source>,
    /// Texts that are read in place of those of files.
    pretended: HashMap<PathBuf, String>,
}

impl Sources {
    /// Registers a text under the name that diagnostics show.
    pub fn add(&mut self, name: impl Into<String>, text: &str) -> SourceId {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(ends).map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source { name: name.into(), text: text.into(), lines, numbers: Vec::new(), digest: None });
        id
    }

    /// Registers some lines of a file, with their numbers.
    pub(super) fn add_some(&mut self, path: &Path, text: &str, numbers: Vec<usize>, digest: blake3::Hash) -> SourceId {
        let id = self.add(path.display().to_string(), text);
        if let Some(source) = self.list.last_mut() {
            (source.numbers, source.digest) = (numbers, Some(digest));
        }
        id
    }

    /// What is read in place of a file, if anything is.
    pub(super) fn pretended(&self, path: &Path) -> Option<&str> {
        self.pretended.get(path).map(String::as_str)
    }

    /// From now on this text is read in place of the file's, so that a change can be checked before it is made.
    pub fn pretend(&mut self, path: &Path, text: &str) {
        self.pretended.insert(path.to_owned(), text.to_owned());
    }

    /// Reads a file and registers it under its path.
    pub fn read(&mut self, path: &Path) -> Result<SourceId, ReadFault> {
        if let Some(text) = self.pretended.get(path).cloned() {
            return Ok(self.add(path.display().to_string(), &text));
        }
        let bytes = octets(path)?;
        let name = path.display().to_string();
        let text = String::from_utf8_lossy(&bytes);
        let id = self.add(name, &text);
        if let Some(source) = self.list.last_mut() {
            source.digest = Some(blake3::hash(&bytes));
        }
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(id),
            Err(_) => {
                let at = self.text(id).find('\u{fffd}').unwrap_or(0);
                Err(ReadFault::NotUtf8(Span::new(id, at..at + '\u{fffd}'.len_utf8())))
            }
        }
    }

    /// Reads a file, and registers of its text what `shown` makes of it: octet for octet at the same places, for that is
    /// what diagnostics show of it.
    pub fn read_shown(
        &mut self,
        path: &Path,
        shown: impl FnOnce(&[u8]) -> String,
    ) -> Result<(SourceId, Vec<u8>), ReadFault> {
        let bytes = octets(path)?;
        let id = self.add(path.display().to_string(), &shown(&bytes));
        if let Some(source) = self.list.last_mut() {
            source.digest = Some(blake3::hash(&bytes));
        }
        Ok((id, bytes))
    }

    /// The digest of the octets that were read of this file, the last time that it was.
    pub fn digest(&self, path: &Path) -> Option<blake3::Hash> {
        let name = path.display().to_string();
        self.list.iter().rev().find(|source| source.name == name)?.digest
    }

    /// The text of a source, without a byte order mark.
    pub fn text(&self, id: SourceId) -> Arc<str> {
        self.get(id).map_or_else(|| "".into(), |s| s.text.clone())
    }

    /// The name of a source: its path, as it was given.
    pub fn name(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |s| &s.name)
    }

    /// The line on which a span begins.
    pub fn line(&self, span: Span) -> Option<Line<'_>> {
        let source = self.get(span.source)?;
        let index = source.lines.partition_point(|&at| at <= span.start).checked_sub(1)?;
        let from = *source.lines.get(index)? as usize;
        let rest = source.text.get(from..)?;
        let text = rest.split('\n').next().unwrap_or_default();
        let text = text.strip_suffix('\r').unwrap_or(text);
        let within = |at: u32| text.floor_char_boundary((at as usize).saturating_sub(from));
        let start = within(span.start);
        let number = source.numbers.get(index).map_or(index + 1, |number| *number);
        Some(Line { number, text, range: start..within(span.end).max(start) })
    }

    /// The line and the column in characters, both from 1, at which a span begins.
    pub fn line_column(&self, span: Span) -> Option<(usize, usize)> {
        let line = self.line(span)?;
        Some((line.number, line.text.get(..line.range.start)?.chars().count() + 1))
    }

    fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }
}

fn octets(path: &Path) -> Result<Vec<u8>, ReadFault> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(ReadFault::Io)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(ReadFault::Io)?;
    if bytes.len() as u64 > FILE_MAX { Err(ReadFault::TooLarge) } else { Ok(bytes) }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list.iter().map(|s| &s.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_after_the_byte_order_mark() {
        let mut sources = Sources::default();
        let id = sources.add("f", "\u{feff}a\r\nbé = 1\r\n");
        assert_eq!(&*sources.text(id), "a\r\nbé = 1\r\n");
        assert_eq!(sources.line_column(Span::new(id, 0..1)), Some((1, 1)));
        assert_eq!(sources.line_column(Span::new(id, 7..8)), Some((2, 4)));
        let line = sources.line(Span::new(id, 7..400)).unwrap();
        assert_eq!((line.text, line.range), ("bé = 1", 4..7));
        let line = sources.line(Span::new(id, 12..12)).unwrap();
        assert_eq!((line.number, line.text), (3, ""));
    }

    #[test]
    fn a_pretended_text_is_read_in_place_of_a_file_s() {
        let mut sources = Sources::default();
        sources.pretend(Path::new("nowhere/f.toml"), "x = 1\n");
        let id = sources.read(Path::new("nowhere/f.toml")).unwrap();
        assert_eq!((sources.name(id), &*sources.text(id)), ("nowhere/f.toml", "x = 1\n"));
        assert!(sources.read(Path::new("nowhere/g.toml")).is_err());
    }

    #[test]
    fn a_file_that_is_not_utf8_is_shown_where_it_goes_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"ok\nno\xff\n").unwrap();
        let mut sources = Sources::default();
        let Err(ReadFault::NotUtf8(span)) = sources.read(&path) else { panic!("accepted") };
        assert_eq!(sources.line_column(span), Some((2, 3)));
    }
}
