//! Replies as they go over the wire.

use mailsluice::mail::{Class, Reply};

/// A refusal for ever. Its status, which replies to HELO and EHLO lack, is of the same class.
pub(super) fn refuses(reply: &Reply) {
    assert_eq!(reply.class(), Class::Permanent, "{reply}");
    assert!(reply.status().is_none_or(|status| status.0 == 5), "{reply}");
    let mut wire = Vec::new();
    reply.write(&mut wire, true);
    let wire = String::from_utf8(wire).unwrap_or_else(|_| panic!("{reply} is no UTF-8"));
    let lines = wire.strip_suffix("\r\n").unwrap_or_else(|| panic!("{wire:?} does not end"));
    lines.split("\r\n").for_each(is_line);
}

/// Three digits, a space or dash, and text that stays within the line.
pub(super) fn is_line(line: &str) {
    let (code, text) = line.split_at_checked(3).unwrap_or_else(|| panic!("{line:?} has no code"));
    assert!(code.bytes().all(|b| b.is_ascii_digit()) && text.starts_with([' ', '-']), "{line:?}");
    assert!(line.len() <= 510 && !line.contains(char::is_control), "{line:?}");
}
