//! The pipeline: takes what is due from the queue, and lets a pass run over it.

use super::deliver::{Means, NextHop};
use super::dossier::Dossier;
use super::exchange::Shuffle;
use super::on_demand::Waiting;
use super::pass::{Pass, SMTP};
use super::queue::Queue;
use super::taken::Ticket;
use super::traffic::Governor;
use crate::config::Settings;
use crate::event::host::Resolver;
use crate::mail::Id;
use crate::spool::Health;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages that are worked on at a time, besides those that have a turn at a host.
const PASSES: usize = 256;
/// While the store is sick, a message is looked at again after this time.
const SICK_PAUSE: Duration = Duration::from_secs(5);
/// A message whose entry can't be read is looked at again after this time.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);

/// Runs passes.
pub struct Pipeline {
    pub(super) queue: Arc<Queue>,
    pub(super) stopping: CancellationToken,
    pub(super) governor: Arc<Governor>,
    /// The hops that have deferred a message before it had to wait for a turn at the next one.
    pub(super) tried: Mutex<HashMap<Id, Vec<NextHop>>>,
    pub(super) means: Means,
    pub(super) resolver: Arc<dyn Resolver>,
    /// Who waits to be called for.
    pub(super) waiting: Waiting,
    /// Spreads mail over equal hosts.
    shuffle: Mutex<Shuffle>,
    /// The addresses of the machine, as they were at the start.
    interfaces: Vec<IpAddr>,
}

impl Pipeline {
    /// A pipeline for this queue, which delivers by these means and finds hosts by this resolver.
    pub fn new(queue: Arc<Queue>, means: Means, resolver: Arc<dyn Resolver>, stopping: CancellationToken) -> Arc<Self> {
        let governor = queue.governor.clone();
        let waking = Arc::downgrade(&queue);
        governor.on_wake(move |id| waking.upgrade().is_some_and(|queue| queue.wake(id)));
        let shuffle = Mutex::new(Shuffle::new(queue.clock.now().0));
        Arc::new(Self {
            queue,
            stopping,
            governor,
            tried: Mutex::default(),
            means,
            resolver,
            waiting: Waiting::default(),
            shuffle,
            interfaces: interfaces(),
        })
    }

    /// Takes what is due, until the server stops. Passes run on `tasks`.
    pub async fn run(self: Arc<Self>, tasks: TaskTracker) {
        let passes = Arc::new(Semaphore::new(PASSES));
        let next = async || {
            let permit = passes.clone().acquire_owned().await.ok()?;
            Some((permit, self.queue.next().await))
        };
        let time = self.governor.clone().run(self.queue.clock.clone());
        tokio::pin!(time);
        loop {
            let (permit, ticket) = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = &mut time => return,
                next = next() => match next {
                    Some(next) => next,
                    None => return,
                },
            };
            let pipeline = self.clone();
            tasks.spawn(async move { pipeline.pass(ticket, permit).await });
        }
    }

    /// The addresses at which mail from elsewhere comes to this server: to send there is to send to oneself.
    pub(super) fn own_addresses(&self, settings: &Settings) -> Vec<IpAddr> {
        let listening = settings.listeners.iter().map(|listener| listener.address);
        let mut own: Vec<IpAddr> = listening.filter(|at| at.port() == SMTP).map(|at| at.ip()).collect();
        for wildcard in own.clone().into_iter().filter(IpAddr::is_unspecified) {
            own.extend(self.interfaces.iter().filter(|ip| ip.is_ipv4() == wildcard.is_ipv4()));
        }
        own
    }

    /// A shuffle of its own for one look-up.
    pub(super) fn shuffle(&self) -> Shuffle {
        let mut shuffle = self.shuffle.lock().unwrap_or_else(PoisonError::into_inner);
        Shuffle::new(shuffle.below(usize::MAX) as u64)
    }

    /// One pass over one message. However it ends, the message is put back, or ended.
    async fn pass(&self, mut ticket: Ticket, permit: OwnedSemaphorePermit) {
        let now = self.queue.clock.now();
        if let Health::Sick { .. } = self.queue.spool.health() {
            // What can't be recorded must not be delivered.
            ticket.not_before = now.plus(SICK_PAUSE);
            return;
        }
        let taken = match ticket.load().await {
            Ok(taken) => taken,
            Err((mut ticket, fault)) => {
                tracing::error!(id = %ticket.id, %fault, "a message can't be read, and waits");
                ticket.not_before = now.plus(UNREADABLE_PAUSE);
                return;
            }
        };
        let snapshot = self.queue.current.pin();
        Pass::new(self, Dossier::new(self.queue.clone(), snapshot, taken), permit).run().await;
    }
}

/// The addresses of the machine's interfaces. Without them a loop is found by name alone, and by the number of hops.
fn interfaces() -> Vec<IpAddr> {
    let found = nix::ifaddrs::getifaddrs().inspect_err(|error| {
        tracing::warn!(%error, "the addresses of this machine can't be found out: mail to itself is noticed by its name alone");
    });
    let address = |found: nix::ifaddrs::InterfaceAddress| {
        let address = found.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    };
    found.into_iter().flatten().filter_map(address).collect()
}
