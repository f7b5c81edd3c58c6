//! Whose address is it: which addresses are a user's own, and which domains this server knows.

use super::lookup::{Directory, mailbox_key};
use super::users::folded;
use crate::mail::domain::Host;
use crate::mail::{ForwardPath, Mailbox, ReversePath};

impl Directory {
    /// Whether an address is the user's by its name alone: the name itself, if that is an address; else its local part at any local
    /// domain. A tag behind it is the user's, too, where tags count.
    pub fn is_own(&self, user: &str, address: &Mailbox) -> bool {
        let domain = mailbox_key(address);
        let (name, home) = match Mailbox::parse(user) {
            Ok(own) => (folded(&own.local_unquoted()).into_owned(), Some(mailbox_key(&own).into_owned())),
            Err(_) => (folded(user).into_owned(), None),
        };
        let here = home.map_or_else(|| self.is_local(&domain), |home| *home == *domain);
        let local = address.local_unquoted();
        let local = folded(&local);
        here && !name.is_empty() && (*local == *name || self.base(&local) == Some(&*name))
    }

    /// Whether the domain of a path is none that a server elsewhere could know: one word, and none of the domains that are
    /// local or relayed to (RFC 6409 4.2).
    pub fn is_unqualified(&self, mailbox: &Mailbox) -> bool {
        let Host::Name(name) = mailbox.host() else { return false };
        let word = !name.trim_end_matches('.').contains(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
        word && !self.is_ours(&mailbox_key(mailbox))
    }

    /// The same of a reverse-path; the null path has no domain.
    pub fn is_unqualified_sender(&self, path: &ReversePath) -> bool {
        path.mailbox().is_some_and(|mailbox| self.is_unqualified(mailbox))
    }

    /// The same of a forward-path; the bare postmaster has no domain.
    pub fn is_unqualified_recipient(&self, path: &ForwardPath) -> bool {
        path.mailbox().is_some_and(|mailbox| self.is_unqualified(mailbox))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory::builder().local("example.com").local("localhost").relay_to("intranet").build().unwrap()
    }

    #[test]
    fn the_name_at_a_local_domain_or_the_name_itself() {
        let directory = directory();
        for (user, address, own) in [
            ("alice", "alice@example.com", true),
            ("Alice", "ALICE@LOCALHOST", true),
            ("alice", "alice+news@example.com", true),
            ("alice", "\"alice\"@example.com", true),
            ("alice", "alicea@example.com", false),
            ("alice", "bob@example.com", false),
            ("alice", "alice@elsewhere.example", false),
            ("alice", "\"alice@example.com\"@elsewhere.example", false),
            ("alice@elsewhere.example", "alice@elsewhere.example", true),
            ("alice@elsewhere.example", "Alice+x@Elsewhere.example", true),
            ("alice@elsewhere.example", "alice@example.com", false),
            ("alice+news", "alice@example.com", false),
            ("", "\"\"@example.com", false),
        ] {
            assert_eq!(directory.is_own(user, &Mailbox::parse(address).unwrap()), own, "{user} {address}");
        }
        let strict = Directory::builder().local("example.com").plus_addressing(false).build().unwrap();
        assert!(!strict.is_own("alice", &Mailbox::parse("alice+news@example.com").unwrap()));
    }

    #[test]
    fn one_word_is_no_domain_unless_it_is_ours() {
        let directory = directory();
        for (address, unqualified) in [
            ("a@box", true),
            ("a@com", true),
            ("a@localhost", false),
            ("a@INTRANET", false),
            ("a@x.example", false),
            ("a@[192.0.2.1]", false),
        ] {
            assert_eq!(directory.is_unqualified(&Mailbox::parse(address).unwrap()), unqualified, "{address}");
        }
        assert!(!directory.is_unqualified_sender(&ReversePath::Null));
    }
}
