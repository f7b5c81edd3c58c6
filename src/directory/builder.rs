//! Makes a [`Directory`] from settings.

use super::lookup::{Directory, mailbox_key};
use super::users::Users;
use crate::config::aliases::Aliases;
use crate::event::networks::Networks;
use crate::mail::{AddressError, Domain, Mailbox};
use ipnet::IpNet;
use std::fmt;
use std::sync::Arc;

/// Gathers what the configuration says about domains and users.
#[derive(Debug)]
pub struct Builder {
    hostname: String,
    local: Vec<String>,
    relay_to: Vec<String>,
    relay_from: Networks,
    users: Option<Users>,
    plus_addressing: bool,
    aliases: Arc<Aliases>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            local: Vec::new(),
            relay_to: Vec::new(),
            relay_from: Networks::default(),
            users: None,
            plus_addressing: true,
            aliases: Arc::default(),
        }
    }
}

impl Builder {
    /// The name of this host: where the bare postmaster lives if no domain is local.
    #[must_use]
    pub fn hostname(mut self, name: &str) -> Self {
        self.hostname = name.to_owned();
        self
    }

    /// A domain, or an address literal with its brackets, that is delivered here. The first is the postmaster's.
    #[must_use]
    pub fn local(mut self, domain: &str) -> Self {
        self.local.push(domain.to_owned());
        self
    }

    /// A domain that is accepted from anyone and handed on. Domains below it are not meant.
    #[must_use]
    pub fn relay_to(mut self, domain: &str) -> Self {
        self.relay_to.push(domain.to_owned());
        self
    }

    /// Clients that may send to any domain.
    #[must_use]
    pub fn relay_from(mut self, net: IpNet) -> Self {
        self.relay_from.insert(net);
        self
    }

    /// A user of every local domain: a local part as it is without quotes. Once a user is given, only those given exist.
    #[must_use]
    pub fn user(mut self, name: &str) -> Self {
        self.users.get_or_insert_default().add(name);
        self
    }

    /// A user of one local domain.
    #[must_use]
    pub fn user_address(mut self, address: &Mailbox) -> Self {
        self.users.get_or_insert_default().add_at(&address.local_unquoted(), &mailbox_key(address));
        self
    }

    /// Says that users are listed, even if there is none: without this and without users every local part exists.
    #[must_use]
    pub fn listed_users_only(mut self) -> Self {
        self.users.get_or_insert_default();
        self
    }

    /// Whether `alice+tag` is `alice`. True unless set.
    #[must_use]
    pub fn plus_addressing(mut self, on: bool) -> Self {
        self.plus_addressing = on;
        self
    }

    /// The aliases.
    #[must_use]
    pub fn aliases(mut self, aliases: &Arc<Aliases>) -> Self {
        self.aliases = aliases.clone();
        self
    }

    /// The directory. Fails on the first domain that is none.
    pub fn build(self) -> Result<Directory, DirectoryError> {
        let hostname = domain(&self.hostname)?;
        let local = self.local.iter().map(|d| domain(d)).collect::<Result<_, _>>()?;
        let relay_to: Vec<_> = self.relay_to.iter().map(|d| domain(d)).collect::<Result<_, _>>()?;
        Ok(Directory::new(hostname, local, &relay_to, self.relay_from, self.users, self.plus_addressing, self.aliases))
    }
}

fn domain(text: &str) -> Result<Domain, DirectoryError> {
    Domain::parse(text).map_err(|error| DirectoryError { domain: text.to_owned(), error })
}

/// A setting that names no domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryError {
    /// The text of the setting.
    pub domain: String,
    /// What is wrong with it.
    pub error: AddressError,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` can't be a local or relayed domain: {}", self.domain, self.error)
    }
}

impl std::error::Error for DirectoryError {}
