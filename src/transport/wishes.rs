//! What the sender asks of a message's way, as the queue keeps to it: until when it may be delivered (RFC 2852), before whom it goes
//! (RFC 6710), and what is passed on to the next host.
//!
//! A hold (RFC 4865) needs nothing here: until its time no recipient is due.

use super::dossier::Dossier;
use super::end::End;
use super::outcome::{Details, Outcome};
use super::settle::Settled;
use crate::mail::{By, EnhancedCode, Envelope, Message, Priority, Reply, ReversePath, Timestamp, TlsWish};
use crate::smtp::client::Wishes;
use crate::spool::{Entry, RcptState};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const LATE: Reply = Reply::new(
    451,
    EnhancedCode(4, 4, 7),
    "The message was not delivered within the time that its sender has set; it is tried further",
);

/// What goes along with one try.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The time that was left, and when that was.
    by: Option<(By, Instant)>,
    priority: Option<Priority>,
    /// What is asked of TLS.
    pub tls: TlsWish,
}

impl Request {
    /// Nothing is asked.
    pub const NONE: Self = Self { by: None, priority: None, tls: TlsWish::Policy };

    /// What an envelope and a header ask for; `priority` as sinks have left it.
    pub fn of(envelope: &Envelope, message: &Message, priority: i8, now: Timestamp) -> Self {
        Self {
            by: envelope.deliver_by.map(|by| (by.left(now), Instant::now())),
            // Who came without a priority has one for this server alone.
            priority: envelope.priority.and_then(|_| Priority::new(priority)),
            tls: TlsWish::of(envelope.require_tls, &message.header),
        }
    }

    /// As it is said to a server now: it took time to get there.
    pub fn wishes(&self) -> Wishes {
        let by = self.by.map(|(by, then)| {
            let passed = i32::try_from(then.elapsed().as_secs()).unwrap_or(i32::MAX);
            By { seconds: by.seconds.saturating_sub(passed).max(-999_999_999), ..by }
        });
        Wishes { by, priority: self.priority, require_tls: self.tls == TlsWish::Required }
    }

    /// Whether what has this reverse-path must not go over a connection without verified TLS. Reports may, rather than be lost (RFC 8689 5).
    pub fn needs_verified_tls(&self, sender: &ReversePath) -> bool {
        self.tls == TlsWish::Required && *sender != ReversePath::Null
    }

    /// Whether the sender is to be told that a host has the message now: it wants a trace, or the host will not keep to the time
    /// (RFC 2852 4.1.4).
    pub fn tells_of_relay(&self, host_keeps_time: bool) -> bool {
        use crate::mail::ByMode::Notify;
        self.by.is_some_and(|(by, _)| by.trace || (by.mode == Notify && !host_keeps_time))
    }
}

/// Whether the time that the sender has set is over, and the message must not be delivered any more.
pub(super) fn is_over(entry: &Entry, now: Timestamp) -> bool {
    entry.envelope.deliver_by.is_some_and(|by| by.is_over(now))
}

/// When something is to be done about the time that the sender has set, if it is not over.
pub(super) fn end(entry: &Entry, now: Timestamp) -> Option<Timestamp> {
    entry.envelope.deliver_by.map(|by| by.until).filter(|until| *until > now)
}

impl Dossier {
    /// Tells the sender of those that are late, once. False if the server stops before that could be recorded.
    pub(super) async fn tell_if_late(&mut self, stopping: &CancellationToken) -> bool {
        let (entry, now) = (self.entry(), self.queue.clock.now());
        if !entry.envelope.deliver_by.is_some_and(|by| by.is_late(entry.received, now)) {
            return true;
        }
        let open = |state: &RcptState| !state.done && !state.late && state.held.is_none();
        let late = entry.recipients.iter().enumerate().filter(|(_, state)| open(state)).map(|(index, _)| {
            let details = Details::ours(LATE, "the time that its sender has set is over");
            Settled::new(index, End::Late(Outcome::Deferred(details)))
        });
        let late: Vec<Settled> = late.collect();
        late.is_empty() || self.settle(late, stopping).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{ByMode, DeliverBy, Header};
    use std::time::Duration;

    fn request(seconds: i32, mode: ByMode, trace: bool) -> Request {
        let mut envelope = Envelope::new(ReversePath::parse("a@x.example").unwrap());
        envelope.deliver_by = Some(DeliverBy::new(By { seconds, mode, trace }, Timestamp(1 << 40)));
        let message =
            Message { header: Header::from_raw(Vec::new().into()), separated: true, body: bytes::Bytes::new().into() };
        Request::of(&envelope, &message, 5, Timestamp(1 << 40))
    }

    #[tokio::test(start_paused = true)]
    async fn the_way_to_the_host_counts() {
        let request = request(60, ByMode::Notify, false);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(request.wishes().by.map(|by| by.seconds), Some(-30));
        assert_eq!(request.wishes().priority, None, "it came without one");
    }

    #[tokio::test]
    async fn the_sender_hears_of_hosts_that_keep_no_time() {
        assert!(request(60, ByMode::Notify, false).tells_of_relay(false));
        assert!(!request(60, ByMode::Notify, false).tells_of_relay(true));
        assert!(request(60, ByMode::Return, true).tells_of_relay(true));
        assert!(!Request::NONE.tells_of_relay(false));
    }
}
