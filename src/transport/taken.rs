//! A message that somebody works on. In whatever way that ends, it goes back into the queue, unless it was ended.

use super::queue::{Fresh, Queue};
use crate::intake::State;
use crate::mail::{Content, Id, Timestamp};
use crate::spool::{Entry, StoreFault};
use std::sync::Arc;
use std::time::Duration;

/// A message over which a pass panicked is left alone for this time.
const PANIC_PAUSE: Duration = Duration::from_secs(60);

/// A message that was taken, of which nothing may be known yet.
pub(super) struct Ticket {
    queue: Arc<Queue>,
    pub(super) id: Id,
    /// It is not due before this time.
    pub(super) not_before: Timestamp,
    fresh: Option<Box<Fresh>>,
    /// As it is to be put back, if that may have changed.
    back: Option<(Arc<Entry>, Option<Content>)>,
    ended: bool,
}

/// A message that was taken.
pub(super) struct Taken {
    pub(super) entry: Arc<Entry>,
    /// Its octets, if they are at hand.
    pub(super) content: Option<Content>,
    ticket: Ticket,
}

impl Ticket {
    pub(super) fn new(queue: Arc<Queue>, id: Id, fresh: Option<Box<Fresh>>) -> Self {
        Self { queue, id, not_before: Timestamp(0), fresh, back: None, ended: false }
    }

    /// What is known of the message, read from the spool if need be. On a fault it goes back as it was.
    pub(super) async fn load(mut self) -> Result<Taken, (Self, StoreFault)> {
        if let Some(fresh) = self.fresh.take() {
            let Fresh { entry, content } = *fresh;
            return Ok(Taken { entry, content, ticket: self });
        }
        let (spool, id) = (self.queue.spool.clone(), self.id);
        let read = tokio::task::spawn_blocking(move || spool.entry(id)).await;
        // The runtime ends.
        match read.unwrap_or_else(|error| Err(StoreFault::Sick(error.to_string()))) {
            Ok(entry) => Ok(Taken { entry: Arc::new(entry), content: None, ticket: self }),
            Err(fault) => Err((self, fault)),
        }
    }
}

impl Taken {
    /// It is not due before this time.
    pub(super) fn not_before(&mut self, time: Timestamp) {
        self.ticket.not_before = time;
    }

    /// It is done, and leaves the queue.
    pub(super) fn end(mut self, state: State) {
        self.ticket.ended = true;
        self.ticket.queue.end(&self.entry, state);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.ticket.back = Some((self.entry.clone(), self.content.take()));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if std::thread::panicking() {
            let pause = PANIC_PAUSE.as_secs();
            tracing::error!(id = %self.id, "work on a message panicked, a bug; it is tried again in {pause} s");
            self.not_before = self.queue.clock.now().plus(PANIC_PAUSE);
        }
        match (self.back.take(), self.fresh.take()) {
            (Some((entry, content)), _) => self.queue.put_due(&entry, content, self.not_before),
            (None, Some(fresh)) => self.queue.put_due(&fresh.entry, fresh.content, self.not_before),
            (None, None) => self.queue.put_back(self.id, self.not_before),
        }
    }
}
