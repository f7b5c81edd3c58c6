//! Character sets: reading all that `mail-parser` knows, writing UTF-8, ASCII and those of one octet each.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Octets as text. Never fails: what the set does not have becomes U+FFFD. Without a set, or if it is not known,
/// it is UTF-8 if it can be, and otherwise Windows-1252.
pub(super) fn decode(octets: &[u8], charset: Option<&str>) -> String {
    match charset {
        Some(name) if !is_ascii_name(name) => match (is_utf8_name(name), charset_decoder(name.as_bytes())) {
            (false, Some(decoder)) => decoder(octets),
            (true, _) => String::from_utf8_lossy(octets).into_owned(),
            (false, None) => unlabelled(octets),
        },
        _ => unlabelled(octets),
    }
}

/// Octets as text, only if nothing is lost or guessed.
pub(super) fn decode_exact(octets: &[u8], charset: Option<&str>) -> Option<String> {
    let known = charset
        .is_none_or(|name| is_ascii_name(name) || is_utf8_name(name) || charset_decoder(name.as_bytes()).is_some());
    let text = decode(octets, charset);
    // A set with shifts that was not understood leaves its escapes.
    (known && !text.contains(['\u{fffd}', '\u{1b}'])).then_some(text)
}

/// Text in this set, if the set can hold it and its octets can be spliced among others.
pub(super) fn encode(text: &str, charset: Option<&str>) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return charset.is_none_or(extends_ascii).then(|| text.as_bytes().to_vec());
    }
    let name = charset?;
    if is_utf8_name(name) {
        return Some(text.as_bytes().to_vec());
    }
    if !has_one_octet_each(name) {
        return None;
    }
    let decoder = charset_decoder(name.as_bytes())?;
    let upper: Vec<String> = (0x80..=0xff).map(|octet| decoder(&[octet])).collect();
    let octets: Option<Vec<u8>> = text.chars().map(|c| octet_of(c, &upper)).collect();
    // The decoders read ISO 8859 as if it were Windows, which has letters where ISO has control characters.
    let controls = !name.starts_with("windows") && !name.starts_with("cp") && !name.starts_with("koi8");
    octets.filter(|octets| decoder(octets) == text && !(controls && octets.iter().any(|o| (0x80..0xa0).contains(o))))
}

fn octet_of(c: char, upper: &[String]) -> Option<u8> {
    if c.is_ascii() {
        return u8::try_from(c).ok();
    }
    let mut buf = [0; 4];
    let c: &str = c.encode_utf8(&mut buf);
    upper.iter().position(|u| u == c).and_then(|at| u8::try_from(at + 0x80).ok())
}

fn unlabelled(octets: &[u8]) -> String {
    match (std::str::from_utf8(octets), charset_decoder(b"windows-1252")) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(decoder)) => decoder(octets),
        (Err(_), None) => String::from_utf8_lossy(octets).into_owned(),
    }
}

fn is_utf8_name(name: &str) -> bool {
    matches!(name, "utf-8" | "utf8" | "unicode-1-1-utf-8")
}

fn is_ascii_name(name: &str) -> bool {
    matches!(name, "us-ascii" | "ascii" | "ansi_x3.4-1968")
}

/// Whether ASCII text means itself in it, at least between lines. Sets with shifts return to ASCII there.
fn extends_ascii(name: &str) -> bool {
    let foreign = ["utf-16", "utf16", "utf-32", "utf32", "utf-7", "utf7", "ucs-", "unicodef", "csu", "ebcdic", "cp037"];
    !foreign.iter().any(|start| name.starts_with(start)) && name != "unicode" && name != "iso-10646-ucs-2"
}

fn has_one_octet_each(name: &str) -> bool {
    ["iso-8859-", "iso8859-", "iso_8859-", "windows-125", "cp125", "latin", "koi8"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_into_the_sets_that_can_hold_it() {
        assert_eq!(encode("é€", Some("utf-8")).unwrap(), "é€".as_bytes());
        assert_eq!(encode("é", Some("iso-8859-1")).unwrap(), [0xe9]);
        assert_eq!(encode("€", Some("iso-8859-1")), None);
        assert_eq!(encode("€", Some("windows-1252")).unwrap(), [0x80]);
        assert_eq!(encode("ж", Some("koi8-r")).unwrap(), [0xd6]);
        assert_eq!(encode("ж", Some("windows-1252")), None);
        assert_eq!(encode("é", None), None);
        assert_eq!(encode("e", Some("utf-16le")), None);
        assert_eq!(encode("e", Some("shift_jis")).unwrap(), b"e");
    }

    #[test]
    fn reading_never_fails_and_exact_reading_never_guesses() {
        assert_eq!(decode(b"caf\xe9", Some("iso-8859-1")), "café");
        assert_eq!(decode(b"caf\xe9", None), "café");
        assert_eq!(decode("café".as_bytes(), Some("us-ascii")), "café");
        assert_eq!(decode_exact(b"caf\xe9", Some("utf-8")), None);
        assert_eq!(decode_exact(b"caf\xe9", Some("x-nothing")), None);
        assert_eq!(decode_exact(b"caf\xe9", Some("iso-8859-15")).unwrap(), "café");
    }
}
