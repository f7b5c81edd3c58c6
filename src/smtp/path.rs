//! The paths of MAIL and RCPT: `<` source route `:` mailbox `>` (RFC 5321 4.1.2).
//!
//! Source routes are checked and dropped (RFC 5321 3.3 and appendix C). The mailbox survives as written.
//!
//! One leniency, here and nowhere else: spaces between the colon and `<` are skipped. RFC 5321 3.3 forbids them,
//! but clients write them and nobody reads them in a second way.

use super::fault::{Fault, PathOf};
use crate::mail::address::PATH_MAX;
use crate::mail::{AddressError, Domain, ForwardPath, Mailbox, ReversePath};

/// What stands between the brackets.
enum Inner {
    Empty,
    Postmaster(String),
    Mailbox(Mailbox),
}

/// Reads `FROM:<path>` and returns what follows the path.
pub fn reverse(argument: &str) -> Result<(ReversePath, &str), Fault> {
    let of = PathOf::Sender;
    match bracketed(argument, "FROM:", of)? {
        (Inner::Empty, rest) => Ok((ReversePath::Null, rest)),
        (Inner::Postmaster(_), _) => Err(Fault::BadAddress(of, AddressError::NoDomain)),
        (Inner::Mailbox(mailbox), rest) => Ok((ReversePath::Mailbox(mailbox), rest)),
    }
}

/// Reads `TO:<path>` and returns what follows the path.
pub fn forward(argument: &str) -> Result<(ForwardPath, &str), Fault> {
    let of = PathOf::Recipient;
    match bracketed(argument, "TO:", of)? {
        (Inner::Empty, _) => Err(Fault::BadAddress(of, AddressError::EmptyLocal)),
        (Inner::Postmaster(text), rest) => Ok((ForwardPath::Postmaster(text.into()), rest)),
        (Inner::Mailbox(mailbox), rest) => Ok((ForwardPath::Mailbox(mailbox), rest)),
    }
}

fn bracketed<'a>(argument: &'a str, prefix: &str, of: PathOf) -> Result<(Inner, &'a str), Fault> {
    let (head, tail) = argument.split_at_checked(prefix.len()).ok_or(Fault::NoPath(of))?;
    if !head.eq_ignore_ascii_case(prefix) {
        return Err(Fault::NoPath(of));
    }
    let path = tail.trim_start_matches(' ');
    let inner = path.strip_prefix('<').ok_or(Fault::NoBrackets(of))?;
    let (inner, rest) = mailbox(inner, of)?;
    if path.len() - rest.len() > PATH_MAX {
        return Err(Fault::PathTooLong(of));
    }
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(Fault::AfterPath(of));
    }
    Ok((inner, rest))
}

/// Reads up to and with `>`.
fn mailbox(text: &str, of: PathOf) -> Result<(Inner, &str), Fault> {
    if let Some(rest) = text.strip_prefix('>') {
        return Ok((Inner::Empty, rest));
    }
    if let Some((word, rest)) = text.split_once('>')
        && word.eq_ignore_ascii_case("postmaster")
    {
        return Ok((Inner::Postmaster(word.to_owned()), rest));
    }
    let text = if text.starts_with('@') { after_route(text).ok_or(Fault::BadRoute(of))? } else { text };
    let (mailbox, rest) = Mailbox::parse_prefix(text.as_bytes()).map_err(|e| Fault::BadAddress(of, e))?;
    let rest = &text[text.len() - rest.len()..];
    let rest = rest.strip_prefix('>').ok_or(Fault::NoBrackets(of))?;
    Ok((Inner::Mailbox(mailbox), rest))
}

/// `@a,@b:` in front of a mailbox.
fn after_route(text: &str) -> Option<&str> {
    let (route, rest) = text.split_once(':')?;
    let mut hops = route.split(',').map(|hop| hop.strip_prefix('@').is_some_and(|d| Domain::parse(d).is_ok()));
    hops.all(|ok| ok).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(argument: &str) -> Result<(String, &str), Fault> {
        forward(argument).map(|(path, rest)| (path.as_str().to_owned(), rest))
    }

    #[test]
    fn paths_as_they_come() {
        assert_eq!(to("TO:<a@b>"), Ok(("a@b".into(), "")));
        assert_eq!(to("to: <A@B> X=1"), Ok(("A@B".into(), " X=1")));
        assert_eq!(to("TO:<PostMaster>"), Ok(("PostMaster".into(), "")));
        assert_eq!(to("TO:<@a,@b.c:d@e>"), Ok(("d@e".into(), "")));
        assert_eq!(to("TO:<\"a> b\"@[IPv6:::1]>"), Ok(("\"a> b\"@[IPv6:::1]".into(), "")));
        assert_eq!(reverse("FROM:<>"), Ok((ReversePath::Null, "")));
    }

    #[test]
    fn what_is_no_path() {
        let of = PathOf::Recipient;
        for (text, fault) in [
            ("", Fault::NoPath(of)),
            ("TO", Fault::NoPath(of)),
            ("TO <a@b>", Fault::NoPath(of)),
            ("FROM:<a@b>", Fault::NoPath(of)),
            ("é:<a@b>", Fault::NoPath(of)),
            ("TO:a@b", Fault::NoBrackets(of)),
            ("TO:<a@b", Fault::NoBrackets(of)),
            ("TO:<a@b c>", Fault::NoBrackets(of)),
            ("TO:<>", Fault::BadAddress(of, AddressError::EmptyLocal)),
            ("TO:<a>", Fault::BadAddress(of, AddressError::BadLocal)),
            ("TO:<a@b>X=1", Fault::AfterPath(of)),
            ("TO:<a@b><c@d>", Fault::AfterPath(of)),
            ("TO:<@a:>", Fault::BadAddress(of, AddressError::BadLocal)),
            ("TO:<@a,b:c@d>", Fault::BadRoute(of)),
            ("TO:<@:c@d>", Fault::BadRoute(of)),
            ("TO:<@a c@d>", Fault::BadRoute(of)),
        ] {
            assert_eq!(to(text), Err(fault), "{text}");
        }
        let bare = reverse("FROM:<postmaster>");
        assert_eq!(bare, Err(Fault::BadAddress(PathOf::Sender, AddressError::NoDomain)));
    }

    #[test]
    fn a_path_has_256_octets_with_its_route() {
        // `<@`, four labels with their dots, `:`, the mailbox, `>`.
        let label = "a".repeat(61);
        let path = |mailbox: &str| format!("TO:<@{label}.{label}.{label}.{label}:{mailbox}>");
        assert_eq!(path("ab@b").len(), "TO:".len() + 255);
        assert!(to(&path("abc@b")).is_ok());
        assert_eq!(to(&path("abcd@b")), Err(Fault::PathTooLong(PathOf::Recipient)));
    }
}
