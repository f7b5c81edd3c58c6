//! Who exists: names that live in every local domain, and names that live in one.
//!
//! Names are compared without regard to ASCII case, as nearly every server does, though RFC 5321 2.4 leaves it to the
//! host; beyond ASCII, octet for octet. A user costs about 60 octets of memory, so a million cost about 60 MB.

use crate::config::aliases::Residents;
use std::borrow::Cow;
use std::collections::HashSet;

pub(super) const POSTMASTER: &str = "postmaster";

/// The listed users.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    anywhere: HashSet<Box<str>>,
    /// `name@domain`: a domain has no `@`, so the last one parts them.
    in_one: HashSet<Box<str>>,
}

impl Users {
    /// Adds a user of every local domain.
    pub(super) fn add(&mut self, name: &str) {
        self.anywhere.insert(folded(name).into());
    }

    /// Adds a user of the domain with this key.
    pub(super) fn add_at(&mut self, name: &str, domain: &str) {
        self.in_one.insert(joined(&folded(name), domain));
    }

    /// Whether `name`, which is folded, exists in the domain with this key.
    pub(super) fn has(&self, name: &str, domain: &str) -> bool {
        self.anywhere.contains(name) || (!self.in_one.is_empty() && self.in_one.contains(&joined(name, domain)))
    }
}

/// Who has a mailbox, by these users; without any, everybody has.
pub(super) struct Living<'a>(pub(super) Option<&'a Users>);

impl Residents for Living<'_> {
    fn everybody(&self) -> bool {
        self.0.is_none()
    }

    /// RFC 5321 4.5.1: the postmaster exists, listed or not.
    fn has(&self, name: &str, domain: &str) -> bool {
        self.0.map_or(!name.is_empty(), |users| name == POSTMASTER || users.has(name, domain))
    }
}

fn joined(name: &str, domain: &str) -> Box<str> {
    [name, "@", domain].concat().into()
}

/// The form of a name to look up.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_an_at_sign_is_nobody_else() {
        let mut users = Users::default();
        users.add("alice@example.com");
        users.add_at("Bob", "example.com");
        assert!(users.has("alice@example.com", "example.com"), "a quoted local part");
        assert!(!users.has("alice", "example.com"));
        assert!(users.has("bob", "example.com") && !users.has("bob", "example.net"));
    }
}
