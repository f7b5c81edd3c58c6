//! Answers sessions whether a recipient exists: from memory, or by asking its next hops.
//!
//! An answer or none comes within [`PATIENCE`]. The way is that of the configuration in force; `transport.route` is not raised,
//! for there is no message yet. A hop that is no server, a Maildir for instance, can't be asked: whatever gets as far as it
//! is taken. What probes meet counts for nothing in the traffic of deliveries.

use super::answer::told;
use super::cache::{Lifetimes, Unanswered, Verdict, VerifyCache};
use super::question::Question;
use super::room::Room;
use crate::directory::{Existence, Verify};
use crate::mail::{ForwardPath, Mailbox, Origin};
use crate::transport::categorize::Category;
use crate::transport::pipeline::Pipeline;
use crate::transport::route::route;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// No client is kept waiting longer at RCPT. It would wait for five minutes (RFC 5321 4.5.3.2.3), but has other recipients.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks next hops, and remembers what they say.
pub struct Prober {
    pipeline: Arc<Pipeline>,
    cache: VerifyCache,
    room: Room,
}

impl Prober {
    /// One that finds and reaches hosts as deliveries do.
    pub fn new(pipeline: Arc<Pipeline>) -> Self {
        Self { pipeline, cache: VerifyCache::default(), room: Room::default() }
    }
}

#[async_trait]
impl Verify for Prober {
    async fn exists(&self, recipient: &Mailbox, origin: &Origin) -> Existence {
        let snapshot = self.pipeline.queue.current.pin();
        let settings = &snapshot.settings;
        let hops = match route(settings, &Category::Remote(recipient.domain_key().into_owned())) {
            Ok(route) => route.0,
            Err(outcome) => return Existence::Unknown(outcome.to_string()),
        };
        let servers: Vec<_> = hops.iter().take_while(|hop| hop.site().is_some()).cloned().collect();
        if servers.is_empty() {
            return Existence::Yes;
        }
        let path = ForwardPath::Mailbox(recipient.clone());
        let question = Question { pipeline: &self.pipeline, snapshot: &snapshot, origin, recipient: &path };
        let probe = || async {
            let answer = timeout(PATIENCE, question.ask(&servers, &self.room)).await;
            answer.unwrap_or_else(|_| Err(Unanswered(format!("no answer within {} seconds", PATIENCE.as_secs()))))
        };
        let keep = Lifetimes { yes: settings.recipients.verify_keep_yes, no: settings.recipients.verify_keep_no };
        match self.cache.ask(recipient, Instant::now().into_std(), keep, probe).await {
            Ok(Verdict::Yes) => Existence::Yes,
            Ok(Verdict::No(said)) => Existence::No(told(&said)),
            // The hop behind the servers takes what they leave.
            Err(_) if servers.len() < hops.len() => Existence::Yes,
            Err(Unanswered(why)) => Existence::Unknown(why),
        }
    }
}
