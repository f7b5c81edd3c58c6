//! Notify events: told through a bounded queue per sink; nobody waits, and what does not fit is counted.

use super::binding::Registered;
use super::call;
use super::catalogue::Event;
use super::edit::Edits;
use super::sink::Hearing;
use super::stage::Stage;
use super::transaction::{Focus, SessionState, Transaction};
use crate::mail::Origin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// Notifications that may wait for one sink.
const QUEUE: usize = 1024;

/// What a notify event tells, owned.
pub(super) struct Notice {
    event: Event,
    origin: Origin,
    session: Option<SessionState>,
    transaction: Option<Transaction>,
    deadline: Duration,
}

impl Notice {
    pub(super) fn of(event: Event, stage: &Stage<'_>, deadline: Duration) -> Self {
        Self {
            event,
            origin: stage.origin.clone(),
            session: stage.session.as_deref().cloned(),
            transaction: stage.transaction.as_deref().cloned(),
            deadline,
        }
    }
}

/// A sink's queue. Its task starts with the first notice and ends with the sink.
#[derive(Default)]
pub(super) struct Mailbox {
    queue: OnceLock<mpsc::Sender<Notice>>,
    missed: AtomicU64,
}

impl Mailbox {
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
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
    if queue.try_send(notice).is_err() {
        sink.mailbox.missed.fetch_add(1, Relaxed);
    }
}

async fn work(sink: std::sync::Weak<Registered>, mut queue: mpsc::Receiver<Notice>) {
    while let Some(mut notice) = queue.recv().await {
        let Some(sink) = sink.upgrade() else { return };
        let mut stage = Stage {
            origin: &notice.origin,
            session: notice.session.as_mut(),
            transaction: notice.transaction.as_mut(),
            focus: Focus::None,
            delay: Duration::ZERO,
        };
        let mut edits = Edits::new();
        let answer = match call::hear(&sink, notice.event, None, &stage, &mut edits) {
            Hearing::Now(answer) => answer,
            waiting => call::wait(&sink, waiting, notice.deadline).await.map(|(verdict, _)| verdict),
        };
        // A notify sink's verdict is not asked for; its faults count and are logged.
        let _ = call::settle(&sink, notice.event, &mut stage, answer, edits);
    }
}
