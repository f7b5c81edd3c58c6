//! A pass over a message whose receiver calls for it: only those who wait for that are tried, on the connection that is there.
//!
//! They are due whatever the schedule says: the receiver is here now.

use super::Pass;
use super::attempt::{Member, leg, settled};
use super::plan::Group;
use crate::event::host::Scope;
use crate::intake::State;
use crate::mail::{EnhancedCode, Recipient, Reply};
use crate::transport::deliver::{Called, Job, NextHop, Target};
use crate::transport::dossier::Dossier;
use crate::transport::ears::Ears;
use crate::transport::end::End;
use crate::transport::outcome::{Details, Outcome};
use crate::transport::pipeline::Pipeline;
use crate::transport::settle::Settled;
use crate::transport::sorting::Course;
use crate::transport::wishes::Request;

const NOT_CALLED_FOR: Reply =
    Reply::new(451, EnhancedCode(4, 4, 1), "The receiver has not called for the message so far");

impl<'a> Pass<'a> {
    /// A pass for the receiver of these scopes.
    pub(in crate::transport) fn called_for(pipeline: &'a Pipeline, dossier: Dossier, scopes: &'a [Scope]) -> Self {
        Self { caller: scopes, ..Self::with_permit(pipeline, dossier, None) }
    }

    /// Tries those who wait.
    pub(in crate::transport) async fn hand_over(mut self, called: &mut Called) {
        match self.dossier.categorize(&self.pipeline.stopping).await {
            Course::On => {}
            Course::Back => return self.finish(),
            Course::Gone => return self.dossier.taken.end(State::Discarded),
        }
        let (groups, settled) = self.plan().await;
        if !settled.is_empty() && !self.dossier.settle(settled, &self.pipeline.stopping).await {
            return;
        }
        for group in groups {
            let (wanted, others): (Vec<_>, Vec<_>) =
                group.members.into_iter().partition(|(.., domain)| self.is_called_for(domain));
            let group = Group { members: wanted, ..group };
            // Whoever goes another way is tried by a pass of his own.
            self.left |= !others.is_empty() || !group.route.0.contains(&NextHop::Turn);
            if group.members.is_empty() || !group.route.0.contains(&NextHop::Turn) {
                continue;
            }
            let outcomes = self.over(&group, called).await;
            if !self.dossier.settle(outcomes, &self.pipeline.stopping).await {
                return;
            }
            self.go_on_waiting(&group);
        }
        self.finish();
    }

    /// Whether the receiver of this domain is here.
    pub(super) fn is_called_for(&self, domain: &str) -> bool {
        self.caller.iter().any(|scope| scope.has(domain))
    }

    /// Whether the receiver of this recipient is here.
    pub(super) fn calls_for(&self, recipient: &Recipient) -> bool {
        let key = recipient.path.mailbox().filter(|_| !self.caller.is_empty()).map(|mailbox| mailbox.domain_key());
        key.is_some_and(|key| self.is_called_for(&key))
    }

    async fn over(&mut self, group: &Group, called: &mut Called) -> Vec<Settled> {
        let message = match self.dossier.message().await {
            Ok(message) => message,
            Err(outcome) => {
                let end = |member| settled(member, End::Tried(outcome.clone()), None);
                return group.members.iter().map(end).collect();
            }
        };
        let (entry, snapshot) = (self.dossier.taken.entry.clone(), self.dossier.snapshot.clone());
        let targets: Vec<Target<'_>> = group
            .members
            .iter()
            .filter_map(|(index, user, _)| {
                Some(Target { index: *index, recipient: entry.envelope.recipients.get(*index)?, user })
            })
            .collect();
        let now = self.pipeline.queue.clock.now();
        let request = Request::of(&entry.envelope, &message, self.dossier.priority(), now);
        let job = Job {
            id: entry.id,
            hostname: &snapshot.settings.hostname,
            envelope: &entry.envelope,
            sender: &group.sender,
            message: &message,
            targets: &targets,
            request,
            per_connection: None,
        };
        let recipients: Vec<usize> = targets.iter().map(|target| target.index).collect();
        let members: Vec<&Member> = group.members.iter().collect();
        let host = NextHop::Turn.to_string();
        let mut ears = Ears::of(&mut self.dossier, || leg(&members, host, recipients.clone()));
        let outcomes = called.deliver(&job, ears.as_mut()).await;
        let ends = match ears {
            Some(ears) => ears.ends(&recipients, outcomes),
            None => outcomes.into_iter().map(End::Tried).collect(),
        };
        members.into_iter().zip(ends).map(|(member, end)| settled(member, end, Some(&NextHop::Turn))).collect()
    }

    /// Notes those that wait to be called for, and ends those whose time is up. They wait in the queue until then.
    pub(super) fn wait_for_call(&mut self, members: &mut Vec<&Member>, done: &mut Vec<Settled>) {
        let (id, now) = (self.dossier.entry().id, self.pipeline.queue.clock.now());
        for member in members.drain(..) {
            let (index, _, domain) = member;
            if self.dossier.is_expired(*index, domain, None, now) {
                let details = Details::ours(NOT_CALLED_FOR, "nobody has called for it");
                done.push(settled(member, End::Tried(Outcome::Deferred(details)), None));
            } else {
                self.pipeline.waiting.add(domain, id);
                self.parked = true;
            }
        }
    }

    /// Those that were tried and are still open go on waiting.
    fn go_on_waiting(&self, group: &Group) {
        let entry = self.dossier.entry();
        for (index, _, domain) in &group.members {
            if entry.recipients.get(*index).is_some_and(|state| !state.done && state.held.is_none()) {
                self.pipeline.waiting.add(domain, entry.id);
            }
        }
    }
}
