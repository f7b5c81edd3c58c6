//! Undoing the transfer encodings (RFC 2045 6.7, 6.8), of which nothing is too broken to be read.
//!
//! Octets that do not belong are skipped in base64 and kept in quoted-printable; the result says that it found such.

use super::part::TransferEncoding;
use std::borrow::Cow;

/// The decoded octets, and whether the encoding was without fault.
pub(super) fn decode(raw: &[u8], encoding: TransferEncoding) -> (Cow<'_, [u8]>, bool) {
    let mut out = Vec::new();
    let sound = match encoding {
        TransferEncoding::Identity | TransferEncoding::Unknown => return (Cow::Borrowed(raw), true),
        TransferEncoding::Base64 => {
            out.reserve(raw.len() / 4 * 3);
            base64(raw, |octet| out.push(octet))
        }
        TransferEncoding::QuotedPrintable => {
            out.reserve(raw.len());
            quoted_printable(raw, |octet| out.push(octet))
        }
    };
    (Cow::Owned(out), sound)
}

/// How many octets [`decode`] returns, and whether the encoding is without fault.
pub(super) fn measure(raw: &[u8], encoding: TransferEncoding) -> (u64, bool) {
    let mut count = 0;
    let sound = match encoding {
        TransferEncoding::Identity | TransferEncoding::Unknown => return (raw.len() as u64, true),
        TransferEncoding::Base64 => base64(raw, |_| count += 1),
        TransferEncoding::QuotedPrintable => quoted_printable(raw, |_| count += 1),
    };
    (count, sound)
}

/// Padding ends a group and not the whole, so that nothing behind it is hidden from who looks.
pub(super) fn base64(raw: &[u8], mut put: impl FnMut(u8)) -> bool {
    let (mut group, mut digits, mut sound, mut padded) = (0u32, 0, true, false);
    for &octet in raw {
        let digit = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                sound &= digits != 1;
                flush(&mut group, &mut digits, &mut put);
                padded = true;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {
                sound = false;
                continue;
            }
        };
        sound &= !padded;
        group = group << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            flush(&mut group, &mut digits, &mut put);
        }
    }
    sound &= digits == 0;
    flush(&mut group, &mut digits, &mut put);
    sound
}

fn flush(group: &mut u32, digits: &mut usize, put: &mut impl FnMut(u8)) {
    if *digits > 0 {
        let [_, octets @ ..] = (*group << (6 * (4 - *digits))).to_be_bytes();
        octets.into_iter().take(*digits * 6 / 8).for_each(put);
    }
    (*group, *digits) = (0, 0);
}

/// White space at the end of a line was added on the way and goes (RFC 2045 6.7 rule 3).
pub(super) fn quoted_printable(raw: &[u8], mut put: impl FnMut(u8)) -> bool {
    let mut sound = true;
    let mut rest = raw;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let ending = &line[text.len()..];
        let text = text.trim_ascii_end();
        match text.strip_suffix(b"=") {
            Some(text) => sound &= unescape(text, &mut put),
            None => {
                sound &= unescape(text, &mut put);
                ending.iter().copied().for_each(&mut put);
            }
        }
    }
    sound
}

fn unescape(line: &[u8], put: &mut impl FnMut(u8)) -> bool {
    let mut sound = true;
    let mut rest = line;
    while let [octet, after @ ..] = rest {
        rest = after;
        if *octet != b'=' {
            put(*octet);
            continue;
        }
        match rest {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                put(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                sound = false;
                put(b'=');
            }
        }
    }
    sound
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a') + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, encoding: TransferEncoding) -> (String, bool) {
        let (octets, sound) = decode(raw.as_bytes(), encoding);
        assert_eq!(measure(raw.as_bytes(), encoding), (octets.len() as u64, sound));
        (String::from_utf8(octets.into_owned()).unwrap(), sound)
    }

    #[test]
    fn base64_is_read_whatever_is_broken() {
        for (raw, text, sound) in [
            ("aGVs\r\nbG8=\r\n", "hello", true),
            ("aGVsbG8gd28=", "hello wo", true),
            ("", "", true),
            ("aGVsbG8", "hello", false),
            ("aG*VsbG8=", "hello", false),
            ("aGVsbG8=aGVsbG8=", "hellohello", false),
            ("a", "", false),
        ] {
            assert_eq!(read(raw, TransferEncoding::Base64), (text.to_owned(), sound), "{raw:?}");
        }
    }

    #[test]
    fn quoted_printable_is_read_whatever_is_broken() {
        for (raw, text, sound) in [
            ("a=3Db\r\nc=\r\nd", "a=b\r\ncd", true),
            ("trailing \t\r\nspace=20\r\n", "trailing\r\nspace \r\n", true),
            ("soft= \r\nbreak=", "softbreak", true),
            ("=c3=A9", "é", true),
            ("=zz=4", "=zz=4", false),
        ] {
            assert_eq!(read(raw, TransferEncoding::QuotedPrintable), (text.to_owned(), sound), "{raw:?}");
        }
    }
}
