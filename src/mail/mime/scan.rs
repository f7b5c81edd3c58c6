//! Finds the parts of a message in one pass.
//!
//! A delimiter is a line of its own: two hyphens, the boundary, two more if it closes, white space (RFC 2046 5.1). One
//! whose line does not end opens no part.
//! Lines end in LF or CRLF, as readers have it. A delimiter of an outer multipart ends the inner ones, and the end of
//! the message ends all. Messages within are entered if their octets are not encoded. The time grows with the size
//! of the message, and with no more than [`DEPTH_MAX`] for each line that begins with two hyphens.

use super::error::MimeError;
use super::fields::Facts;
use super::part::{Part, Shape, TransferEncoding};
use super::view::{DEPTH_MAX, PARTS_MAX};
use crate::mail::Header;
use bytes::Bytes;

/// The parts of a message with this header and body. Their sizes and their places in the whole message are not yet
/// filled in.
pub(super) fn scan(header: &Header, body: &Bytes) -> Result<Vec<Part>, MimeError> {
    let mut scan = Scan { text: body, parts: Vec::new(), open: Vec::new() };
    let shape = Shape { blank: true, body: 0..body.len(), ..Shape::default() };
    scan.enter(header, shape)?;
    let mut at = scan.enter_message(0, 0)?;
    loop {
        let Some(found) = scan.next_delimiter(at) else {
            scan.leave(0, body.len(), body.len());
            return Ok(scan.parts);
        };
        at = scan.take(&found)?;
    }
}

struct Scan<'a> {
    text: &'a Bytes,
    parts: Vec<Part>,
    /// The parts that have not ended, from the outermost.
    open: Vec<Open>,
}

struct Open {
    part: usize,
    /// Whether its delimiters still count.
    live: bool,
}

/// A delimiter line.
struct Delimiter {
    line: usize,
    after: usize,
    /// Which of the open parts it belongs to.
    level: usize,
    closes: bool,
    /// Whether its line does.
    ends: bool,
}

impl Scan<'_> {
    fn take(&mut self, found: &Delimiter) -> Result<usize, MimeError> {
        let end = self.before(found.line);
        self.leave(found.level + 1, end, found.line);
        let Some(owner) = self.open.last_mut() else { return Ok(found.after) };
        let parent = owner.part;
        if found.closes {
            owner.live = false;
            self.parts[parent].shape.close = Some(found.line);
            return Ok(found.after);
        }
        if !found.ends {
            return Ok(found.after);
        }
        let part = self.parts.len();
        self.parts[parent].shape.children.push(part);
        self.parts[parent].is_multipart = true;
        let at = self.read_header(found.after, found.line)?;
        self.enter_message(part, at)
    }

    /// Reads the header of a new part and opens it. Returns where its body begins.
    fn read_header(&mut self, start: usize, line: usize) -> Result<usize, MimeError> {
        let (end, body) = self.header_end(start);
        let header = Header::from_raw(self.text.slice(start..end));
        let shape = Shape { header: start..end, body: body..body, blank: body > end, line, ..Shape::default() };
        self.enter(&header, shape)?;
        Ok(body)
    }

    /// Where the header that begins at `start` ends, and where its body begins.
    fn header_end(&self, start: usize) -> (usize, usize) {
        let mut at = start;
        while at < self.text.len() {
            let next = self.line_end(at);
            let line = &self.text[at..next];
            if line == b"\r\n" || line == b"\n" {
                return (at, next);
            }
            if line.starts_with(b"--") && self.delimiter_at(at).is_some() {
                return (at, at);
            }
            at = next;
        }
        (at, at)
    }

    fn enter(&mut self, header: &Header, shape: Shape) -> Result<(), MimeError> {
        let part = self.parts.len();
        if part >= PARTS_MAX {
            return Err(MimeError::TooManyParts);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(MimeError::TooDeep);
        }
        let parent = self.open.last().map(|open| open.part);
        let digest = parent.is_some_and(|p| self.parts[p].content_type == "multipart/digest");
        let facts = Facts::of(header, digest).map_err(|name| MimeError::FieldTooLong { part, name })?;
        let live = facts.boundary.is_some();
        self.parts.push(Part::new(part, parent, facts, shape));
        self.open.push(Open { part, live });
        Ok(())
    }

    /// Opens the messages that begin with the body of `part`, which is at `at`. Returns where theirs begins.
    fn enter_message(&mut self, mut part: usize, mut at: usize) -> Result<usize, MimeError> {
        while self.parts[part].holds_message() {
            let inner = self.parts.len();
            self.parts[part].shape.children.push(inner);
            at = self.read_header(at, at)?;
            part = inner;
        }
        Ok(at)
    }

    /// Ends the open parts from `level` on. `line` is where the delimiter that does it begins, `end` the place before
    /// the line break that belongs to it.
    fn leave(&mut self, level: usize, end: usize, line: usize) {
        let owner = level.checked_sub(1).and_then(|level| self.open.get(level)).map(|open| open.part);
        for open in self.open.drain(level.min(self.open.len())..).rev() {
            let parent = self.parts[open.part].parent;
            let shape = &mut self.parts[open.part].shape;
            if let Some(parent) = parent.filter(|_| shape.header.start > end && parent != owner) {
                // The delimiter of an outer multipart takes the line break before it, so the part does not even begin.
                self.parts.truncate(open.part);
                self.parts[parent].shape.children.pop();
                self.parts[parent].is_multipart &= !self.parts[parent].shape.children.is_empty();
                continue;
            }
            let reach = end.max(shape.header.start);
            if shape.body.start > reach {
                // The line break was the blank line, or the end of the header.
                shape.header.end = shape.header.end.min(reach);
                shape.body.start = reach;
                shape.blank = false;
            }
            shape.body.end = reach;
            shape.glued = reach == line && line < self.text.len();
        }
    }

    /// The first delimiter from `at` on, which is the begin of a line.
    fn next_delimiter(&self, at: usize) -> Option<Delimiter> {
        if !self.open.iter().any(|open| open.live) {
            return None;
        }
        if let Some(found) = self.delimiter_at(at) {
            return Some(found);
        }
        let rest = self.text.get(at..)?;
        memchr::memmem::find_iter(rest, b"\n--").find_map(|n| self.delimiter_at(at + n + 1))
    }

    fn delimiter_at(&self, line: usize) -> Option<Delimiter> {
        let rest = self.text.get(line..)?.strip_prefix(b"--")?;
        self.open.iter().enumerate().rev().find_map(|(level, open)| {
            let boundary = self.parts[open.part].shape.boundary.as_deref().filter(|_| open.live)?;
            let tail = rest.strip_prefix(boundary)?;
            let end = memchr::memchr(b'\n', tail).map_or(tail.len(), |n| n + 1);
            let closes = tail.starts_with(b"--");
            let blank = tail.get(if closes { 2 } else { 0 }..end)?.trim_ascii().is_empty();
            let after = line + 2 + boundary.len() + end;
            blank.then_some(Delimiter { line, after, level, closes, ends: tail.get(..end)?.ends_with(b"\n") })
        })
    }

    fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |n| at + n + 1)
    }

    /// The place before the line break that ends at `line`.
    fn before(&self, line: usize) -> usize {
        let text = &self.text[..line];
        text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).unwrap_or(text).len()
    }
}

impl Part {
    fn holds_message(&self) -> bool {
        matches!(self.content_type.as_str(), "message/rfc822" | "message/global")
            && self.encoding == TransferEncoding::Identity
            && self.shape.blank
    }
}
