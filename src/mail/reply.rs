//! Replies: code, enhanced status code and text (RFC 5321 4.2, RFC 3463, RFC 2034).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

/// The longest text of one line that fits a reply line of 512 octets with code and status (RFC 5321 4.5.3.1.5).
const LINE_MAX: usize = 480;
/// The longest text that a sink or a peer can bring in, in octets over all lines.
const TEXT_MAX: usize = 2048;

/// The first digit of a reply code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 2yz.
    Positive,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: try again later.
    Transient,
    /// 5yz: don't.
    Permanent,
}

/// `class.subject.detail` (RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedCode(pub u8, pub u16, pub u16);

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The text is no status of the form `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEnhancedCode;

impl fmt::Display for BadEnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an enhanced status code looks like 5.1.1: a class of 2, 4 or 5 and two numbers below 1000")
    }
}

impl std::error::Error for BadEnhancedCode {}

impl FromStr for EnhancedCode {
    type Err = BadEnhancedCode;
    fn from_str(s: &str) -> Result<Self, BadEnhancedCode> {
        let mut parts = s.split('.').map(|p| {
            let digits = !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| p.parse::<u16>().ok()).flatten()
        });
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
            (Some(class @ (2 | 4 | 5)), Some(subject), Some(detail), None) => Ok(Self(class as u8, subject, detail)),
            _ => Err(BadEnhancedCode),
        }
    }
}

impl Serialize for EnhancedCode {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A reply. Its text holds no CR, NUL or other control character; LF parts the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    code: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<EnhancedCode>,
    text: Cow<'static, str>,
}

impl Reply {
    /// A reply of our own, with its status. For constants: the text is taken as it is.
    pub const fn new(code: u16, status: EnhancedCode, text: &'static str) -> Self {
        Self { code, status: Some(status), text: Cow::Borrowed(text) }
    }

    /// A reply of our own without a status: greeting, EHLO, 354 (RFC 2034 3 and 4).
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: None, text: text.into() }
    }

    /// A reply whose text comes from outside: bounded and stripped of control characters.
    /// LF parts lines. `code` outside of 200 to 599 becomes 554.
    pub fn foreign(code: u16, status: Option<EnhancedCode>, text: &str) -> Self {
        let code = if (200..600).contains(&code) { code } else { 554 };
        let status = status.filter(|s| u16::from(s.0) == code / 100);
        Self { code, status, text: Cow::Owned(clean(text)) }
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The status, where the reply has one.
    pub fn status(&self) -> Option<EnhancedCode> {
        self.status
    }

    /// The text, lines parted by LF.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The class of the code.
    pub fn class(&self) -> Class {
        match self.code / 100 {
            3 => Class::Intermediate,
            4 => Class::Transient,
            5 => Class::Permanent,
            _ => Class::Positive,
        }
    }

    /// Whether it says yes.
    pub fn is_positive(&self) -> bool {
        self.class() == Class::Positive
    }

    /// The same code with another text, cleaned.
    #[must_use]
    pub fn with_text(&self, text: &str) -> Self {
        Self { code: self.code, status: self.status, text: Cow::Owned(clean(text)) }
    }

    /// A refusal in the same words, for good (5xx) or for now (4xx). Of another reply, and of one of that class, it is the reply.
    #[must_use]
    pub fn in_class(&self, class: Class) -> Self {
        let first = match class {
            Class::Transient => 4,
            Class::Permanent => 5,
            Class::Positive | Class::Intermediate => return self.clone(),
        };
        if !matches!(self.class(), Class::Transient | Class::Permanent) {
            return self.clone();
        }
        let status = self.status.map(|status| EnhancedCode(first, status.1, status.2));
        Self { code: u16::from(first) * 100 + self.code % 100, status, text: self.text.clone() }
    }

    /// The same with ` (id)` after the last line.
    #[must_use]
    pub fn tagged(mut self, id: impl fmt::Display) -> Self {
        let text = self.text.to_mut();
        text.push_str(&format!(" ({id})"));
        self
    }

    /// Appends the octets as they go over the wire. `statuses`: whether the client was offered ENHANCEDSTATUSCODES.
    pub fn write(&self, out: &mut Vec<u8>, statuses: bool) {
        let mut lines = self.text.split('\n').flat_map(|line| Wrapped(Some(line))).peekable();
        while let Some(line) = lines.next() {
            let dash = if lines.peek().is_some() { '-' } else { ' ' };
            // Writing to a Vec can't fail.
            let _ = write!(out, "{}{dash}", self.code);
            if statuses && let Some(status) = self.status {
                let _ = write!(out, "{status} ");
            }
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// One line, as an operator reads it.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        self.text.split('\n').try_for_each(|line| write!(f, " {line}"))
    }
}

fn clean(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end_matches(['\r', '\n']).chars().filter(|&c| c == '\n' || !c.is_control()).collect()
}

/// A line cut into pieces that fit a reply line.
struct Wrapped<'a>(Option<&'a str>);

impl<'a> Iterator for Wrapped<'a> {
    type Item = &'a str;
    fn next(&mut self) -> Option<&'a str> {
        let line = self.0.take()?;
        if line.len() <= LINE_MAX {
            return Some(line);
        }
        let mut cut = LINE_MAX;
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        self.0 = Some(&line[cut..]);
        Some(&line[..cut])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply, statuses: bool) -> String {
        let mut out = Vec::new();
        reply.write(&mut out, statuses);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_and_many() {
        let reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user");
        assert_eq!(wire(&reply, true), "550 5.1.1 No such user\r\n");
        assert_eq!(wire(&reply, false), "550 No such user\r\n");
        assert_eq!(wire(&Reply::foreign(451, None, "a\nb"), true), "451-a\r\n451 b\r\n");
        assert_eq!(wire(&reply.tagged("X"), true), "550 5.1.1 No such user (X)\r\n");
    }

    #[test]
    fn foreign_text_can_not_break_out() {
        assert_eq!(wire(&Reply::foreign(550, None, "a\r\n250 ok\0\x07"), true), "550-a\r\n550 250 ok\r\n");
        assert_eq!(Reply::foreign(999, None, "x").code(), 554);
        assert_eq!(Reply::foreign(550, Some(EnhancedCode(2, 0, 0)), "x").status(), None);
        let long = wire(&Reply::foreign(550, None, &"ä".repeat(3000)), true);
        assert!(long.lines().all(|l| l.len() <= 510) && long.len() < 2200, "{}", long.len());
    }

    #[test]
    fn statuses_parse_strictly() {
        assert_eq!("5.1.1".parse(), Ok(EnhancedCode(5, 1, 1)));
        for bad in ["", "5", "5.1", "3.1.1", "5.1.1.1", "5.1.1000", "5.+1.1", "x.1.1"] {
            assert_eq!(bad.parse::<EnhancedCode>(), Err(BadEnhancedCode), "{bad}");
        }
    }
}
