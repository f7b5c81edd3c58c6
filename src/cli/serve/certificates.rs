//! The wiring of the certificates that the server fetches: sockets for authorities, and the task.

use crate::acme::Board;
use crate::event::host::Clock;
use crate::manifest::reload::Reloader;
use crate::snapshot::Current;
use crate::tls::Challenges;
use std::net::TcpListener;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The sockets at which authorities look, in the order of the settings.
#[derive(Default)]
pub(super) struct Doors {
    pub(super) http: Vec<TcpListener>,
    pub(super) tls_alpn: Vec<TcpListener>,
}

/// What the task needs of the other rooms.
#[cfg_attr(not(feature = "acme"), expect(dead_code, reason = "there is nothing to fetch"))]
pub(super) struct Rooms {
    pub(super) current: Arc<Current>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reloader: Arc<Reloader>,
    /// What listeners show.
    pub(super) challenges: Arc<Challenges>,
    pub(super) board: Arc<Board>,
}

/// Begins to answer authorities, and to ask them.
#[cfg(feature = "acme")]
pub(super) fn begin(
    doors: Doors,
    rooms: Rooms,
    workers: &TaskTracker,
    stopping: &CancellationToken,
) -> Result<(), String> {
    use crate::acme::{Renewer, Shown, http01, tls_alpn01};
    let Rooms { current, clock, reloader, challenges, board } = rooms;
    let shown = Shown::beside(challenges.clone());
    let open = |socket| tokio::net::TcpListener::from_std(socket).map_err(|e| format!("cannot listen: {e}"));
    for socket in doors.http {
        workers.spawn(http01::serve(open(socket)?, shown.clone(), stopping.clone()));
    }
    for socket in doors.tls_alpn {
        workers.spawn(tls_alpn01::serve(open(socket)?, challenges.clone(), stopping.clone()));
    }
    let renewer = Renewer { current, clock, shown, board, reload: reloader };
    workers.spawn(renewer.run(stopping.clone()));
    Ok(())
}

/// Without the feature there is nothing to answer: the settings have no doors.
#[cfg(not(feature = "acme"))]
pub(super) fn begin(_: Doors, _: Rooms, _: &TaskTracker, _: &CancellationToken) -> Result<(), String> {
    Ok(())
}

#[cfg(feature = "acme")]
#[async_trait::async_trait]
impl crate::acme::Reload for Reloader {
    async fn reload(&self) {
        // It logs how it went.
        let _ = Self::reload(self).await;
    }
}
