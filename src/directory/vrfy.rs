//! VRFY: the mailbox behind what a client asks for (RFC 5321 3.5). Whether it is asked at all is the session's matter.

use super::lookup::{Directory, domain_key, mailbox_key};
use crate::mail::{Domain, ForwardPath, Mailbox};

/// What can be said about a name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vrfy {
    /// One user, at this mailbox (250).
    User(Mailbox),
    /// The name lives in several local domains (553).
    Ambiguous,
    /// Nobody here (550).
    Unknown,
    /// No users are listed, or the domain is not ours to know about (252).
    CannotTell,
}

impl Directory {
    /// Looks up an address, with or without brackets, or a bare user name. The mailbox is spelled as it was asked for.
    pub fn vrfy(&self, text: &str) -> Vrfy {
        if !self.lists_users() {
            return Vrfy::CannotTell;
        }
        match ForwardPath::parse(text.trim()) {
            Ok(ForwardPath::Postmaster(name)) => found(&name, self.postmaster_domain()),
            Ok(ForwardPath::Mailbox(mailbox)) => {
                let domain = mailbox_key(&mailbox);
                match (self.is_local(&domain), self.exists(&mailbox, &domain)) {
                    (false, _) => Vrfy::CannotTell,
                    (true, false) => Vrfy::Unknown,
                    (true, true) => Vrfy::User(mailbox.clone()),
                }
            }
            Err(_) => self.vrfy_name(text.trim()),
        }
    }

    /// Looks for a name in every local domain.
    fn vrfy_name(&self, name: &str) -> Vrfy {
        let mut homes = self.local_domains().iter().filter_map(|domain| {
            let mailbox = Mailbox::parse(&format!("{name}@{domain}")).ok()?;
            self.exists(&mailbox, &domain_key(domain)).then_some(mailbox)
        });
        match (homes.next(), homes.next()) {
            (Some(mailbox), None) => Vrfy::User(mailbox),
            (Some(_), Some(_)) => Vrfy::Ambiguous,
            (None, _) => Vrfy::Unknown,
        }
    }
}

fn found(name: &str, domain: &Domain) -> Vrfy {
    Mailbox::parse(&format!("{name}@{domain}")).map_or(Vrfy::Unknown, Vrfy::User)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_an_address() {
        let directory = Directory::builder()
            .local("Example.com")
            .local("example.net")
            .relay_to("uni.example")
            .user("alice")
            .user_address(&Mailbox::parse("bob@example.net").unwrap())
            .build()
            .unwrap();
        let user = |text: &str| Vrfy::User(Mailbox::parse(text).unwrap());
        for (asked, answer) in [
            ("bob", user("bob@example.net")),
            (" Bob ", user("Bob@example.net")),
            ("<alice+x@EXAMPLE.com>", user("alice+x@EXAMPLE.com")),
            ("alice", Vrfy::Ambiguous),
            ("POSTMASTER", user("POSTMASTER@Example.com")),
            ("bob@example.com", Vrfy::Unknown),
            ("carol", Vrfy::Unknown),
            ("", Vrfy::Unknown),
            ("alice@example.com alice", Vrfy::Unknown),
            ("alice\r\nRCPT TO:<x>", Vrfy::Unknown),
            ("alice@uni.example", Vrfy::CannotTell),
            ("alice@elsewhere.example", Vrfy::CannotTell),
        ] {
            assert_eq!(directory.vrfy(asked), answer, "{asked:?}");
        }
    }

    #[test]
    fn without_a_list_nothing_can_be_told() {
        let directory = Directory::builder().local("example.com").build().unwrap();
        assert_eq!(directory.vrfy("alice@example.com"), Vrfy::CannotTell);
    }
}
