//! Delivery on a connection that the receiver has made and turned round: the dialogue is that of any SMTP server, from the greeting on.

use super::Job;
use super::connection::Connection;
use super::safety::Safety;
use super::smtp::carry_on;
use super::stream::Stream;
use crate::event::host::Duplex;
use crate::mail::Domain;
use crate::smtp::client::Hop;
use crate::transport::ears::Ears;
use crate::transport::outcome::Outcome;

/// A turned connection on which we are the client.
pub(in crate::transport) struct Called {
    connection: Connection,
    /// The other side, as outcomes name it.
    remote: String,
    delivered: usize,
    deferred: usize,
    failed: usize,
}

impl Called {
    /// Waits for the greeting and says hello. The error is for the log.
    pub(in crate::transport) async fn greet(
        stream: Box<dyn Duplex>,
        hostname: &Domain,
        remote: String,
    ) -> Result<Self, String> {
        let hop = Hop { helo: hostname.clone(), lmtp: false };
        // What TLS there is was agreed on before the roles were swapped.
        let (stream, safety) = (Stream::foreign(stream), Safety::none());
        let greeted = Connection::greet(stream, hop, (&safety, &remote), &remote, None).await;
        let connection = greeted.map_err(|unmet| unmet.cause.to_string())?;
        Ok(Self { connection, remote, delivered: 0, deferred: 0, failed: 0 })
    }

    /// Whether it can carry another message.
    pub(in crate::transport) fn is_ready(&mut self) -> bool {
        self.connection.is_ready()
    }

    /// Tries to hand the job over: one outcome per target, in their order.
    pub(in crate::transport) async fn deliver(
        &mut self,
        job: &Job<'_>,
        mut ears: Option<&mut Ears<'_>>,
    ) -> Vec<Outcome> {
        self.connection.hear_by(&self.remote, ears.as_deref_mut());
        let outcomes = carry_on(&mut self.connection, &self.remote, job, ears).await;
        for outcome in &outcomes {
            *match outcome {
                Outcome::Delivered(_) => &mut self.delivered,
                Outcome::Deferred(_) => &mut self.deferred,
                Outcome::Failed(_) => &mut self.failed,
            } += 1;
        }
        outcomes
    }

    /// How many recipients were delivered to, deferred, and failed.
    pub(in crate::transport) fn counts(&self) -> (usize, usize, usize) {
        (self.delivered, self.deferred, self.failed)
    }

    /// Takes leave.
    pub(in crate::transport) async fn quit(self) {
        self.connection.quit().await;
    }
}
