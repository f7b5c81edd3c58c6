//! Files of many lines, read one by one: what is kept in memory is what the caller makes of them, and the lines that are wrong.

use super::sources::{ReadFault, SourceId, Sources};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The longest line, in octets. A user with a thousand senders has a quarter of it.
pub const LINE_MAX: u64 = 1024 * 1024;
/// The largest file, in octets: some ten million users. Keeps out what has no end.
pub const LINES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What stays of a file.
pub struct Kept {
    digest: blake3::Hash,
}

impl Sources {
    /// Reads a file by lines, without their ends and the byte order mark; they are counted from 1. When `each` says false it is asked
    /// no more.
    pub fn each_line(&self, path: &Path, mut each: impl FnMut(usize, &[u8]) -> bool) -> Result<Kept, ReadFault> {
        match self.pretended(path) {
            Some(text) => read(text.as_bytes(), &mut each),
            None => read(BufReader::new(File::open(path).map_err(ReadFault::Io)?), &mut each),
        }
    }

    /// Registers a file that was read by lines, with those of them that are to be shown: each with its number, in order. Where each
    /// begins in what is registered is told.
    pub fn add_lines(&mut self, path: &Path, kept: &Kept, lines: &[(usize, String)]) -> (SourceId, Vec<usize>) {
        let mut text = String::new();
        let mut starts = Vec::new();
        for (_, line) in lines {
            starts.push(text.len());
            text.push_str(line);
            text.push('\n');
        }
        let numbers = lines.iter().map(|(number, _)| *number).collect();
        (self.add_some(path, &text, numbers, kept.digest), starts)
    }
}

fn read(mut file: impl BufRead, each: &mut dyn FnMut(usize, &[u8]) -> bool) -> Result<Kept, ReadFault> {
    let mut hasher = blake3::Hasher::new();
    let (mut line, mut asked) = (Vec::new(), true);
    for number in 1.. {
        line.clear();
        file.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut line).map_err(ReadFault::Io)?;
        if line.is_empty() {
            break;
        }
        hasher.update(&line);
        if line.len() as u64 > LINE_MAX || hasher.count() > LINES_MAX {
            return Err(ReadFault::Io(io::Error::other("it has no end, or a line of over 1 MiB")));
        }
        let mut shown: &[u8] = &line;
        if number == 1 {
            shown = shown.strip_prefix("\u{feff}".as_bytes()).unwrap_or(shown);
        }
        shown = shown.strip_suffix(b"\n").unwrap_or(shown);
        shown = shown.strip_suffix(b"\r").unwrap_or(shown);
        asked = asked && each(number, shown);
    }
    Ok(Kept { digest: hasher.finalize() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::Span;

    #[test]
    fn lines_that_are_kept_have_the_numbers_that_they_had() {
        let mut sources = Sources::default();
        sources.pretend(Path::new("f"), "\u{feff}one\r\n\ntwo\nthree");
        let mut seen = Vec::new();
        let kept = sources.each_line(Path::new("f"), |number, line| {
            seen.push((number, String::from_utf8(line.to_vec()).unwrap()));
            number < 3
        });
        assert_eq!(seen, [(1, "one".to_owned()), (2, String::new()), (3, "two".to_owned())]);
        let (id, starts) = sources.add_lines(Path::new("f"), &kept.unwrap(), &[seen[0].clone(), seen[2].clone()]);
        assert_eq!(starts, [0, 4]);
        let line = sources.line(Span::new(id, 5..6)).unwrap();
        assert_eq!((line.number, line.text, line.range), (3, "two", 1..2));
        let digest = blake3::hash("\u{feff}one\r\n\ntwo\nthree".as_bytes());
        assert_eq!(sources.digest(Path::new("f")), Some(digest));
    }

    #[test]
    fn what_has_no_end_is_not_read_for_ever() {
        let endless = Sources::default().each_line(Path::new("/dev/zero"), |_, _| true);
        assert!(matches!(endless, Err(ReadFault::Io(_))));
        assert!(matches!(Sources::default().each_line(Path::new("nowhere"), |_, _| true), Err(ReadFault::Io(_))));
    }
}
