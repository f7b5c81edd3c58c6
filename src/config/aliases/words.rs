//! The words of an aliases file, which are the same in both forms: names on the left, members on the right.

use super::super::diagnostic::Diagnostics;
use super::super::recipients::Local;
use super::super::sources::Span;
use super::member::{Member, Whom};
use super::table::Key;
use crate::mail::domain::lookup_key;
use crate::mail::{Domain, Mailbox};

/// What to do about a blank where several may stand, and where one may.
pub(super) const COMMAS: &str = "members are separated by commas";
pub(super) const QUOTES: &str = "a local part with unusual characters stands in double quotes, as in an address";

/// A member, or a file of them.
pub(super) enum Word {
    /// It stands for itself.
    Member(Member),
    /// `:include:PATH`, the path as written.
    Include(String),
}

/// A name: a local part for every local domain, an address for one, or `@domain` for whatever nobody else there is.
pub(super) fn key(text: &str, span: Span, local: &Local<'_>, found: &mut Diagnostics) -> Option<Key> {
    if let Some(domain) = text.strip_prefix('@') {
        return match Domain::parse(domain) {
            Ok(domain) if local.contains(&*domain.key()) => {
                Some(Key::InOne(format!("@{}", lookup_key(domain.as_str())).into()))
            }
            Ok(domain) => not_local(span, text, domain.as_str(), found),
            Err(error) => {
                found.error(span, format!("`{text}` is no catch-all: {error}"));
                None
            }
        };
    }
    let mailbox = match whom(text, span, QUOTES, found)? {
        Whom::Local(local) => {
            let name = Whom::Local(local).name();
            return if name.is_empty() { nameless(span, text, found) } else { Some(Key::Anywhere(name.into())) };
        }
        Whom::Address(mailbox) => mailbox,
    };
    if !local.contains(&*mailbox.domain_key()) {
        return not_local(span, text, mailbox.domain(), found);
    }
    let domain = lookup_key(mailbox.domain()).into_owned();
    let name = Whom::Address(mailbox).name();
    if name.is_empty() { nameless(span, text, found) } else { Some(Key::InOne(format!("{name}@{domain}").into())) }
}

fn not_local(span: Span, text: &str, domain: &str, found: &mut Diagnostics) -> Option<Key> {
    let told = found.error(span, format!("the domain of the alias `{text}` is not local"));
    told.help(format!("add \"{domain}\" to `domains.local`, or remove the alias"));
    None
}

fn nameless(span: Span, text: &str, found: &mut Diagnostics) -> Option<Key> {
    found.error(span, format!("the alias `{text}` has no name"));
    None
}

/// A member of an alias whose own name is `own`.
pub(super) fn member(text: &str, span: Span, own: &str, found: &mut Diagnostics) -> Option<Word> {
    // Quotes around the whole are there for its commas and blanks.
    let inner = inside_quotes(text).filter(|inner| inner.starts_with(['|', '/', ':']));
    let text = inner.as_deref().unwrap_or(text);
    if text.starts_with('|') {
        let told = found.error(span, "delivery to a command is not supported");
        told.help("name a directory that ends in `/`, and have the command read the Maildir there");
        return None;
    }
    if text.starts_with('/') {
        return folder(text, span, found).map(Word::Member);
    }
    if let Some(path) = strip_include(text) {
        let path = inside_quotes(path).unwrap_or_else(|| path.to_owned());
        return path_is_good(&path, span, found).then_some(Word::Include(path));
    }
    if let Some(plain) = text.strip_prefix('\\') {
        return mailbox_itself(plain, span, own, found).map(|whom| Word::Member(Member::Whom(whom)));
    }
    whom(text, span, COMMAS, found).map(|whom| Word::Member(Member::Whom(whom)))
}

/// Somebody, with or without what people put around an address: `alice`, `alice@example.com`, `Alice <alice@example.com>`.
/// `blank` says what to do about a blank.
pub(super) fn whom(text: &str, span: Span, blank: &str, found: &mut Diagnostics) -> Option<Whom> {
    let text = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
        Some((_, inner)) => inner,
        None => text,
    };
    // With a domain that is surely good, a local part by itself goes through the one parser of addresses.
    if let Ok(anywhere) = Mailbox::parse(&format!("{text}@x"))
        && anywhere.local() == text
    {
        return Some(Whom::Local(text.into()));
    }
    match Mailbox::parse(text) {
        Ok(mailbox) => return Some(Whom::Address(mailbox)),
        Err(error) if text.contains('@') && !text.contains(' ') => {
            found.error(span, format!("`{text}` is not an address: {error}"));
        }
        Err(_) => {
            let told = found.error(span, format!("`{text}` is neither a local part nor an address"));
            told.help(if text.contains(' ') { blank } else { QUOTES });
        }
    }
    None
}

fn strip_include(text: &str) -> Option<&str> {
    let (head, path) = text.split_at_checked(":include:".len())?;
    head.eq_ignore_ascii_case(":include:").then(|| path.trim())
}

/// A Maildir. A file that mail is appended to is locked by each program in its own way, so it is refused.
fn folder(text: &str, span: Span, found: &mut Diagnostics) -> Option<Member> {
    if text == "/dev/null" {
        return Some(Member::Nowhere);
    }
    if !text.ends_with('/') {
        let told = found.error(span, "delivery to a single file is not supported");
        told.help(format!("write a directory, ending in `/` (a Maildir): {text}/"));
        return None;
    }
    path_is_good(text, span, found).then(|| Member::Folder(std::path::Path::new(text).into()))
}

fn path_is_good(path: &str, span: Span, found: &mut Diagnostics) -> bool {
    if path.is_empty() {
        found.error(span, "the path is empty");
    } else if path.contains(char::is_control) {
        found.error(span, "the path has a control character in it");
    } else {
        return true;
    }
    false
}

/// `\alice` says: not the alias but the mailbox. Only within that alias itself is there something to tell apart.
fn mailbox_itself(plain: &str, span: Span, own: &str, found: &mut Diagnostics) -> Option<Whom> {
    let whom = whom(plain, span, COMMAS, found)?;
    if whom.name() == own {
        return Some(whom);
    }
    let told = found.error(span, format!("`\\{plain}` stands in the alias of another name"));
    told.help(format!("write `{plain}`; where that is an alias and a mailbox too, let the alias contain itself"));
    None
}

fn inside_quotes(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: &Diagnostics) -> String {
        found.iter().map(|d| d.message.clone()).collect()
    }

    fn key_of(text: &str) -> Result<String, String> {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f", text);
        let local = Local::from(["example.com", "xn--bcher-kva.example", "[ipv6:2001:db8::25]"]);
        match key(text, Span::new(id, 0..text.len()), &local, &mut found) {
            Some(Key::Anywhere(name)) => Ok(name.into()),
            Some(Key::InOne(name)) => Ok(format!("one {name}")),
            None => Err(told(&found)),
        }
    }

    #[test]
    fn names() {
        for (text, want) in [
            ("Postmaster", Ok("postmaster")),
            ("\"a B\"", Ok("a b")),
            ("\"a@b\"", Ok("a@b")),
            ("Team@EXAMPLE.com", Ok("one team@example.com")),
            ("\"a@b\"@bücher.example", Ok("one a@b@xn--bcher-kva.example")),
            ("@Bücher.example", Ok("one @xn--bcher-kva.example")),
            ("a@[IPv6:2001:db8::25]", Ok("one a@[ipv6:2001:db8::25]")),
            ("@", Err("`@` is no catch-all: the domain is empty")),
            ("@elsewhere.example", Err("the domain of the alias `@elsewhere.example` is not local")),
            ("a@elsewhere.example", Err("the domain of the alias `a@elsewhere.example` is not local")),
            ("\"\"", Err("the alias `\"\"` has no name")),
            ("\"\"@example.com", Err("the alias `\"\"@example.com` has no name")),
            ("a b", Err("`a b` is neither a local part nor an address")),
            ("", Err("`` is neither a local part nor an address")),
        ] {
            assert_eq!(key_of(text), want.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    fn member_of(text: &str) -> String {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f", text);
        match member(text, Span::new(id, 0..text.len()), "me", &mut found) {
            Some(Word::Include(path)) => format!("include {path}"),
            Some(Word::Member(Member::Whom(Whom::Local(name)))) => format!("local {name}"),
            Some(Word::Member(Member::Whom(Whom::Address(mailbox)))) => format!("address {mailbox}"),
            Some(Word::Member(Member::Folder(path))) => format!("folder {}", path.display()),
            Some(Word::Member(other)) => format!("{other:?}"),
            None => format!("error {}", told(&found)),
        }
    }

    #[test]
    fn members() {
        for (text, want) in [
            ("Alice", "local Alice"),
            ("\"a b\"", "local \"a b\""),
            ("\"a@b\"@x.example", "address \"a@b\"@x.example"),
            ("Alice Liddell <alice@x.example>", "address alice@x.example"),
            ("<alice>", "local alice"),
            ("\\me", "local me"),
            ("\\Me@example.com", "address Me@example.com"),
            ("\\you", "error `\\you` stands in the alias of another name"),
            ("/dev/null", "Nowhere"),
            ("/var/mail/team/", "folder /var/mail/team/"),
            ("\"/var/my mail/\"", "folder /var/my mail/"),
            ("/var/mail/team", "error delivery to a single file is not supported"),
            ("/var/\u{1b}/", "error the path has a control character in it"),
            ("|/usr/bin/vacation", "error delivery to a command is not supported"),
            ("\"|/usr/bin/vacation -a, b\"", "error delivery to a command is not supported"),
            ("|\"/usr/bin/vacation\"", "error delivery to a command is not supported"),
            (":include:/etc/list", "include /etc/list"),
            (":INCLUDE: list", "include list"),
            ("\":include:my list\"", "include my list"),
            (":include:\"my list\"", "include my list"),
            (":include:", "error the path is empty"),
            (":fail:", "error `:fail:` is neither a local part nor an address"),
            ("a b", "error `a b` is neither a local part nor an address"),
            ("a@b@c", "error `a@b@c` is not an address: the domain is not a valid name"),
            ("<>", "error `` is neither a local part nor an address"),
        ] {
            assert_eq!(member_of(text), want, "{text}");
        }
    }
}
