//! The look-ups: the standing of a recipient, and the user that an address means.

use super::builder::Builder;
use super::users::{Living, POSTMASTER, Users, folded};
use crate::config::aliases::{Aliases, Residents};
use crate::event::networks::Networks;
use crate::mail::domain::lookup_key;
use crate::mail::{Domain, ForwardPath, Mailbox, Standing};
use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Domains, users and the clients that may relay, as one configuration has them.
#[derive(Clone, Debug)]
pub struct Directory {
    hostname: Domain,
    /// In the order of the configuration; `local_keys` has the same to look up.
    local: Vec<Domain>,
    local_keys: HashSet<Box<str>>,
    relay_to: HashSet<Box<str>>,
    relay_from: Networks,
    /// None: every local part exists.
    users: Option<Users>,
    plus_addressing: bool,
    aliases: Arc<Aliases>,
}

/// A user of a local domain: where mail is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name without quotes and tag, ASCII letters in lower case. Not fit for a path as it is: it may hold any
    /// character that a local part may.
    pub name: String,
    /// The domain's key: lower case, A-labels, or a literal in its shortest form with brackets.
    pub domain: String,
}

impl Directory {
    /// Starts one: nothing is local, nobody may relay, plus-addressing is on.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn new(
        hostname: Domain,
        local: Vec<Domain>,
        relay_to: &[Domain],
        relay_from: Networks,
        users: Option<Users>,
        plus_addressing: bool,
        aliases: Arc<Aliases>,
    ) -> Self {
        let keys = |domains: &[Domain]| domains.iter().map(|d| domain_key(d).into()).collect();
        let (local_keys, relay_to) = (keys(&local), keys(relay_to));
        Self { hostname, local, local_keys, relay_to, relay_from, users, plus_addressing, aliases }
    }

    /// Whether this client may send to any domain.
    pub fn relays_from(&self, client: IpAddr) -> bool {
        self.relay_from.contains(client)
    }

    /// How a recipient stands. `client` is None at the doors that have none; `authenticated` says that the client, or
    /// whoever uses such a door, may send to any domain.
    pub fn standing(&self, path: &ForwardPath, client: Option<IpAddr>, authenticated: bool) -> Standing {
        let ForwardPath::Mailbox(mailbox) = path else { return Standing::Local };
        let domain = mailbox_key(mailbox);
        if self.local_keys.contains(&*domain) {
            return if self.exists(mailbox, &domain) { Standing::Local } else { Standing::Unknown };
        }
        let may_relay =
            || authenticated || client.is_some_and(|c| self.relays_from(c)) || self.relay_to.contains(&*domain);
        if may_relay() { Standing::Relay } else { Standing::Denied }
    }

    /// The user that a recipient means, if it is local and exists: one with a mailbox. An alias has none, even if a user is
    /// called the same, unless it contains itself.
    pub fn user(&self, path: &ForwardPath) -> Option<User> {
        let ForwardPath::Mailbox(mailbox) = path else {
            let domain = domain_key(self.postmaster_domain()).into_owned();
            if self.is_hidden(POSTMASTER, &domain) {
                return None;
            }
            return Some(User { name: POSTMASTER.to_owned(), domain });
        };
        let domain = mailbox_key(mailbox);
        if !self.local_keys.contains(&*domain) {
            return None;
        }
        let local = mailbox.local_unquoted();
        let local = folded(&local);
        if self.is_hidden(&local, &domain) {
            return None;
        }
        let name = self.resident(&local, &domain)?.to_owned();
        Some(User { name, domain: domain.into_owned() })
    }

    /// Whether users are listed. If not, every local part exists, and nothing can be said about any.
    pub fn lists_users(&self) -> bool {
        self.users.is_some()
    }

    /// The domains that are delivered here, as configured, in their order.
    pub fn local_domains(&self) -> &[Domain] {
        &self.local
    }

    /// Where `<Postmaster>` without a domain lives: the first local domain, or this host.
    pub fn postmaster_domain(&self) -> &Domain {
        self.local.first().unwrap_or(&self.hostname)
    }

    /// Whether the mailbox, whose domain is local and has this key, exists or is an alias.
    pub(super) fn exists(&self, mailbox: &Mailbox, domain: &str) -> bool {
        let local = mailbox.local_unquoted();
        let local = folded(&local);
        self.resident(&local, domain).is_some() || self.alias(&local, domain).is_some()
    }

    /// Whether the domain is delivered here.
    pub(super) fn is_local(&self, domain: &str) -> bool {
        self.local_keys.contains(domain)
    }

    /// Whether mail for the domain is taken from anyone.
    pub(super) fn is_ours(&self, domain: &str) -> bool {
        self.is_local(domain) || self.relay_to.contains(domain)
    }

    pub(super) fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    pub(super) fn users(&self) -> Option<&Users> {
        self.users.as_ref()
    }

    /// The folded local part without its tag, where tags count.
    pub(super) fn base<'a>(&self, local: &'a str) -> Option<&'a str> {
        local.split('+').next().filter(|base| self.plus_addressing && !base.is_empty())
    }

    /// The name, without its tag, under which the folded local part lives in a local domain.
    fn resident<'a>(&self, local: &'a str, domain: &str) -> Option<&'a str> {
        let (base, living) = (self.base(local), Living(self.users()));
        if living.everybody() {
            return Some(base.unwrap_or(local)).filter(|name| !name.is_empty());
        }
        let exists = |name: &&str| living.has(name, domain);
        Some(local).filter(exists).or_else(|| base.filter(exists))
    }
}

pub(super) fn domain_key(domain: &Domain) -> Cow<'_, str> {
    lookup_key(domain.as_str())
}

pub(super) fn mailbox_key(mailbox: &Mailbox) -> Cow<'_, str> {
    lookup_key(mailbox.domain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Denied, Local, Relay, Unknown};

    /// Two local domains and two literals, one domain relayed to, one network that may relay.
    fn settings() -> Builder {
        Directory::builder()
            .hostname("mx.example.com")
            .local("Example.com")
            .local("bücher.example")
            .local("[192.0.2.25]")
            .local("[IPv6:2001:db8::25]")
            .relay_to("uni.example")
            .relay_from("10.0.0.0/8".parse().unwrap())
    }

    fn listed() -> Directory {
        let bob = Mailbox::parse("Bob@xn--bcher-kva.example").unwrap();
        settings().user("alice").user("a").user("a+b").user("o'brien").user("a@b").user_address(&bob).build().unwrap()
    }

    fn from_outside(directory: &Directory, path: &str) -> Standing {
        let path = ForwardPath::parse(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        directory.standing(&path, Some("198.51.100.7".parse().unwrap()), false)
    }

    fn name_of(directory: &Directory, path: &str) -> Option<String> {
        directory.user(&ForwardPath::parse(path).unwrap()).map(|u| format!("{} at {}", u.name, u.domain))
    }

    /// No spelling leads through here to a domain that is not ours (RFC 5321 3.6.1, 7.1). Source routes never get
    /// this far: the command's parser drops them, and a mailbox can't hold one.
    #[test]
    fn not_an_open_relay_in_any_spelling() {
        let (listed, open) = (listed(), settings().build().unwrap());
        for (path, with_list, without) in [
            // Somebody else's, however it is dressed up.
            ("a@evil.example", Denied, Denied),
            ("alice%example.com@evil.example", Denied, Denied),
            ("\"alice@example.com\"@evil.example", Denied, Denied),
            ("example.com!alice@evil.example", Denied, Denied),
            ("alice@example.com.evil.example", Denied, Denied),
            ("alice@evilexample.com", Denied, Denied),
            ("alice@sub.example.com", Denied, Denied),
            ("alice@example", Denied, Denied),
            ("alice@com", Denied, Denied),
            ("alice@sub.uni.example", Denied, Denied),
            ("alice@[192.0.2.26]", Denied, Denied),
            ("alice@[127.0.0.1]", Denied, Denied),
            ("alice@192.0.2.25", Denied, Denied),
            ("alice@[IPv6:::ffff:192.0.2.25]", Denied, Denied),
            ("alice@[x-example:example.com]", Denied, Denied),
            ("alice@mx.example.com", Denied, Denied),
            ("postmaster@evil.example", Denied, Denied),
            ("alice@xn--example.com", Denied, Denied),
            ("alice@examp\u{13a}e.com", Denied, Denied),
            ("=?utf-8?q?alice=40example.com=2c?=@evil.example", Denied, Denied),
            // Ours: what stands before the last `@` is a name and nothing more.
            ("a%evil.example@example.com", Unknown, Local),
            ("alice%evil.example@example.com", Unknown, Local),
            ("\"a@evil.example\"@example.com", Unknown, Local),
            ("\"@evil.example:a@x\"@example.com", Unknown, Local),
            ("evil.example!a@example.com", Unknown, Local),
            ("\"evil.example!a\"@example.com", Unknown, Local),
            ("=?utf-8?q?a=40evil.example=2c?=@example.com", Unknown, Local),
            ("\"alice\\@evil.example\"@example.com", Unknown, Local),
            ("alice@EXAMPLE.COM", Local, Local),
            ("\"alice\"@example.com", Local, Local),
            ("\"a\\lice\"@example.com", Local, Local),
            ("alice@ｅｘａｍｐｌｅ.com", Local, Local),
            ("bob@B\u{dc}CHER.example", Local, Local),
            ("bob@XN--BCHER-KVA.example", Local, Local),
            ("alice@[192.0.2.25]", Local, Local),
            ("alice@[ipv6:2001:0DB8:0::25]", Local, Local),
            // Handed on, and only the domain itself.
            ("anyone@UNI.example", Relay, Relay),
            ("a%evil.example@uni.example", Relay, Relay),
        ] {
            assert_eq!(from_outside(&listed, path), with_list, "{path}, users listed");
            assert_eq!(from_outside(&open, path), without, "{path}, no users listed");
        }
    }

    #[test]
    fn some_clients_may_send_anywhere_but_not_to_nobody() {
        let directory = listed();
        let standing = |path: &str, client: Option<&str>, authenticated| {
            directory.standing(&ForwardPath::parse(path).unwrap(), client.map(|c| c.parse().unwrap()), authenticated)
        };
        for (client, authenticated, far) in [
            (Some("10.1.2.3"), false, Relay),
            (Some("::ffff:10.1.2.3"), false, Relay),
            (Some("11.1.2.3"), false, Denied),
            (Some("::10.1.2.3"), false, Denied),
            (None, false, Denied),
            (None, true, Relay),
            (Some("198.51.100.7"), true, Relay),
        ] {
            assert_eq!(standing("a@far.example", client, authenticated), far, "{client:?} {authenticated}");
            assert_eq!(standing("nobody@example.com", client, authenticated), Unknown);
            assert_eq!(standing("alice@example.com", client, authenticated), Local);
        }
        let closed = Directory::builder().build().unwrap();
        let loopback = Some("127.0.0.1".parse().unwrap());
        assert_eq!(closed.standing(&ForwardPath::parse("a@b").unwrap(), loopback, false), Denied, "no default");
    }

    /// RFC 5321 4.5.1.
    #[test]
    fn the_postmaster_always_exists() {
        let directory = listed();
        for path in ["<Postmaster>", "POSTMASTER", "PostMaster@bücher.example", "\"postmaster\"@[192.0.2.25]"] {
            assert_eq!(from_outside(&directory, path), Local, "{path}");
        }
        assert_eq!(name_of(&directory, "<PostMaster>").as_deref(), Some("postmaster at example.com"));
        let bare = Directory::builder().hostname("MX.example.com").listed_users_only().build().unwrap();
        assert_eq!(name_of(&bare, "Postmaster").as_deref(), Some("postmaster at mx.example.com"));
        assert_eq!(from_outside(&bare, "Postmaster"), Local);
    }

    #[test]
    fn a_tag_is_cut_off_if_the_whole_does_not_exist() {
        let directory = listed();
        for (path, user) in [
            ("Alice+News+More@example.com", Some("alice at example.com")),
            ("\"alice+a b\"@example.com", Some("alice at example.com")),
            ("a+b@example.com", Some("a+b at example.com")),
            ("a+c@example.com", Some("a at example.com")),
            ("+alice@example.com", None),
            ("O'Brien@example.com", Some("o'brien at example.com")),
            ("bob+x@B\u{fc}cher.example", Some("bob at xn--bcher-kva.example")),
            ("bob@example.com", None),
            ("\"a@b\"@example.com", Some("a@b at example.com")),
            ("alice@[IPv6:2001:db8:0:0::25]", Some("alice at [ipv6:2001:db8::25]")),
            ("alice@uni.example", None),
            ("postmaster+x@example.com", Some("postmaster at example.com")),
        ] {
            assert_eq!(name_of(&directory, path).as_deref(), user, "{path}");
        }
        let plain = settings().user("alice").plus_addressing(false).build().unwrap();
        assert_eq!(name_of(&plain, "alice+x@example.com"), None);
    }

    #[test]
    fn without_a_list_every_name_exists_but_the_empty_one() {
        let directory = settings().build().unwrap();
        for (path, user) in [
            ("Anyone+tag@example.com", Some("anyone at example.com")),
            ("+tag@example.com", Some("+tag at example.com")),
            ("\"\"@example.com", None),
        ] {
            assert_eq!(name_of(&directory, path).as_deref(), user, "{path}");
        }
        let nobody = settings().listed_users_only().build().unwrap();
        assert_eq!(name_of(&nobody, "anyone@example.com"), None, "an empty list is a list");
    }

    #[test]
    fn a_setting_that_is_no_domain_is_refused() {
        for bad in ["", "example.com.", "*.example.com", "a@b", "[300.0.0.1]", "bad domain"] {
            let error = Directory::builder().local(bad).build().unwrap_err();
            assert_eq!(error.domain, bad);
            assert!(Directory::builder().relay_to(bad).build().is_err(), "{bad}");
        }
    }
}
