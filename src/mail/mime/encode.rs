//! Applying transfer encodings (RFC 2045 6) so that what is decoded again is the same octets.
//!
//! What comes out has no bare CR or LF, no line over the limits, and, encoded, no line that begins with two hyphens.

use super::part::TransferEncoding;

/// No line may be longer than this, without its CRLF (RFC 5322 2.1.1).
const LINE_MAX: usize = 998;
/// The longest encoded line (RFC 2045 6.7 rule 5, 6.8).
const ENCODED_MAX: usize = 76;

/// Base64 in lines, without a line break at the end.
pub(super) fn base64(octets: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(octets.len() / 57 * 78 + 80);
    for (i, line) in octets.chunks(ENCODED_MAX / 4 * 3).enumerate() {
        if i > 0 {
            out.extend_from_slice(b"\r\n");
        }
        for group in line.chunks(3) {
            let octet = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
            let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
            for i in 0..4 {
                let digit = (bits >> (18 - 6 * i)) as usize & 63;
                out.push(if i <= group.len() { DIGITS[digit] } else { b'=' });
            }
        }
    }
    out
}

/// Quoted-printable. CRLF stays a line break; bare CR and LF are quoted. A hyphen that begins a line is quoted if
/// another follows, so that no boundary can come about.
pub fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 8);
    let mut column = 0;
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        let next = octets.get(at + 1).copied();
        if octet == b'\r' && next == Some(b'\n') {
            out.extend_from_slice(b"\r\n");
            (column, at) = (0, at + 2);
            continue;
        }
        let line_ends = next.is_none() || octets[at + 1..].starts_with(b"\r\n");
        // The hyphen may come to begin a line by a soft break; then it is as dangerous.
        let room = ENCODED_MAX - usize::from(!line_ends);
        let first = column == 0 || column + 1 > room;
        let plain = match octet {
            b' ' | b'\t' => !line_ends,
            b'-' => !(first && next == Some(b'-')),
            b'=' => false,
            _ => octet.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        if column + width > room {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if plain {
            out.push(octet);
        } else {
            out.extend_from_slice(format!("={octet:02X}").as_bytes());
        }
        column += width;
        at += 1;
    }
    out
}

/// Whether octets can stand as they are: lines that end in CRLF and are not too long, no NUL, and nothing but ASCII
/// unless `eight_bit`.
pub fn is_clean(octets: &[u8], eight_bit: bool) -> bool {
    if !eight_bit && !octets.is_ascii() || memchr::memchr(0, octets).is_some() {
        return false;
    }
    let mut rest = octets;
    loop {
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        if end > LINE_MAX {
            return false;
        }
        match &rest[end..] {
            [] => return true,
            [b'\r', b'\n', after @ ..] => rest = after,
            _ => return false,
        }
    }
}

/// Whether a line begins with two hyphens and one of these.
pub(super) fn has_delimiter(octets: &[u8], boundaries: &[&[u8]]) -> bool {
    octets.split(|&b| b == b'\n').filter_map(|line| line.strip_prefix(b"--")).any(|line| {
        // What new boundaries begin with counts too.
        line.starts_with(super::boundary::PREFIX) || boundaries.iter().any(|b| line.starts_with(b))
    })
}

/// Text with every line break made CRLF, and without NUL.
pub(super) fn crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            '\0' => {}
            c => out.push(c),
        }
    }
    out
}

/// The name of an encoding in a field; of what needs none, the one that fits the octets.
pub(super) fn label(encoding: TransferEncoding, octets: &[u8]) -> &'static str {
    match encoding {
        TransferEncoding::QuotedPrintable => "quoted-printable",
        TransferEncoding::Base64 | TransferEncoding::Unknown => "base64",
        TransferEncoding::Identity if octets.is_ascii() => "7bit",
        TransferEncoding::Identity => "8bit",
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::*;
    use proptest::prelude::*;

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![Just(b'-'), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'='), any::<u8>(), Just(b'a')];
        prop_oneof![prop::collection::vec(octet, 0..300), "([ -~]{0,200}\r\n){0,5}".prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(octets in octets()) {
            for (encoded, encoding) in [
                (base64(&octets), TransferEncoding::Base64),
                (quoted_printable(&octets), TransferEncoding::QuotedPrintable),
            ] {
                prop_assert_eq!(decode(&encoded, encoding), (octets.clone().into(), true));
                prop_assert!(is_clean(&encoded, false));
                let text = String::from_utf8(encoded).unwrap();
                prop_assert!(text.split("\r\n").all(|l| l.len() <= ENCODED_MAX && !l.starts_with("--")), "{}", text);
                let theirs = match encoding {
                    TransferEncoding::Base64 => mail_parser::decoders::base64::base64_decode(text.as_bytes()),
                    _ => mail_parser::decoders::quoted_printable::quoted_printable_decode(text.as_bytes()),
                };
                prop_assert_eq!(theirs, Some(octets.clone()));
            }
        }
    }

    #[test]
    fn only_clean_lines_stand_as_they_are() {
        for (text, clean) in [
            ("", true),
            ("a\r\nb", true),
            ("a\nb", false),
            ("a\rb", false),
            ("a\r", false),
            ("a\0", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(is_clean(text.as_bytes(), false), clean, "{text:?}");
        }
        assert!(is_clean("\u{e9}".as_bytes(), true));
        assert!(!is_clean(&[b'x'; 999], true));
        assert_eq!(crlf("a\nb\rc\r\nd\0"), "a\r\nb\r\nc\r\nd");
    }
}
