//! The snapshot: settings, directory and bindings in force, as one immutable whole with a generation number.
//!
//! A reload builds a new one beside the old and exchanges one pointer. Whoever works on a session, a transaction or a pass
//! holds the snapshot that it pinned, and the old one goes when its last user ends.

mod auth;
mod profile;

use crate::config::Settings;
use crate::config::recipients::User;
use crate::directory::Directory;
use crate::event::{Dispatcher, Registered};
use crate::smtp::Profile;
use crate::tls;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::watch;

/// Everything that decides what happens to mail.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts snapshots from 1.
    pub generation: u64,
    /// The configuration.
    pub settings: Settings,
    /// Who is local, and who may relay.
    pub directory: Directory,
    /// The bindings.
    pub dispatcher: Dispatcher,
    /// The loaded sinks, in the manifest's order.
    pub sinks: Vec<Arc<Registered>>,
    /// What sessions are told, for each listener in the order of the settings.
    pub profiles: Vec<Arc<Profile>>,
    /// What encrypts sessions, for each listener that has TLS, in the order of the settings.
    pub tls: Vec<Option<Arc<tls::Server>>>,
}

impl Snapshot {
    /// Puts the parts together. The error says which sink claims what it can't have.
    pub fn new(
        generation: u64,
        settings: Settings,
        dispatcher: Dispatcher,
        sinks: Vec<Arc<Registered>>,
    ) -> Result<Self, String> {
        let directory = directory(&settings)?;
        let tls = settings.listeners.iter().map(|l| l.tls.as_ref().map(tls::Server::new).transpose());
        let tls = tls.map(|server| Ok(server?.map(Arc::new))).collect::<Result<Vec<_>, String>>()?;
        let certified = |index: usize| {
            tls.get(index).is_some_and(|s: &Option<Arc<tls::Server>>| s.as_ref().is_some_and(|s| s.is_certified()))
        };
        let heard = auth::is_heard(&dispatcher);
        let listeners = settings.listeners.iter().enumerate();
        let profiles = listeners
            .map(|(index, l)| profile::of(&settings, (l, certified(index)), &sinks, heard).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { generation, settings, directory, dispatcher, sinks, profiles, tls })
    }

    /// Takes over what encrypts sessions where its settings and files are the same as before, so that clients can resume theirs.
    pub fn keep_tls(&mut self, before: &Self) {
        let both = self.settings.listeners.iter().zip(&before.settings.listeners);
        for (index, (now, then)) in both.enumerate() {
            if now.tls == then.tls
                && let (Some(mine), Some(theirs)) = (self.tls.get_mut(index), before.tls.get(index))
            {
                mine.clone_from(theirs);
            }
        }
    }

    /// Whether a session of the other snapshot can go on under this one before its next EHLO: what it was offered is the same.
    pub fn offers_as(&self, other: &Self, listener: usize) -> bool {
        match (self.profiles.get(listener), other.profiles.get(listener)) {
            (Some(a), Some(b)) => (&a.extensions, a.tls, &a.auth) == (&b.extensions, b.tls, &b.auth),
            _ => false,
        }
    }
}

fn directory(settings: &Settings) -> Result<Directory, String> {
    let mut builder = Directory::builder()
        .hostname(settings.hostname.as_str())
        .plus_addressing(settings.recipients.plus_addressing)
        .aliases(&settings.recipients.aliases);
    for domain in &settings.domains.local {
        builder = builder.local(domain);
    }
    for domain in &settings.domains.relay_to {
        builder = builder.relay_to(domain);
    }
    for net in &settings.domains.relay_from {
        builder = builder.relay_from(*net);
    }
    if let Some(users) = &settings.recipients.users {
        builder = builder.listed_users_only();
        for user in users {
            builder = match user {
                User::Everywhere(name) => builder.user(name),
                User::At(address) => builder.user_address(address),
            };
        }
    }
    builder.build().map_err(|e| e.to_string())
}

/// The pointer to the snapshot in force.
#[derive(Debug)]
pub struct Current {
    snapshot: ArcSwap<Snapshot>,
    generation: watch::Sender<u64>,
}

impl Current {
    /// Starts with this one.
    pub fn new(first: Snapshot) -> Self {
        Self { generation: watch::Sender::new(first.generation), snapshot: ArcSwap::from_pointee(first) }
    }

    /// Pins the one in force.
    pub fn pin(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts another in force and returns the one before.
    pub fn swap(&self, next: Snapshot) -> Arc<Snapshot> {
        let generation = next.generation;
        let before = self.snapshot.swap(Arc::new(next));
        self.generation.send_replace(generation);
        before
    }

    /// The generation in force, and word of each that follows.
    pub fn generations(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}
