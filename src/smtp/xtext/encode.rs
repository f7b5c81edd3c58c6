//! xtext: how ENVID and ORCPT carry any text (RFC 3461 4, RFC 6533 3).
//!
//! What came in as xtext goes on unchanged. What could not stand there (a sink or another program may have put it
//! into the envelope) is encoded, so that a value never breaks out of its parameter.

/// Encodes plain text: `+`, `=`, space, control characters and octets beyond ASCII become `+XX`.
pub fn encode(text: &str) -> String {
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { hex(b) }).collect()
}

/// A value that should be xtext already: left as it is but for octets that no xtext has.
pub fn mend(value: &str) -> String {
    let octets = value.as_bytes();
    let mut out = String::with_capacity(value.len());
    for (i, &b) in octets.iter().enumerate() {
        if is_plain(b) || (b == b'+' && is_pair(octets.get(i + 1..i + 3))) {
            out.push(char::from(b));
        } else {
            out.push_str(&hex(b));
        }
    }
    out
}

/// A `utf-8` address for ORCPT. `unicode`: the transaction has SMTPUTF8, so that the address may go as it is;
/// else what is not ASCII is embedded as `\x{…}`.
pub fn mend_utf8(address: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        let stands = match u8::try_from(c) {
            Ok(b) if b.is_ascii() => is_plain(b),
            _ => unicode && !c.is_control(),
        };
        if stands {
            out.push(c);
        } else {
            out.push_str(&format!("\\x{{{:02X}}}", u32::from(c)));
        }
    }
    out
}

fn is_plain(b: u8) -> bool {
    matches!(b, b'!'..=b'~') && b != b'+' && b != b'='
}

fn is_pair(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|pair| pair.iter().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')))
}

fn hex(b: u8) -> String {
    format!("+{b:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_and_equals_are_quoted() {
        assert_eq!(encode("a+b=c d\r\né"), "a+2Bb+3Dc+20d+0D+0A+C3+A9");
        assert_eq!(encode("bob@example.com"), "bob@example.com");
    }

    #[test]
    fn what_is_xtext_stays_and_the_rest_is_mended() {
        for (value, sent) in [
            ("a+2Bb", "a+2Bb"),
            ("a+b", "a+2Bb"),
            ("a+2b", "a+2B2b"),
            ("+", "+2B"),
            ("x NOTIFY=NEVER", "x+20NOTIFY+3DNEVER"),
            ("x\r\nRSET", "x+0D+0ARSET"),
        ] {
            assert_eq!(mend(value), sent);
        }
    }

    #[test]
    fn international_addresses_are_embedded_where_they_may_not_stand() {
        assert_eq!(mend_utf8("ü+x@b.example", false), "\\x{FC}\\x{2B}x@b.example");
        assert_eq!(mend_utf8("ü@b.example", true), "ü@b.example");
        assert_eq!(mend_utf8("\\x{FC}@b", true), "\\x{FC}@b");
        assert_eq!(mend_utf8("a b\n", true), "a\\x{20}b\\x{0A}");
    }
}
