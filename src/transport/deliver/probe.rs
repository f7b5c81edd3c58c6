//! Asks a server for a recipient, as for a delivery with the null reverse-path, and goes no further than its reply to RCPT.
//!
//! A connection that has asked is kept for a moment for the next question ([`super::pool`]). Whether what was said is an answer is
//! for whoever asks. No event is raised: there is no message that it would be about.

use super::connection::Connection;
use super::pool::{Key, Open};
use super::smtp::{Refusal, Way, is_stale};
use crate::mail::{Domain, ForwardPath};
use crate::smtp::client::{Cause, Hop, Letter, RcptOutcome, Stage, Terms, Trouble};

/// What a server said of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The server, as outcomes name it.
    pub remote: String,
    /// How the recipient fared. Delivered: the server would take a message for it.
    pub outcome: RcptOutcome,
}

impl Way<'_> {
    /// Asks the first of the host's addresses that greets us.
    pub(super) async fn probe(&self, hostname: &Domain, recipient: &ForwardPath) -> Probed {
        let hop = Hop { helo: hostname.clone(), lmtp: self.lmtp };
        let safety = self.safety.clone();
        let key = Key { address: self.address.to_owned(), hop, terms: Terms::default(), safety };
        if let Some(mut open) = self.pool.take(&key) {
            let outcome = ask(&mut open.connection, recipient).await;
            if !is_stale(&outcome) {
                return self.keep(key, open, outcome);
            }
        }
        match self.open(&key, None).await {
            Ok((remote, connection)) => {
                let mut open = Open { connection, remote, uses: 0 };
                let outcome = ask(&mut open.connection, recipient).await;
                self.keep(key, open, outcome)
            }
            Err(Refusal { remote, cause }) => Probed { remote, outcome: RcptOutcome::Deferred(cause) },
        }
    }

    fn keep(&self, key: Key, open: Open, outcome: RcptOutcome) -> Probed {
        let remote = open.remote.clone();
        self.pool.put(key, open, None);
        Probed { remote, outcome }
    }
}

async fn ask(connection: &mut Connection, recipient: &ForwardPath) -> RcptOutcome {
    let outcomes = connection.probe(Letter::question(recipient.clone())).await;
    let nothing = || RcptOutcome::Deferred(Cause::Trouble { stage: Stage::Idle, trouble: Trouble::Closed });
    outcomes.into_iter().next().unwrap_or_else(nothing)
}
