//! xtext (RFC 3461 4) and its counterpart for internationalised addresses (RFC 6533 3).
//!
//! Values stay as they came; this only says what they stand for and whether they may stand there. A value that
//! decodes to a control character is no value: it would end up in a report.

/// The text that `value` stands for: printable ASCII and spaces. `None` if it is no xtext or stands for anything else.
pub fn decode(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let (decoded, tail) = match byte {
            b'+' => hex_pair(tail)?,
            b'=' => return None,
            b'!'..=b'~' => (byte, tail),
            _ => return None,
        };
        if !(b' '..=b'~').contains(&decoded) {
            return None;
        }
        out.push(decoded as char);
        rest = tail;
    }
    Some(out)
}

/// `+` is followed by two digits of upper-case hex.
fn hex_pair(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (high, tail) = tail.split_first()?;
    let (low, tail) = tail.split_first()?;
    Some((hex(*high)? * 16 + hex(*low)?, tail))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The text that a `utf-8` address stands for: `\x{HEX}` is a character, and `raw` (SMTPUTF8 is in force) lets
/// characters stand as they are.
pub fn decode_utf8(value: &str, raw: bool) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let decoded = match c {
            '\\' => {
                let (point, tail) = rest.strip_prefix("x{")?.split_once('}')?;
                rest = tail;
                embedded(point)?
            }
            '+' | '=' => return None,
            '!'..='~' => c,
            c if raw && !c.is_ascii() => c,
            _ => return None,
        };
        if decoded.is_control() {
            return None;
        }
        out.push(decoded);
    }
    Some(out)
}

fn embedded(point: &str) -> Option<char> {
    let digits = (2..=6).contains(&point.len()) && point.bytes().all(|b| hex(b).is_some());
    digits.then(|| u32::from_str_radix(point, 16).ok()).flatten().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_is_strict() {
        assert_eq!(decode("a+2Bb+3Dc+20d").as_deref(), Some("a+b=c d"));
        assert_eq!(decode("").as_deref(), Some(""));
        for bad in ["+", "+2", "+2b", "+G0", "a=b", "a b", "é", "+0D+0A", "+00", "+7F", "+C3"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn utf_8_addresses() {
        assert_eq!(decode_utf8(r"b\x{FC}cher@x", false).as_deref(), Some("bücher@x"));
        assert_eq!(decode_utf8("bücher@x", true).as_deref(), Some("bücher@x"));
        for bad in ["bücher@x", r"\x{0A}", r"\x{}", r"\x{D800}", r"\x{fc}", r"\xFC", "a=b", "a+b", "\\", r"\x{0000041}"]
        {
            assert_eq!(decode_utf8(bad, false), None, "{bad}");
        }
        assert_eq!(decode_utf8("a\u{85}b", true), None);
    }
}
