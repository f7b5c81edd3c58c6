//! Notify events: told through a bounded queue per sink; nobody waits, and what does not fit is counted.

use super::binding::Registered;
use super::call;
use super::catalogue::{Event, OnFault};
use super::edit::Edits;
use super::fault::FaultKind;
use super::ledger::Ledger;
use super::leg::Leg;
use super::sink::Hearing;
use super::stage::Stage;
use super::transaction::{Focus, SessionState, Transaction};
use crate::mail::Origin;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Notifications that may wait for one sink.
const QUEUE: usize = 1024;

/// What a notify event tells, owned.
pub(super) struct Notice {
    event: Event,
    origin: Origin,
    session: Option<SessionState>,
    transaction: Option<Transaction>,
    about: About,
    deadline: Duration,
}

impl Notice {
    pub(super) fn of(event: Event, stage: &Stage<'_>, deadline: Duration) -> Self {
        Self {
            event,
            origin: stage.origin.clone(),
            session: stage.session.as_deref().map(session),
            transaction: stage.transaction.as_deref().map(transaction),
            about: About::of(&stage.focus),
            deadline,
        }
    }
}

/// The thing in focus, owned. At no notify event is it anything else.
enum About {
    Nothing,
    Leg(Leg),
    Step(Value),
}

impl About {
    fn of(focus: &Focus<'_>) -> Self {
        match focus {
            Focus::Leg(leg) | Focus::Client { leg, .. } => Self::Leg((*leg).clone()),
            Focus::Step(step) => Self::Step((*step).clone()),
            _ => Self::Nothing,
        }
    }

    fn focus(&self) -> Focus<'_> {
        match self {
            Self::Nothing => Focus::None,
            Self::Leg(leg) => Focus::Leg(leg),
            Self::Step(step) => Focus::Step(step),
        }
    }
}

/// The session without its ledger, which no sink sees and which would wait a thousandfold in a full queue.
fn session(of: &SessionState) -> SessionState {
    SessionState { id: of.id, facts: of.facts.clone(), ledger: Ledger::default() }
}

/// The transaction, likewise.
fn transaction(of: &Transaction) -> Transaction {
    let Transaction { id, started, letter, companions, .. } = of;
    let (letter, companions) = (letter.clone(), companions.clone());
    Transaction { id: *id, started: *started, letter, ledger: Ledger::default(), companions, split: None }
}

/// A sink's queue. Its task starts with the first notice and ends with the sink.
#[derive(Default)]
pub(super) struct Mailbox {
    queue: OnceLock<mpsc::Sender<Notice>>,
    /// Notices in the queue, and the one that is being told.
    waiting: watch::Sender<usize>,
    missed: AtomicU64,
}

impl Mailbox {
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    /// Waits until everything has been told that was to be.
    pub(super) async fn drained(&self) {
        // The other end is `self`: it can't be closed.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == 0).await;
    }
}

/// Puts a notice into the sink's queue.
pub(super) fn tell(sink: &Arc<Registered>, notice: Notice) {
    let queue = sink.mailbox.queue.get_or_init(|| {
        let (sender, receiver) = mpsc::channel(QUEUE);
        // Weak, so that the queue does not keep its own sink alive.
        tokio::spawn(work(Arc::downgrade(sink), receiver));
        sender
    });
    let mailbox = &sink.mailbox;
    mailbox.waiting.send_modify(|waiting| *waiting += 1);
    if queue.try_send(notice).is_err() {
        mailbox.missed.fetch_add(1, Relaxed);
        mailbox.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

async fn work(sink: std::sync::Weak<Registered>, mut queue: mpsc::Receiver<Notice>) {
    while let Some(notice) = queue.recv().await {
        let Some(sink) = sink.upgrade() else { return };
        if !hear(&sink, notice).await {
            sink.mailbox.missed.fetch_add(1, Relaxed);
        }
        sink.mailbox.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

/// Tells the sink; false if its breaker is open. Its verdict is not asked for; its faults count and are logged.
async fn hear(sink: &Registered, mut notice: Notice) -> bool {
    let mut stage = Stage {
        origin: &notice.origin,
        session: notice.session.as_mut(),
        transaction: notice.transaction.as_mut(),
        focus: notice.about.focus(),
        delay: Duration::ZERO,
        answered: None,
    };
    let mut edits = Edits::new();
    let answer = match call::hear(sink, notice.event, None, &stage, &mut edits) {
        Hearing::Now(answer) => answer,
        waiting => call::wait(sink, waiting, notice.deadline).await.map(|(verdict, _)| verdict),
    };
    let settled = call::settle(sink, notice.event, &mut stage, answer, edits, OnFault::Continue);
    settled.err().is_none_or(|fault| fault.kind != FaultKind::Breaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Fault, Interest, Scene, Sink, Verdict};
    use crate::mail::{Door, Id};
    use tokio::sync::Semaphore;

    /// Takes a permit for each notice.
    struct Slow(Arc<Semaphore>);

    impl Sink for Slow {
        fn interest(&self) -> Interest {
            Interest::default()
        }

        fn hear<'a>(&'a self, _: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
            Hearing::Later(Box::pin(async {
                self.0.acquire().await.map_err(|e| Fault::error(e.to_string()))?.forget();
                Ok(Verdict::Next)
            }))
        }
    }

    fn slow() -> (Arc<Registered>, Arc<Semaphore>) {
        let permits = Arc::new(Semaphore::new(0));
        (Arc::new(Registered::new("slow", Arc::new(Slow(permits.clone())), false)), permits)
    }

    fn tell_it(sink: &Arc<Registered>) {
        let origin = Origin::door(Door::Sink);
        tell(sink, Notice::of(Event::ServerShutdown, &Stage::new(&origin), Duration::from_secs(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn drained_when_the_last_notice_has_been_heard() {
        let (sink, permits) = slow();
        sink.drained().await;
        (0..3).for_each(|_| tell_it(&sink));
        permits.add_permits(2);
        let moment = Duration::from_secs(1);
        assert!(tokio::time::timeout(moment, sink.drained()).await.is_err(), "one is still waiting");
        permits.add_permits(1);
        assert!(tokio::time::timeout(moment, sink.drained()).await.is_ok());
        assert_eq!(sink.missed(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_open_breaker_or_a_full_queue_keeps_away_is_missed() {
        let (sink, permits) = slow();
        (0..QUEUE + 2).for_each(|_| tell_it(&sink));
        assert_eq!(sink.missed(), 2);
        permits.add_permits(QUEUE);
        sink.drained().await;
        for id in 0..5 {
            sink.breaker.failed(Some(Id(id)), &Fault::error("x"));
        }
        tell_it(&sink);
        sink.drained().await;
        assert_eq!(sink.missed(), 3);
    }
}
