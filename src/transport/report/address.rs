//! Addresses with their types: `rfc822; address` (RFC 3464 2.1.2), `utf-8; address` (RFC 6533 3).
//!
//! A report that may have only ASCII embeds the other characters as `\x{…}`.

use crate::mail::{ForwardPath, Recipient};
use crate::smtp::xtext;

/// What the sender called the recipient: ORCPT, or the address before it was rewritten here. None if that is where it still goes
/// (RFC 3461 6.3), and if ORCPT can't be read.
pub(super) fn original(recipient: &Recipient, unicode: bool) -> Option<String> {
    let Some(orcpt) = &recipient.orcpt else {
        return recipient.original.as_ref().map(|path| typed(path.as_str(), unicode));
    };
    let kind = orcpt.kind.as_str();
    if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let address = match kind.eq_ignore_ascii_case("utf-8") {
        false => xtext::decode(&orcpt.address)?,
        true => {
            let plain = xtext::decode_utf8(&orcpt.address, true)?;
            if unicode { plain } else { xtext::mend_utf8(&orcpt.address, false) }
        }
    };
    Some(format!("{kind}; {address}"))
}

/// Where it goes.
pub(super) fn last(path: &ForwardPath, hostname: &str, unicode: bool) -> String {
    match path {
        // An address has a domain, and it is ours that was meant.
        ForwardPath::Postmaster(name) => typed(&format!("{name}@{hostname}"), unicode),
        ForwardPath::Mailbox(mailbox) => typed(mailbox.as_str(), unicode),
    }
}

/// Whether any of the recipient's addresses is more than ASCII.
pub(super) fn is_international(recipient: &Recipient) -> bool {
    let orcpt = recipient.orcpt.as_ref().filter(|o| o.kind.eq_ignore_ascii_case("utf-8"));
    let paths = std::iter::once(&recipient.path).chain(&recipient.original);
    paths.into_iter().any(|path| !path.as_str().is_ascii())
        || orcpt.and_then(|o| xtext::decode_utf8(&o.address, true)).is_some_and(|plain| !plain.is_ascii())
}

fn typed(address: &str, unicode: bool) -> String {
    match (address.is_ascii(), unicode) {
        (true, _) => format!("rfc822; {address}"),
        (false, true) => format!("utf-8; {address}"),
        // A backslash would start an embedded character.
        (false, false) => format!("utf-8; {}", xtext::mend_utf8(&address.replace('\\', "\\x{5C}"), false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{OriginalRecipient, Standing};

    fn recipient(path: &str, original: Option<&str>, orcpt: Option<(&str, &str)>) -> Recipient {
        let mut recipient = Recipient::new(ForwardPath::parse(path).unwrap(), Standing::Relay);
        recipient.original = original.map(|path| ForwardPath::parse(path).unwrap());
        recipient.orcpt = orcpt.map(|(kind, address)| OriginalRecipient { kind: kind.into(), address: address.into() });
        recipient
    }

    #[test]
    fn what_the_sender_called_it() {
        for (original_path, orcpt, ascii, unicode) in [
            (None, None, None, None),
            (Some("a@x"), None, Some("rfc822; a@x"), Some("rfc822; a@x")),
            (Some("ü+1@x"), None, Some("utf-8; \\x{FC}\\x{2B}1@x"), Some("utf-8; ü+1@x")),
            (Some("a@x"), Some(("rfc822", "b+2Bc@x")), Some("rfc822; b+c@x"), Some("rfc822; b+c@x")),
            (None, Some(("UTF-8", "\\x{FC}@x")), Some("UTF-8; \\x{FC}@x"), Some("UTF-8; ü@x")),
            (None, Some(("utf-8", "ü@x")), Some("utf-8; \\x{FC}@x"), Some("utf-8; ü@x")),
            (None, Some(("x400", "/C+3Dxx/")), Some("x400; /C=xx/"), Some("x400; /C=xx/")),
            (None, Some(("rfc822", "a+0D+0AX: y")), None, None),
            (None, Some(("rfc822; x", "a@x")), None, None),
        ] {
            let recipient = recipient("c@y", original_path, orcpt);
            assert_eq!(original(&recipient, false).as_deref(), ascii, "{orcpt:?}");
            assert_eq!(original(&recipient, true).as_deref(), unicode, "{orcpt:?}");
        }
    }

    #[test]
    fn where_it_goes() {
        let of = |path: &str, unicode| last(&ForwardPath::parse(path).unwrap(), "mx.example.com", unicode);
        assert_eq!(of("a@x", true), "rfc822; a@x");
        assert_eq!(of("ü@x", true), "utf-8; ü@x");
        assert_eq!(of("\"ü\\\"\"@x", false), "utf-8; \"\\x{FC}\\x{5C}\"\"@x");
        assert_eq!(of("Postmaster", false), "rfc822; Postmaster@mx.example.com");
    }

    #[test]
    fn international_is_any_of_them() {
        for (path, original, orcpt, yes) in [
            ("a@x", None, None, false),
            ("ü@x", None, None, true),
            ("a@x", Some("ü@x"), None, true),
            ("a@x", None, Some(("utf-8", "\\x{FC}@x")), true),
            ("a@x", None, Some(("utf-8", "a@x")), false),
            ("a@x", None, Some(("rfc822", "a@x")), false),
        ] {
            assert_eq!(is_international(&recipient(path, original, orcpt)), yes, "{path} {original:?} {orcpt:?}");
        }
    }
}
