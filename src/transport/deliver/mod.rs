//! One try at one next hop.
//!
//! [`Means::deliver`] ends with one outcome per recipient, in their order, and never panics or hangs: every wait has a
//! limit, and trouble of our own (a full disk, a wrong path) is a deferral, never a failure. A message can arrive
//! twice if the machine stops between the delivery and its record; it is never lost.
//!
//! Not here: which hop it is (`route`, `exchange`), when to try again (`retry`), how much goes out (`traffic`).
//!
//! * `maildir`, `drop`: files, left at a `depot` so that they survive a power cut; `path` names them.
//! * `called`: a connection that its receiver has turned round.
//! * `smtp`: SMTP and LMTP, over a `connection` that drives the machine of [`crate::smtp::client`]; `pool` keeps those that are
//!   open. `probe` asks for a recipient and sends nothing. `fit`: what the server can take; `passage`: the content on its way; `stream`: TCP or a socket of this machine, under TLS or not; `safety`, `login`: what a server has to prove, and who we are there.

mod called;
pub mod connection;
mod depot;
mod drop;
mod file;
mod fit;
mod login;
mod maildir;
mod passage;
pub mod path;
mod pool;
mod probe;
mod safety;
pub mod smtp;
mod stream;

#[cfg(test)]
mod tests;

use super::Request;
use super::ears::Ears;
use super::outcome::{Details, Outcome};
use super::security::Advisor;
use crate::disk::Files;
use crate::mail::{Domain, EnhancedCode, Envelope, ForwardPath, Id, Message, Recipient, Reply, ReversePath, TlsWish};
pub(super) use called::Called;
use depot::Depot;
pub use path::{Pattern, PatternError};
use pool::Pool;
pub use probe::Probed;
pub use safety::Safety;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use stream::Tcp;
pub use stream::{Network, Stream};

const UNFIT: Reply = Reply::new(451, EnhancedCode(4, 4, 4), "No route to this domain at present");

/// One host or place, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// A Maildir per mailbox.
    Maildir {
        /// What relative patterns are relative to.
        root: PathBuf,
        /// Where each Maildir lies.
        pattern: Pattern,
    },
    /// A drop directory: a file per message, for another program to take.
    Drop(PathBuf),
    /// `host:port`, by SMTP.
    Smtp(Arc<str>),
    /// `host:port`, or `unix:` and a path, by LMTP.
    Lmtp(Arc<str>),
    /// The hosts that the DNS names for this domain. The pass finds them; it can't be delivered to as it is.
    Mx(Arc<str>),
    /// One of those hosts, by SMTP.
    Host {
        /// Its name.
        name: Arc<str>,
        /// Its addresses, in the order in which they are tried.
        addresses: Vec<SocketAddr>,
        /// The domain whose mail it takes.
        domain: Arc<str>,
        /// That it does is proven, and so are its addresses (DNSSEC).
        secure: bool,
        /// What it has to prove; the pass finds out (`security`).
        safety: Safety,
    },
    /// A server by SMTP, and what it has to prove: a smart host.
    Relay {
        /// `host:port`.
        address: Arc<str>,
        /// What it has to prove, and who we are.
        safety: Arc<Safety>,
    },
    /// A connection that the receiver makes and has turned round. It can't be delivered to by itself.
    Turn,
    /// A sink that delivers by itself. The pass asks it; it can't be delivered to as it is.
    Sink(Arc<str>),
}

impl NextHop {
    /// The site that a turn is taken for, before the DNS has been asked; none if there is nothing to connect to.
    pub(super) fn site(&self) -> Option<&str> {
        match self {
            Self::Smtp(name)
            | Self::Lmtp(name)
            | Self::Mx(name)
            | Self::Host { name, .. }
            | Self::Relay { address: name, .. } => Some(name),
            Self::Maildir { .. } | Self::Drop(_) | Self::Turn | Self::Sink(_) => None,
        }
    }
}

/// As events and logs name it.
impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn => f.write_str("turn"),
            Self::Maildir { root, .. } | Self::Drop(root) => write!(f, "{}", root.display()),
            Self::Smtp(name)
            | Self::Lmtp(name)
            | Self::Mx(name)
            | Self::Host { name, .. }
            | Self::Relay { address: name, .. }
            | Self::Sink(name) => f.write_str(name),
        }
    }
}

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The message's id.
    pub id: Id,
    /// Our own name, for HELO and the names of files.
    pub hostname: &'a Domain,
    /// Parameters. Recipients are taken from `targets` alone, and the reverse-path from `sender`.
    pub envelope: &'a Envelope,
    /// The reverse-path for these recipients.
    pub sender: &'a ReversePath,
    /// Header and body.
    pub message: &'a Message,
    /// To whom.
    pub targets: &'a [Target<'a>],
    /// The most messages that may go over one connection, if that is less than [usual](pool).
    pub per_connection: Option<u32>,
    /// What its sender asks of the next host.
    pub request: Request,
}

/// One recipient of a job.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its place in the envelope.
    pub index: usize,
    /// The recipient.
    pub recipient: &'a Recipient,
    /// The name of its mailbox, without tag and quotes, in the case that the directory keeps. Only Maildirs look.
    pub user: &'a str,
}

/// What tries share: the depot of files, and connections that are open still.
#[derive(Clone)]
pub struct Means {
    depot: Depot,
    pool: Pool,
    /// Those over which recipients have been asked for. Deliveries have others: what a probe leaves behind must not be theirs.
    probed: Pool,
    network: Arc<dyn Network>,
    /// Says what hosts have to prove.
    pub(super) advisor: Advisor,
}

impl Means {
    /// Local deliveries go to these files.
    pub fn new(files: Arc<dyn Files>) -> Self {
        let network = Arc::new(Tcp);
        let (pool, probed, advisor) = (Pool::default(), Pool::default(), Advisor::default());
        Self { depot: Depot::new(files), pool, probed, network, advisor }
    }

    /// Hosts are reached over this network.
    pub fn over(mut self, network: Arc<dyn Network>) -> Self {
        self.network = network;
        self
    }

    /// Hosts have to prove what this one says.
    pub fn advised(mut self, advisor: Advisor) -> Self {
        self.advisor = advisor;
        self
    }

    /// The way to a server, if the hop is one.
    fn way<'a>(&'a self, pool: &'a Pool, hop: &'a NextHop) -> Option<smtp::Way<'a>> {
        let (address, known, safety) = match hop {
            NextHop::Smtp(address) => (address, None, Safety::default()),
            NextHop::Lmtp(address) => (address, None, Safety::none()),
            NextHop::Relay { address, safety } => (address, None, (**safety).clone()),
            NextHop::Host { name, addresses, safety, .. } => (name, Some(addresses.as_slice()), safety.clone()),
            NextHop::Maildir { .. } | NextHop::Drop(_) | NextHop::Mx(_) | NextHop::Turn | NextHop::Sink(_) => {
                return None;
            }
        };
        let lmtp = matches!(hop, NextHop::Lmtp(_));
        let of_domain = if let NextHop::Host { domain, .. } = hop { Some((&self.advisor, &**domain)) } else { None };
        Some(smtp::Way { pool, network: &*self.network, address, known, lmtp, safety, of_domain })
    }

    /// Asks a server whether it takes mail for this recipient, up to its reply to RCPT. `hostname`: our own name. None if the hop
    /// is no server.
    pub async fn probe(&self, hop: &NextHop, hostname: &Domain, recipient: &ForwardPath) -> Option<Probed> {
        let way = self.way(&self.probed, hop)?;
        Some(way.probe(hostname, recipient).await)
    }

    /// Tries one next hop and gives one outcome per target, in their order.
    pub async fn deliver(&self, hop: &NextHop, job: &Job<'_>) -> Vec<Outcome> {
        self.deliver_heard(hop, job, None).await
    }

    /// The same, where sinks hear what is said to a server.
    pub(super) async fn deliver_heard(
        &self,
        hop: &NextHop,
        job: &Job<'_>,
        ears: Option<&mut Ears<'_>>,
    ) -> Vec<Outcome> {
        if job.targets.is_empty() {
            return Vec::new();
        }
        match hop {
            NextHop::Maildir { root, pattern } => maildir::deliver(&self.depot, root, pattern, job).await,
            NextHop::Drop(directory) => drop::deliver(&self.depot, directory, job).await,
            server => match self.way(&self.pool, server) {
                Some(mut way) => {
                    if job.request.tls == TlsWish::Waived {
                        // Nothing was asked of TLS, whatever the domain has published: there is nothing to tell of it.
                        way.of_domain = None;
                    }
                    way.deliver(job, ears).await
                }
                None => {
                    // Passes never ask for it; a deferral loses nothing.
                    let details = Details::ours(UNFIT, format!("{server} is no hop that a connection can be made to"));
                    vec![Outcome::Deferred(details); job.targets.len()]
                }
            },
        }
    }
}
