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
    /// Who has asked and is not served yet.
    askers: Arc<Semaphore>,
    /// One is served at a time: each message is read, and written if it was not due.
    serving: Arc<Semaphore>,
}

/// Beyond these somebody is told to ask later.
const ASKERS: usize = 100;

impl OnDemand {
    /// For this pipeline.
    pub fn new(pipeline: Arc<Pipeline>) -> Arc<Self> {
        let (askers, serving) = (Arc::new(Semaphore::new(ASKERS)), Arc::new(Semaphore::new(1)));
        Arc::new(Self { pipeline, askers, serving })
    }
}

#[async_trait]
impl QueueControl for OnDemand {
    async fn start(&self, scopes: &[Scope], by: &str) -> Result<usize, QueueFault> {
        if self.pipeline.stopping.is_cancelled() {
            return Err(QueueFault::Unavailable("the server stops".to_owned()));
        }
        let asker = self.askers.clone().try_acquire_owned().map_err(|_| QueueFault::Busy)?;
        let count = start::count(&self.pipeline.queue, scopes).await?;
        let named: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        tracing::info!(messages = count, by, "queue started for {}", named.join(", "));
        if count > 0 {
            let (pipeline, serving, scopes) = (self.pipeline.clone(), self.serving.clone(), scopes.to_vec());
            tokio::spawn(async move {
                let _asker = asker;
                if let Ok(_serving) = serving.acquire().await {
                    start::make_due(&pipeline, &scopes).await;
                }
            });
        }
        Ok(count)
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
