//! Encoded words in header fields (RFC 2047), read and made.
//!
//! Words that follow each other in one character set are joined before they are read, because senders cut letters
//! in two. What is no encoded word stays as it is.

use super::charset;
use super::{decode, encode};
use crate::mail::{Field, Header};
use std::borrow::Cow;

/// The longest encoded word that is read. RFC 2047 allows 75 octets; senders don't all keep to it.
const WORD_MAX: usize = 1000;

/// The value of the first field of that name, unfolded, encoded words decoded.
pub fn decoded_header(header: &Header, name: &str) -> Option<String> {
    header.named(name).next().map(|field| decoded(&field))
}

/// The value of a field, unfolded, encoded words decoded. Octets that are not UTF-8 are read as Windows-1252.
pub fn decoded(field: &Field<'_>) -> String {
    let raw = field.raw();
    let value = memchr::memchr(b':', raw).and_then(|colon| raw.get(colon + 1..)).unwrap_or_default();
    let text = charset::decode(value.trim_ascii(), None);
    decode_words(&text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect::<String>())
}

/// Text for the value of a field: words that are not ASCII become encoded words, the others stay as they are, so that
/// addresses among them still are addresses.
pub fn encoded(value: &str) -> Cow<'_, str> {
    if value.is_ascii() {
        return Cow::Borrowed(value);
    }
    let words: Vec<&str> = value.split(' ').collect();
    let mut out = String::new();
    let mut at = 0;
    while at < words.len() {
        // The space between two encoded words is inside of the first one: outside it does not count (RFC 2047 6.2).
        let run = words[at..].iter().take_while(|word| !word.is_ascii()).count();
        if at > 0 {
            out.push(' ');
        }
        if run == 0 {
            out.push_str(words[at]);
        } else {
            encode_run(&words[at..at + run].join(" "), &mut out);
        }
        at += run.max(1);
    }
    Cow::Owned(out)
}

/// Encoded words, none of them longer than 75 octets and none with half a letter.
fn encode_run(text: &str, out: &mut String) {
    const OCTETS: usize = 45;
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(OCTETS));
        let base64 = encode::base64(word.as_bytes());
        out.push_str("=?utf-8?B?");
        out.push_str(String::from_utf8_lossy(&base64).trim_end());
        out.push_str("?=");
        if !after.is_empty() {
            out.push(' ');
        }
        rest = after;
    }
}

/// Text with its encoded words decoded.
pub(super) fn decode_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // The words that follow each other in one set.
    let mut run: Option<(String, Vec<u8>)> = None;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let Some((charset, octets, after)) = word(from) else {
            flush(&mut out, &mut run);
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            continue;
        };
        // White space between two words does not count (RFC 2047 6.2).
        if run.is_none() || !before.trim_matches([' ', '\t']).is_empty() {
            flush(&mut out, &mut run);
            out.push_str(before);
        }
        match &mut run {
            Some((set, collected)) if *set == charset => collected.extend(octets),
            _ => {
                flush(&mut out, &mut run);
                run = Some((charset, octets));
            }
        }
        rest = after;
    }
    flush(&mut out, &mut run);
    out.push_str(rest);
    out
}

fn flush(out: &mut String, run: &mut Option<(String, Vec<u8>)>) {
    let Some((set, octets)) = run.take() else { return };
    // A decoded word is a value and not a line; nothing may break out of it.
    let inert = |c: char| if c.is_control() && c != '\t' { ' ' } else { c };
    out.extend(charset::decode(&octets, Some(&set)).chars().map(inert));
}

/// The encoded word at the start of `text`: its character set, its octets, and what follows it.
fn word(text: &str) -> Option<(String, Vec<u8>, &str)> {
    let window = text.as_bytes();
    let window = &window[..window.len().min(WORD_MAX)];
    let mut marks = memchr::memchr_iter(b'?', window).skip(1);
    let (first, second) = (marks.next()?, marks.next()?);
    let end = second + 1 + memchr::memmem::find(&window[second + 1..], b"?=")?;
    // RFC 2231 5 puts a language behind the set.
    let set = text.get(2..first)?.split('*').next().filter(|set| !set.is_empty())?;
    let data = text.get(second + 1..end)?;
    let mut octets = Vec::with_capacity(data.len());
    match text.get(first + 1..second)? {
        "B" | "b" => {
            decode::base64(data.as_bytes(), |octet| octets.push(octet));
        }
        "Q" | "q" => {
            let data = data.replace('_', "=20");
            decode::quoted_printable(data.as_bytes(), |octet| octets.push(octet));
        }
        _ => return None,
    }
    let sound = !set.contains([' ', '\t']);
    sound.then(|| (set.to_ascii_lowercase(), octets, text.get(end + 2..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn encoded_words_are_decoded_and_all_else_stays() {
        for (raw, text) in [
            ("plain  text", "plain  text"),
            ("=?utf-8?q?caf=C3=A9_noir?= !", "café noir !"),
            ("=?ISO-8859-1?B?Y2Fm6Q==?=", "café"),
            ("=?utf-8?b?Y2Fmww==?= =?UTF-8?b?qQ==?=", "café"),
            ("=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E9?= b", "aé b"),
            ("=?utf-8*de?q?a?=  =?utf-8?q?b?=", "ab"),
            ("a =?x?q =?utf-8?q?b?=", "a =?x?q b"),
            ("=?utf-8?q?a=0D=0AX:_y?=", "a  X: y"),
            ("=?", "=?"),
            ("x=?utf-8?z?a?=", "x=?utf-8?z?a?="),
            ("", ""),
        ] {
            let header = Header::from_raw(format!("Subject: {raw}\r\n").into_bytes().into());
            assert_eq!(decoded_header(&header, "subject").unwrap(), text, "{raw:?}");
        }
        let header = Header::from_raw(b"Subject: caf\xe9\r\n".as_slice().into());
        assert_eq!(decoded_header(&header, "Subject").unwrap(), "café");
    }

    #[test]
    fn what_is_encoded_is_read_back_and_addresses_stay_addresses() {
        let long = "Grüße ".repeat(40);
        for value in ["plain", "", "Jürgen Groß <a@example.com>", "a  b ü", "[ä] ö ü x", "日本語", long.trim_end()]
        {
            let encoded = encoded(value);
            assert!(encoded.is_ascii(), "{encoded}");
            assert!(encoded.split(' ').all(|word| word.len() <= 75), "{encoded}");
            let mut header = Header::from_raw(Bytes::new());
            header.append("X", &encoded).unwrap();
            assert_eq!(decoded_header(&header, "X").unwrap(), value);
        }
        assert!(encoded("Jürgen <a@example.com>").ends_with(" <a@example.com>"));
    }
}
