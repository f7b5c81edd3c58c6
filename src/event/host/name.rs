//! Which names the DNS can be asked for.
//!
//! One rule for whoever asks, whatever answers. It says nothing about whether a name exists.

use super::dns::NAME_MAX;

/// The name in ASCII, complete, without a dot at its end. Case stays. The error says what is wrong with it.
pub fn ascii(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // Longer ones can't become shorter.
    if text.is_empty() || text.len() > 4 * NAME_MAX {
        return Err("a name has 1 to 253 octets");
    }
    let ascii = if text.is_ascii() {
        text.to_owned()
    } else {
        idna::domain_to_ascii(text).map_err(|_| "the name has no ASCII form (RFC 5891)")?
    };
    // Underscores are for services (RFC 8552), slashes for reverse zones (RFC 2317).
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.');
    if !ascii.bytes().all(plain) {
        return Err("a name is of letters, digits, `-`, `_` and dots");
    }
    if ascii.len() > NAME_MAX || ascii.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err("a name has at most 253 octets, and 1 to 63 between two dots");
    }
    Ok(ascii)
}

/// The name of a host in lower case, as [`ascii`] has it, and no address in the place of one: no top-level domain is a number.
pub fn host(text: &str) -> Result<String, &'static str> {
    let name = ascii(text)?.to_ascii_lowercase();
    let is_number = name.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if is_number { Err("that is an address and not a name") } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_complete_and_in_ascii() {
        for (text, name) in [
            ("mx.example", "mx.example"),
            ("MX.example.", "MX.example"),
            ("_dmarc.example", "_dmarc.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(ascii(text).as_deref(), Ok(name));
        }
        assert_eq!(host("MX.Example.").as_deref(), Ok("mx.example"));
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        let long = "a".repeat(64);
        let many = "a.".repeat(200);
        for text in ["", ".", "a..b", ".a", "a b", "a\0b", "a\\.b", "a@b", "*", "\u{fffd}", "a..", &long, &many] {
            assert!(ascii(text).is_err() && host(text).is_err(), "{text:?}");
        }
        for text in ["192.0.2.1", "192.0.2.1.", "mx.1", "2001:db8::1"] {
            assert!(host(text).is_err(), "{text:?}");
        }
    }
}
