//! A header and what is done to it: what is not meant stays octet for octet, and nothing that is put in begins a line of
//! its own.
//!
//! An input has an edit on each line (`+Name:value` on top, `>Name:value` below, `=Name:value` in place, `-Name` away; `\r`,
//! `\n` and `\0` stand for control characters), an empty line, and the header. Lines of edits end in LF.

use bytes::Bytes;
use mailsluice::mail::{Header, HeaderError};

pub(super) fn header(data: &[u8]) {
    let gap = data.windows(2).position(|two| two == b"\n\n");
    let (edits, raw) = gap.map_or((&data[..0], data), |at| (&data[..at], &data[at + 2..]));
    let mut header = Header::from_raw(Bytes::copy_from_slice(raw));
    assert_eq!(header.raw(), raw);
    for edit in String::from_utf8_lossy(edits).lines() {
        fields_are_parts(&header);
        apply(&mut header, edit);
    }
    fields_are_parts(&header);
}

/// The fields are octets of the header, in their order.
fn fields_are_parts(header: &Header) {
    let chunks = chunks(header.raw());
    let mut rest = chunks.iter();
    for field in header.fields() {
        assert!(rest.any(|chunk| *chunk == field.raw()), "{:?} is not there", field.raw().escape_ascii());
        assert!(!field.name.contains(|c: char| c.is_control() || c == ':' || c == ' '));
        assert!(!field.value().contains(['\r', '\n']));
        assert!(header.named(field.name).any(|same| same.raw() == field.raw()));
        assert!(header.get(&field.name.to_uppercase()).is_some());
    }
}

fn apply(header: &mut Header, edit: &str) {
    let Some((kind, rest)) = edit.split_at_checked(1) else { return };
    let (name, value) = rest.split_once(':').unwrap_or((rest, ""));
    let value = value.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    let before = header.clone();
    let done = match kind {
        "+" => header.prepend(name, &value),
        ">" => header.append(name, &value),
        "=" => header.set(name, &value),
        "-" => {
            let count = header.named(name).count();
            assert_eq!(header.remove(name), count);
            let kept: Vec<&[u8]> = chunks(before.raw()).into_iter().filter(|chunk| !is_named(chunk, name)).collect();
            assert_eq!(header.raw(), &kept.concat());
            return;
        }
        _ => return,
    };
    assert_eq!(Header::check(name, &value), done);
    match done {
        Ok(()) => check_put(&before, header, kind, name, &value),
        Err(error) => {
            assert_eq!(*header, before, "{error}");
            let bad = name.contains(|c: char| !c.is_ascii_graphic() || c == ':') || name.is_empty() || name.len() > 78;
            assert!(bad || !matches!(error, HeaderError::BadName(_)));
        }
    }
}

/// The field is there once, at its place, and all else is as it was.
fn check_put(before: &Header, after: &Header, kind: &str, name: &str, value: &str) {
    assert!(!value.contains(|c: char| c != '\t' && c.is_control()), "{value:?} was taken");
    let old = chunks(before.raw());
    let same = |chunk: &&[u8]| is_named(chunk, name);
    let gap: &[u8] = if before.raw().is_empty() || before.raw().ends_with(b"\r\n") { b"" } else { b"\r\n" };
    let (front, back): (Vec<&[u8]>, Vec<&[u8]>) = match kind {
        "+" => (Vec::new(), old),
        "=" if old.iter().any(same) => {
            let at = old.iter().position(same).unwrap_or_default();
            (old[..at].to_vec(), old[at..].iter().copied().filter(|chunk| !same(chunk)).collect())
        }
        _ => (vec![before.raw(), gap], Vec::new()),
    };
    let (front, back) = (front.concat(), back.concat());
    let new = after.raw().strip_prefix(&front[..]).and_then(|rest| rest.strip_suffix(&back[..]));
    let new = new.unwrap_or_else(|| panic!("{:?} has lost something", after.raw().escape_ascii()));
    is_field(new, name, value);
}

/// One field: its name, its value, folded where there were spaces, and no other line.
fn is_field(octets: &[u8], name: &str, value: &str) {
    let shown = octets.escape_ascii();
    assert_eq!(chunks(octets).len(), 1, "{shown} is more than one field");
    let text = std::str::from_utf8(octets).unwrap_or_else(|_| panic!("{shown} is no UTF-8"));
    let line = text.strip_suffix("\r\n").unwrap_or_else(|| panic!("{shown} does not end"));
    let folded = line.replace("\r\n ", " ");
    assert!(!folded.contains(['\r', '\n']), "{shown} breaks out");
    assert_eq!(folded, format!("{name}: {value}"));
    assert!(line.split("\r\n").all(|line| line.len() <= 998 && !line.trim().is_empty()), "{shown} has an empty line");
}

/// The header in whole fields, each with the lines that go on with it.
fn chunks(raw: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for (at, octet) in raw.iter().enumerate() {
        if *octet == b'\n' && !matches!(raw.get(at + 1), Some(b' ' | b'\t')) {
            chunks.push(&raw[start..=at]);
            start = at + 1;
        }
    }
    chunks.push(&raw[start..]);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

/// Whether it is a field of that name, white space before the colon or not.
fn is_named(chunk: &[u8], name: &str) -> bool {
    let Some(colon) = chunk.iter().position(|octet| *octet == b':') else { return false };
    let written = chunk[..colon].iter().rposition(|octet| !b" \t".contains(octet)).map_or(0, |last| last + 1);
    let legal = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    legal && chunk[..written].eq_ignore_ascii_case(name.as_bytes())
}
