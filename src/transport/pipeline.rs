//! Passes: what is due is categorized, routed and tried, and what came of it is recorded.

use super::categorize::{Category, categorize};
use super::deliver::{Job, NextHop, Target, deliver};
use super::outcome::{Details, Outcome};
use super::queue::Queue;
use super::record::states;
use super::route::{Route, route};
use crate::intake::State;
use crate::mail::{EnhancedCode, Message, Reply};
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Health, StoreFault};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages that are worked on at a time.
const PASSES: usize = 256;
/// Connections to one host at a time.
const PER_HOST: usize = 20;
/// While the store is sick, a message is looked at again after this time.
const SICK_PAUSE: Duration = Duration::from_secs(5);

const UNREADABLE: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "The message can't be read at present");

const DAMAGED: Reply = Reply::new(554, EnhancedCode(5, 3, 0), "The message was damaged in our store");

/// Runs passes.
pub struct Pipeline {
    queue: Arc<Queue>,
    stopping: CancellationToken,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// The recipients that share a route.
struct Group {
    route: Route,
    members: Vec<(usize, String)>,
}

impl Pipeline {
    /// A pipeline for this queue.
    pub fn new(queue: Arc<Queue>, stopping: CancellationToken) -> Arc<Self> {
        Arc::new(Self { queue, stopping, hosts: Mutex::default() })
    }

    /// Takes what is due, until the server stops. Passes run on `tasks`.
    pub async fn run(self: Arc<Self>, tasks: TaskTracker) {
        let passes = Arc::new(Semaphore::new(PASSES));
        loop {
            let entry = tokio::select! {
                () = self.stopping.cancelled() => return,
                entry = self.queue.next() => entry,
            };
            let Ok(permit) = passes.clone().acquire_owned().await else { return };
            let pipeline = self.clone();
            tasks.spawn(async move {
                pipeline.pass(Entry::clone(&entry)).await;
                drop(permit);
            });
        }
    }

    /// One pass over one message. It is put back, or ended, in any case but that of a server that stops.
    async fn pass(&self, mut entry: Entry) {
        let now = self.queue.clock.now();
        if let Health::Sick { .. } = self.queue.spool.health() {
            // What can't be recorded must not be delivered.
            return self.queue.put_due(entry, now.plus(SICK_PAUSE));
        }
        let snapshot = self.queue.current.pin();
        let (groups, settled) = self.plan(&snapshot, &entry);
        if !settled.is_empty() && !self.settle(&snapshot, &mut entry, &settled).await {
            return;
        }
        match self.load(&entry) {
            Ok(message) => {
                for group in groups {
                    let outcomes = self.attempt(&snapshot, &entry, &message, &group).await;
                    if !self.settle(&snapshot, &mut entry, &outcomes).await {
                        return;
                    }
                }
            }
            Err(outcome) => {
                let all: Vec<_> =
                    groups.into_iter().flat_map(|g| g.members).map(|(index, _)| (index, outcome.clone())).collect();
                if !self.settle(&snapshot, &mut entry, &all).await {
                    return;
                }
            }
        }
        if entry.is_done() { self.queue.end(&entry, State::Delivered) } else { self.queue.put(entry) }
    }

    /// Sorts the recipients that are due by route; those that have none have an outcome already.
    fn plan(&self, snapshot: &Snapshot, entry: &Entry) -> (Vec<Group>, Vec<(usize, Outcome)>) {
        let now = self.queue.clock.now();
        let mut groups: Vec<Group> = Vec::new();
        let mut settled = Vec::new();
        for (index, (recipient, state)) in entry.envelope.recipients.iter().zip(&entry.recipients).enumerate() {
            if state.done || state.held.is_some() || state.next > now {
                continue;
            }
            let routed =
                categorize(&snapshot.directory, recipient).and_then(|c| Ok((route(&snapshot.settings, &c)?, c)));
            match routed {
                Err(outcome) => settled.push((index, outcome)),
                Ok((route, category)) => {
                    let user = match category {
                        Category::Local(user) => user.name,
                        Category::Remote(_) => {
                            recipient.path.mailbox().map(|m| m.local().to_owned()).unwrap_or_default()
                        }
                    };
                    match groups.iter_mut().find(|g| g.route == route) {
                        Some(group) => group.members.push((index, user)),
                        None => groups.push(Group { route, members: vec![(index, user)] }),
                    }
                }
            }
        }
        (groups, settled)
    }

    fn load(&self, entry: &Entry) -> Result<Message, Outcome> {
        let unreadable = |note: String| Outcome::Deferred(Details::ours(UNREADABLE, note));
        let content = self.queue.spool.open(&entry.content).map_err(|fault| match fault {
            // It will not mend itself: held, for an operator to look at.
            StoreFault::Damaged(..) => Outcome::Failed(Details::ours(DAMAGED, fault.to_string())),
            fault => unreadable(fault.to_string()),
        })?;
        Message::split(&content, entry.header_len).map_err(|error| unreadable(error.to_string()))
    }

    /// One attempt for one group: its hops in turn, each with the recipients that those before have deferred.
    async fn attempt(
        &self,
        snapshot: &Snapshot,
        entry: &Entry,
        message: &Message,
        group: &Group,
    ) -> Vec<(usize, Outcome)> {
        let mut done = Vec::new();
        let mut left: Vec<&(usize, String)> = group.members.iter().collect();
        for (nth, hop) in group.route.0.iter().enumerate() {
            let targets: Vec<Target<'_>> = left
                .iter()
                .filter_map(|(index, user)| {
                    Some(Target { index: *index, recipient: entry.envelope.recipients.get(*index)?, user })
                })
                .collect();
            let job = Job {
                id: entry.id,
                hostname: &snapshot.settings.hostname,
                envelope: &entry.envelope,
                message,
                targets: &targets,
            };
            let turn = self.turn(hop).await;
            let outcomes = deliver(hop, &job).await;
            drop(turn);
            let last = nth + 1 == group.route.0.len();
            let mut again = Vec::new();
            for (member, outcome) in left.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Deferred(_) if !last => again.push(member),
                    outcome => done.push((member.0, outcome)),
                }
            }
            left = again;
            if left.is_empty() {
                break;
            }
        }
        done
    }

    /// Waits until the host may be connected to once more. Local files need no turn.
    async fn turn(&self, hop: &NextHop) -> Option<OwnedSemaphorePermit> {
        let (NextHop::Smtp(address) | NextHop::Lmtp(address)) = hop else { return None };
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.entry(address.clone()).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))).clone()
        };
        host.acquire_owned().await.ok()
    }

    /// Records outcomes. False if the server stops before that could be done.
    async fn settle(&self, snapshot: &Snapshot, entry: &mut Entry, outcomes: &[(usize, Outcome)]) -> bool {
        let states = states(&snapshot.settings, entry, outcomes, self.queue.clock.now());
        for (index, outcome) in outcomes {
            let recipient = entry.envelope.recipients.get(*index).map(|r| tracing::field::display(&r.path));
            match outcome {
                Outcome::Delivered(_) => tracing::info!(id = %entry.id, recipient, "{outcome}"),
                _ => tracing::warn!(id = %entry.id, recipient, "{outcome}"),
            }
        }
        let recorded = self.queue.record(entry, states, &self.stopping).await;
        // One that is done is told of when it leaves the queue.
        if !entry.is_done() {
            self.queue.history.announce(|| super::queue::account(entry));
        }
        recorded
    }
}
