//! A table as text, a record on each line: `mx.example. A 192.0.2.1`.
//!
//! The types are `A`, `AAAA`, `MX`, `TLSA`, `TXT` of one word, and `CNAME`. In the place of its data a record may have a trouble:
//! `SERVFAIL`, `BOGUS`, or `TIMEOUT` with its seconds. `example. SIGNED` says that all at and below that name is. What follows a `;` is a comment. Names are complete, with or without a dot at their end. There is neither a
//! class nor a time to live, and nothing of `$ORIGIN` and its like.

use super::table::{ZoneKind, ZoneRecord, ZoneTable, ZoneTrouble};
use crate::event::host::dns::RecordKind;
use crate::event::host::resolver::{Mx, Tlsa};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// The line, from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, text } = self;
        write!(
            f,
            "line {line} is no record: `{text}`; write such as `example. MX 10 mx.example.` or `example. A SERVFAIL`"
        )
    }
}

impl std::error::Error for ZoneError {}

impl FromStr for ZoneTable {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let zone = Self::new();
        for (number, line) in text.lines().enumerate() {
            let record = line.split(';').next().unwrap_or_default();
            let words: Vec<&str> = record.split_whitespace().collect();
            if !words.is_empty() {
                add(&zone, &words).ok_or_else(|| ZoneError { line: number + 1, text: line.trim().to_owned() })?;
            }
        }
        Ok(zone)
    }
}

fn add(zone: &ZoneTable, words: &[&str]) -> Option<()> {
    let [name, kind, data @ ..] = words else { return None };
    if *kind == "SIGNED" && data.is_empty() {
        zone.sign(name);
        return Some(());
    }
    let kind = match kind.eq_ignore_ascii_case("TLSA") {
        true => ZoneKind::Tlsa,
        false => RecordKind::by_name(kind)?.into(),
    };
    match trouble(data) {
        Some(trouble) => zone.fail(name, kind, trouble),
        None => zone.add(name, record(kind, data)?),
    };
    Some(())
}

fn trouble(data: &[&str]) -> Option<ZoneTrouble> {
    match data {
        ["SERVFAIL"] => Some(ZoneTrouble::ServFail),
        ["BOGUS"] => Some(ZoneTrouble::Bogus),
        ["TIMEOUT", seconds] => Some(ZoneTrouble::Timeout(Duration::from_secs(seconds.parse().ok()?))),
        _ => None,
    }
}

fn record(kind: ZoneKind, data: &[&str]) -> Option<ZoneRecord> {
    match (kind, data) {
        (ZoneKind::Of(RecordKind::A), [ip]) => ip.parse().ok().map(ZoneRecord::A),
        (ZoneKind::Of(RecordKind::Aaaa), [ip]) => ip.parse().ok().map(ZoneRecord::Aaaa),
        (ZoneKind::Of(RecordKind::Mx), [preference, host]) => {
            Some(ZoneRecord::Mx(Mx::new(preference.parse().ok()?, host)))
        }
        (ZoneKind::Of(RecordKind::Txt), [text]) => Some(ZoneRecord::Txt((*text).to_owned())),
        (ZoneKind::Tlsa, [usage, selector, matching, data]) => Some(ZoneRecord::Tlsa(Tlsa {
            usage: usage.parse().ok()?,
            selector: selector.parse().ok()?,
            matching: matching.parse().ok()?,
            data: octets(data)?,
        })),
        (ZoneKind::Of(RecordKind::Cname), [other]) => Some(ZoneRecord::Cname((*other).to_owned())),
        _ => None,
    }
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_record_is_named() {
        for line in [
            "example.",
            "example. MX",
            "example. MX mx.example.",
            "example. MX 65536 mx.example.",
            "example. A 2001:db8::1",
            "example. AAAA 192.0.2.1",
            "example. A 192.0.2.1 192.0.2.2",
            "example. A TIMEOUT",
            "example. A TIMEOUT soon",
            "example. NS ns.example.",
            "example. 60 A 192.0.2.1",
        ] {
            let text = format!("; a zone\nmx.example. a 192.0.2.1 ; a host\n\n  {line}");
            let error = text.parse::<ZoneTable>().unwrap_err();
            assert_eq!(error, ZoneError { line: 4, text: line.to_owned() });
            assert!(error.to_string().starts_with(&format!("line 4 is no record: `{line}`")), "{error}");
        }
    }
}
