//! A connection to a server, as sinks know it: a session that lasts as long as the connection, whatever messages go over it.
//!
//! Its end is told under the snapshot of the last message that went over it: `out.quit` before QUIT, and `out.disconnect` once,
//! however it ends.

use crate::event::{Event, Focus, Leg, Plan, SessionState, Stage};
use crate::mail::Origin;
use crate::snapshot::Snapshot;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A connection.
pub(super) struct Link {
    snapshot: Arc<Snapshot>,
    /// Of the last message.
    origin: Origin,
    /// That of the last message, without its recipients.
    leg: Leg,
    pub(super) session: SessionState,
}

impl Link {
    /// One that was just made. Its session is called like the message that it was made for.
    pub(super) fn new(snapshot: Arc<Snapshot>, origin: Origin, leg: Leg, session: SessionState) -> Self {
        Self { snapshot, origin, leg: alone(leg), session }
    }

    /// Another message goes over it.
    pub(super) fn pass_on(&mut self, snapshot: Arc<Snapshot>, origin: Origin, leg: Leg) {
        (self.snapshot, self.origin, self.leg) = (snapshot, origin, alone(leg));
    }

    /// QUIT is next.
    pub(super) async fn quit(&mut self) {
        let mut plan = Plan::new(Some("QUIT".to_owned()));
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.session);
        stage.focus = Focus::Client { leg: &self.leg, plan: &mut plan };
        // There is nothing that a sink could keep us from.
        self.snapshot.dispatcher.raise(Event::OutQuit, &mut stage).await;
    }
}

impl Drop for Link {
    /// Without a runtime the server is gone, and nobody is left to tell.
    fn drop(&mut self) {
        if !self.snapshot.dispatcher.hears(Event::OutDisconnect) || Handle::try_current().is_err() {
            return;
        }
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.session);
        stage.focus = Focus::Leg(&self.leg);
        self.snapshot.dispatcher.tell(Event::OutDisconnect, &stage);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("leg", &self.leg).finish_non_exhaustive()
    }
}

fn alone(leg: Leg) -> Leg {
    Leg { recipients: Vec::new(), reply: None, ..leg }
}
