//! One attempt for one group: its hops in turn, each with the recipients that those before have deferred.

use super::plan::Group;
use super::{Pass, stop::Stop};
use crate::event::{Answer, Decision, Event, Focus, Leg, SinkOutcome};
use crate::mail::{Class, EnhancedCode, Message, Reply};
use crate::transport::Request;
use crate::transport::deliver::{Job, NextHop, Target};
use crate::transport::ears::Ears;
use crate::transport::end::End;
use crate::transport::outcome::{Details, Outcome};
use crate::transport::pipeline::Pipeline;
use crate::transport::settle::Settled;
use crate::transport::traffic::{Asked, Heard, Lane, Turn, Wait, Why};
use std::sync::Arc;

const NO_TURN: Reply = Reply::new(451, EnhancedCode(4, 4, 5), "The next hop gets as much mail as it may at present");
const NOT_TAKEN: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "The message could not be delivered at present");

/// Somebody who is due: place in the envelope, mailbox, domain.
pub(super) type Member = (usize, String, Arc<str>);

impl Pass<'_> {
    /// Recipients that have no end wait for a turn, or for the next start.
    pub(super) async fn attempt(&mut self, group: &Group) -> Vec<Settled> {
        let mut done = Vec::new();
        let mut left: Vec<&Member> = group.members.iter().collect();
        for (nth, hop) in group.route.0.iter().enumerate() {
            let last = nth + 1 == group.route.0.len();
            if !last && self.tried.contains(hop) {
                self.behind.push(hop.clone());
                continue;
            }
            if left.is_empty() || self.pipeline.stopping.is_cancelled() {
                break;
            }
            if *hop == NextHop::Turn {
                self.wait_for_call(&mut left, &mut done);
                break;
            }
            let stop = match self.stop(hop).await {
                Ok(stop) => stop,
                Err(Outcome::Deferred(_)) if !last => continue,
                Err(outcome) => {
                    done.extend(left.drain(..).map(|member| settled(member, End::Tried(outcome.clone()), None)));
                    break;
                }
            };
            match self.try_stop(stop, &mut left, &mut done, last, group).await {
                Ok(()) => self.behind.push(hop.clone()),
                Err(lane) => {
                    self.waits.push(lane);
                    break;
                }
            }
        }
        done
    }

    /// Tries the hosts of a stop in turn. The error says where there is no turn.
    async fn try_stop(
        &mut self,
        stop: Stop,
        left: &mut Vec<&Member>,
        done: &mut Vec<Settled>,
        last: bool,
        group: &Group,
    ) -> Result<(), Lane> {
        let lane = stop.site.as_ref().map(|site| self.lane(site, left));
        let turn = match &lane {
            Some(lane) => match self.turn(lane) {
                Ok(turn) => Some(turn),
                Err(wait) => return self.without_turn(lane, &wait, left, done),
            },
            None => None,
        };
        if turn.is_some() {
            self.permit = None;
        }
        let message = match self.dossier.message().await {
            Ok(message) => message,
            Err(outcome) => {
                done.extend(left.drain(..).map(|member| settled(member, End::Tried(outcome.clone()), None)));
                return Ok(());
            }
        };
        let count = stop.hops.len();
        let mut heard = None;
        for (nth, hop) in stop.hops.iter().enumerate() {
            if left.is_empty() || (nth > 0 && self.pipeline.stopping.is_cancelled()) {
                break;
            }
            let per_connection = turn.as_ref().and_then(Turn::messages_per_connection);
            let ends = self.try_hop(hop, left, &message, group, per_connection).await;
            heard = louder(heard, pace(&ends));
            let more = !last || nth + 1 < count;
            let mut again = Vec::new();
            for (member, end) in std::mem::take(left).into_iter().zip(ends) {
                match end {
                    End::Tried(Outcome::Deferred(_)) if more => again.push(member),
                    End::Tried(Outcome::Failed(details)) if more && details.elsewhere => again.push(member),
                    end => done.push(settled(member, end, Some(hop)).at(stop.site.clone())),
                }
            }
            *left = again;
        }
        if let (Some(lane), Some(heard)) = (&lane, heard) {
            self.pipeline.governor.heard(lane, heard, self.pipeline.queue.clock.now());
        }
        drop(turn);
        Ok(())
    }

    fn lane(&self, site: &Arc<str>, members: &[&Member]) -> Lane {
        let domain = members.first().map_or_else(Arc::default, |(.., domain)| domain.clone());
        Lane::of(site.clone(), domain, &self.dossier.entry().properties)
    }

    fn turn(&self, lane: &Lane) -> Result<Turn, Wait> {
        let Pipeline { governor, queue, .. } = self.pipeline;
        let (id, priority, now) = (self.dossier.entry().id, self.dossier.priority(), queue.clock.now());
        let traffic = &self.dossier.snapshot.settings.traffic;
        match governor.ask(id, lane, traffic, now, priority) {
            Asked::Wait(Wait { why: Why::BackOff, .. }) if self.urgent => {
                governor.pardon(lane, now);
                match governor.ask(id, lane, traffic, now, priority) {
                    Asked::Turn(turn) => Ok(turn),
                    Asked::Wait(wait) => Err(wait),
                }
            }
            Asked::Turn(turn) => Ok(turn),
            Asked::Wait(wait) => Err(wait),
        }
    }

    /// Those whose time is up while they wait for a turn have come to an end; the others wait.
    fn without_turn(
        &mut self,
        lane: &Lane,
        wait: &Wait,
        left: &mut Vec<&Member>,
        done: &mut Vec<Settled>,
    ) -> Result<(), Lane> {
        let now = self.pipeline.queue.clock.now();
        tracing::debug!(id = %self.dossier.entry().id, site = &*lane.site, "waits: {}", wait.why);
        for member in left.drain(..) {
            let (index, _, domain) = member;
            if self.dossier.is_expired(*index, domain, Some(&lane.site), now) {
                let details = Details::ours(NO_TURN, format!("waited for a turn: {}", wait.why));
                done.push(settled(member, End::Tried(Outcome::Deferred(details)), None).at(Some(lane.site.clone())));
            }
        }
        Err(lane.clone())
    }

    async fn try_hop(
        &mut self,
        hop: &NextHop,
        members: &[&Member],
        message: &Message,
        group: &Group,
        per_connection: Option<u32>,
    ) -> Vec<End> {
        if let NextHop::Sink(name) = hop {
            return self.deliver_by_sink(name, members).await;
        }
        let (entry, snapshot) = (self.dossier.taken.entry.clone(), self.dossier.snapshot.clone());
        let targets: Vec<Target<'_>> = members
            .iter()
            .filter_map(|(index, user, _)| {
                Some(Target { index: *index, recipient: entry.envelope.recipients.get(*index)?, user })
            })
            .collect();
        let job = Job {
            id: entry.id,
            hostname: &snapshot.settings.hostname,
            envelope: &entry.envelope,
            sender: &group.sender,
            message,
            targets: &targets,
            per_connection,
            request: Request::of(&entry.envelope, message, self.dossier.priority(), self.pipeline.queue.clock.now()),
        };
        let recipients: Vec<usize> = targets.iter().map(|target| target.index).collect();
        let mut ears = match hop.site() {
            Some(_) => Ears::of(&mut self.dossier, || leg(members, hop.to_string(), recipients.clone())),
            None => None,
        };
        let Pipeline { means, resolver, .. } = self.pipeline;
        let outcomes = match means.advisor.advise(resolver, &snapshot.settings, hop, job.request.tls).await {
            Ok(hop) => means.deliver_heard(&hop, &job, ears.as_mut()).await,
            Err(details) => vec![Outcome::Deferred(details); recipients.len()],
        };
        match ears {
            Some(ears) => ears.ends(&recipients, outcomes),
            None => outcomes.into_iter().map(End::Tried).collect(),
        }
    }

    /// Hands the recipients to a sink that delivers by itself.
    async fn deliver_by_sink(&mut self, name: &str, members: &[&Member]) -> Vec<End> {
        let recipients: Vec<usize> = members.iter().map(|(index, ..)| *index).collect();
        let first = recipients.first().copied().unwrap_or_default();
        let attempt = self.dossier.attempt(first);
        let leg = Leg { attempt, ..leg(members, name.to_owned(), recipients.clone()) };
        let place = self.dossier.place(first);
        let focus = Focus::Delivery { sink: name, leg: &leg };
        let decision = self.dossier.raise(Event::TransportDeliver, place.as_ref(), focus).await;
        let not_taken = || {
            let note = format!("the sink `{name}` has given no outcome for this recipient");
            End::Tried(Outcome::Deferred(Details::ours(NOT_TAKEN, note)))
        };
        match decision {
            Ok(Decision::Answer(Answer::Outcomes(outcomes))) => {
                let of = |index| outcomes.iter().find(|outcome| outcome.recipient == index);
                recipients.iter().map(|index| of(*index).map_or_else(not_taken, |said| said_by(name, said))).collect()
            }
            Ok(decision) => vec![self.dossier.ended(decision).unwrap_or_else(not_taken); recipients.len()],
            Err(outcome) => vec![End::Tried(outcome); recipients.len()],
        }
    }
}

/// The leg of those who are due at this host, as the first attempt for them.
pub(super) fn leg(members: &[&Member], host: String, recipients: Vec<usize>) -> Leg {
    let domain = members.first().map_or_else(Arc::default, |(.., domain)| domain.clone());
    Leg { domain, host: Some(host.into()), attempt: 1, reply: None, recipients }
}

/// What a host has said of the pace at which it gets mail.
fn pace(ends: &[End]) -> Option<Heard> {
    let one = |end: &End| {
        let End::Tried(outcome) = end else { return None };
        let details = outcome.details();
        Some(match (&details.remote, details.reply.code(), details.reply.status()) {
            (Some(_), 421, _) | (Some(_), 400..=499, Some(EnhancedCode(4, 7, _))) => Heard::Slow,
            // No host answers (RFC 3463 3.5).
            (None, _, Some(EnhancedCode(4, 4, 1))) => Heard::Refused,
            _ => Heard::Good,
        })
    };
    ends.iter().filter_map(one).fold(None, |heard, next| louder(heard, Some(next)))
}

/// Of two, the one that counts: a complaint goes before success, and success before silence.
fn louder(a: Option<Heard>, b: Option<Heard>) -> Option<Heard> {
    [Heard::Slow, Heard::Good, Heard::Refused].into_iter().find(|heard| a == Some(*heard) || b == Some(*heard))
}

fn said_by(sink: &str, said: &SinkOutcome) -> End {
    let details = Details::ours(said.reply.clone(), format!("said the sink `{sink}`"));
    End::Tried(match said.reply.class() {
        Class::Permanent => Outcome::Failed(details),
        Class::Transient => Outcome::Deferred(details),
        _ => Outcome::Delivered(details),
    })
}

pub(super) fn settled(member: &Member, end: End, hop: Option<&NextHop>) -> Settled {
    let (index, _, domain) = member;
    let remote = match &end {
        End::Tried(outcome) => outcome.details().remote.as_deref().map(Arc::from),
        _ => None,
    };
    let host = remote.or_else(|| hop.map(|hop| hop.to_string().into()));
    Settled { domain: domain.clone(), host, ..Settled::new(*index, end) }
}
