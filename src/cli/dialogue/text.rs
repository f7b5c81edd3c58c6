//! The spelling of dialogues: octets that text can't show, and lines that are not known word for word.

/// Whether the line fits the pattern, in which `*` stands for any text.
pub(super) fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The octets of an escaped text. Nothing if an escape is not known.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let kind = rest.chars().next()?;
        rest = &rest[kind.len_utf8()..];
        match kind {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            '0' => out.push(0),
            '\\' => out.push(b'\\'),
            'x' => {
                let (hex, tail) = rest.split_at_checked(2)?;
                out.push(u8::from_str_radix(hex, 16).ok()?);
                rest = tail;
            }
            '*' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let times: usize = rest[..digits].parse().ok()?;
                rest = &rest[digits..];
                let octet = *out.last()?;
                out.extend(std::iter::repeat_n(octet, times.checked_sub(1)?));
            }
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("250 *", "250 2.0.0 ok") && matches("250 *", "250 ") && matches("250", "250"));
        assert!(matches("a*b*c", "aXbYc") && !matches("a*b*c", "aXcYb") && !matches("250", "250 ok"));
        assert_eq!(unescape(r"a\*3\r\n\x16\0\\"), Some(b"aaa\r\n\x16\0\\".to_vec()));
        assert_eq!(unescape(r"\q"), None);
    }
}
