//! Mail on demand: what waits to be called for, and what is tried because its receiver asks for it (RFC 1985, RFC 2645).
//!
//! * `waiting`: who waits for whom. A recipient whose route is `turn` is not tried by itself; each pass over it notes it here, and it
//!   goes when its receiver turns a connection round, or fails when its time is up.
//! * `start`: what waits for a domain is made due.
//! * `hand_over`: what waits is sent on a connection that was turned round.

mod hand_over;
mod start;
mod waiting;

pub(super) use waiting::Waiting;

use super::pipeline::Pipeline;
use crate::event::host::{QueueControl, QueueFault, Scope, Turnaround, Turned};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What receivers ask of the transport.
pub struct OnDemand {
    pipeline: Arc<Pipeline>,
    /// The spool is read for one asker at a time.
    reading: Semaphore,
}

impl OnDemand {
    /// For this pipeline.
    pub fn new(pipeline: Arc<Pipeline>) -> Arc<Self> {
        Arc::new(Self { pipeline, reading: Semaphore::new(1) })
    }
}

#[async_trait]
impl QueueControl for OnDemand {
    async fn start(&self, scopes: &[Scope], by: &str) -> Result<usize, QueueFault> {
        let _reading = self.reading.try_acquire().map_err(|_| QueueFault::Busy)?;
        start::start(&self.pipeline, scopes, by).await
    }

    fn waiting(&self, scopes: &[Scope]) -> usize {
        self.pipeline.waiting.messages(scopes, |id| self.pipeline.queue.has(id)).len()
    }
}

#[async_trait]
impl Turnaround for OnDemand {
    async fn turn(&self, turned: Turned) {
        hand_over::hand_over(&self.pipeline, turned).await;
    }
}
