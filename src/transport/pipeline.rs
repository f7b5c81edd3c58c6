//! Passes: what is due is categorized, routed and tried, and what came of it is recorded.

use super::categorize::{Category, categorize};
use super::deliver::{Job, Means, NextHop, Target};
use super::outcome::{Details, Outcome};
use super::queue::Queue;
use super::record::tried_states;
use super::route::{Route, route};
use super::taken::{Taken, Ticket};
use super::turns::{self, Turns};
use crate::intake::State;
use crate::mail::{Content, EnhancedCode, Message, Reply};
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Health, StoreFault};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages that are worked on at a time, besides those that have a turn at a host.
const PASSES: usize = 256;
/// A message that waits for a turn is looked at again after this time, should nobody wake it.
const TURN_PAUSE: Duration = Duration::from_secs(60);
/// While the store is sick, a message is looked at again after this time.
const SICK_PAUSE: Duration = Duration::from_secs(5);
/// A message whose entry can't be read is looked at again after this time.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);

const UNREADABLE: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "The message can't be read at present");

const DAMAGED: Reply = Reply::new(554, EnhancedCode(5, 3, 0), "The message was damaged in our store");

/// Runs passes.
pub struct Pipeline {
    queue: Arc<Queue>,
    stopping: CancellationToken,
    turns: Arc<Turns>,
    means: Means,
}

/// The recipients that share a route.
struct Group {
    route: Route,
    members: Vec<(usize, String)>,
}

/// One pass over one message, under one snapshot.
struct Pass<'a> {
    pipeline: &'a Pipeline,
    snapshot: Arc<Snapshot>,
    taken: Taken,
    /// One of [`PASSES`]; given up for a turn, so that hosts which hang keep nobody from working.
    permit: Option<OwnedSemaphorePermit>,
    /// Read when it is first needed.
    message: Option<Arc<Message>>,
    /// The hops that had deferred it before it waited for a turn.
    tried: Vec<NextHop>,
    /// Those that need not be tried again when it has waited once more.
    behind: Vec<NextHop>,
    /// The hosts that had no turn.
    waits: Vec<String>,
}

impl Pipeline {
    /// A pipeline for this queue, which delivers by these means.
    pub fn new(queue: Arc<Queue>, means: Means, stopping: CancellationToken) -> Arc<Self> {
        let turns = Turns::new(queue.clone());
        Arc::new(Self { queue, stopping, turns, means })
    }

    /// Takes what is due, until the server stops. Passes run on `tasks`.
    pub async fn run(self: Arc<Self>, tasks: TaskTracker) {
        let passes = Arc::new(Semaphore::new(PASSES));
        let next = async || {
            let permit = passes.clone().acquire_owned().await.ok()?;
            Some((permit, self.queue.next().await))
        };
        loop {
            let (permit, ticket) = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                next = next() => match next {
                    Some(next) => next,
                    None => return,
                },
            };
            let pipeline = self.clone();
            tasks.spawn(async move { pipeline.pass(ticket, permit).await });
        }
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
        let tried = self.turns.tried(taken.entry.id);
        let snapshot = self.queue.current.pin();
        let (groups, settled) = self.plan(&snapshot, &taken.entry);
        let permit = Some(permit);
        let mut pass = Pass {
            pipeline: self,
            snapshot,
            taken,
            permit,
            message: None,
            tried,
            behind: Vec::new(),
            waits: Vec::new(),
        };
        if !settled.is_empty() && !pass.settle(&settled).await {
            return;
        }
        for group in groups {
            if self.stopping.is_cancelled() {
                return;
            }
            let outcomes = pass.attempt(&group).await;
            if !outcomes.is_empty() && !pass.settle(&outcomes).await {
                return;
            }
        }
        pass.finish();
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
        // Those that need no turn go first, while the pass still counts among the others.
        groups.sort_by_key(|group| group.route.0.iter().any(|hop| turns::host(hop).is_some()));
        (groups, settled)
    }
}

impl Pass<'_> {
    /// The message: as it came in if that is at hand, else read and checked off the event loop; after a restart that is all of it.
    async fn message(&mut self) -> Result<Arc<Message>, Outcome> {
        if let Some(message) = &self.message {
            return Ok(message.clone());
        }
        let (queue, entry) = (self.pipeline.queue.clone(), self.taken.entry.clone());
        let message = match self.taken.content.take() {
            Some(content) => split(&content, &entry),
            None => {
                let loaded = tokio::task::spawn_blocking(move || load(&queue, &entry)).await;
                loaded.unwrap_or_else(|error| Err(unreadable(error.to_string())))
            }
        };
        let message = Arc::new(message?);
        self.message = Some(message.clone());
        Ok(message)
    }

    /// One attempt for one group: its hops in turn, each with the recipients that those before have deferred. Recipients
    /// that have no outcome wait for a turn, or for the next start.
    async fn attempt(&mut self, group: &Group) -> Vec<(usize, Outcome)> {
        let (mut done, mut behind) = (Vec::new(), Vec::new());
        let mut left: Vec<&(usize, String)> = group.members.iter().collect();
        for (nth, hop) in group.route.0.iter().enumerate() {
            let last = nth + 1 == group.route.0.len();
            if !last && self.tried.contains(hop) {
                behind.push(hop.clone());
                continue;
            }
            if self.pipeline.stopping.is_cancelled() {
                break;
            }
            let turn = match self.pipeline.turns.take(hop) {
                Ok(turn) => turn,
                Err(host) => {
                    self.waits.push(host.to_owned());
                    self.behind.append(&mut behind);
                    break;
                }
            };
            if turn.is_some() {
                self.permit = None;
            }
            let message = match self.message().await {
                Ok(message) => message,
                Err(outcome) => {
                    done.extend(left.iter().map(|member| (member.0, outcome.clone())));
                    break;
                }
            };
            let outcomes = self.try_hop(hop, &left, &message).await;
            drop(turn);
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
            behind.push(hop.clone());
        }
        done
    }

    async fn try_hop(&self, hop: &NextHop, members: &[&(usize, String)], message: &Message) -> Vec<Outcome> {
        let entry = &self.taken.entry;
        let targets: Vec<Target<'_>> = members
            .iter()
            .filter_map(|(index, user)| {
                Some(Target { index: *index, recipient: entry.envelope.recipients.get(*index)?, user })
            })
            .collect();
        let job = Job {
            id: entry.id,
            hostname: &self.snapshot.settings.hostname,
            envelope: &entry.envelope,
            message,
            targets: &targets,
        };
        self.pipeline.means.deliver(hop, &job).await
    }

    /// Records outcomes. False if the server stops before that could be done.
    async fn settle(&mut self, outcomes: &[(usize, Outcome)]) -> bool {
        let Pipeline { queue, stopping, .. } = self.pipeline;
        let entry = Arc::make_mut(&mut self.taken.entry);
        let states = tried_states(&self.snapshot, entry, outcomes, queue.clock.now());
        for (index, outcome) in outcomes {
            let recipient = entry.envelope.recipients.get(*index).map(|r| tracing::field::display(&r.path));
            match outcome {
                Outcome::Delivered(_) => tracing::info!(id = %entry.id, recipient, "{outcome}"),
                _ => tracing::warn!(id = %entry.id, recipient, "{outcome}"),
            }
        }
        let recorded = queue.record(entry, states, stopping).await;
        // One that is done is told of when it leaves the queue.
        if !entry.is_done() {
            queue.history.announce(|| super::queue::account(entry));
        }
        recorded
    }

    /// Ends the message if it is done, else puts it back, to be woken if a host had no turn.
    fn finish(self) {
        let Self { pipeline, mut taken, behind, waits, .. } = self;
        if taken.entry.is_done() {
            return taken.end(State::Delivered);
        }
        let id = taken.entry.id;
        if !waits.is_empty() {
            taken.not_before(pipeline.queue.clock.now().plus(TURN_PAUSE));
        }
        // Only what is back in the queue can be woken.
        drop(taken);
        waits.iter().for_each(|host| pipeline.turns.wait(host, id, &behind));
    }
}

fn load(queue: &Queue, entry: &Entry) -> Result<Message, Outcome> {
    let content = queue.spool.open(&entry.content).map_err(|fault| match fault {
        // It will not mend itself: held, for an operator to look at.
        StoreFault::Damaged(..) => Outcome::Failed(Details::ours(DAMAGED, fault.to_string())),
        fault => unreadable(fault.to_string()),
    })?;
    split(&content, entry)
}

fn split(content: &Content, entry: &Entry) -> Result<Message, Outcome> {
    Message::split(content, entry.header_len).map_err(|error| unreadable(error.to_string()))
}

fn unreadable(note: String) -> Outcome {
    Outcome::Deferred(Details::ours(UNREADABLE, note))
}
