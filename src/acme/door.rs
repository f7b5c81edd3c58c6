//! A door for authorities: some connections at a time, each for a short time; who comes beside them is not served.

use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// For everything on a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// After an accept fails, as it does without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves one address until the server stops. `what` is answered there, for the log.
pub(super) async fn serve<F, W>(listener: TcpListener, what: &'static str, stopping: CancellationToken, answer: F)
where
    F: Fn(TcpStream) -> W,
    W: Future<Output = io::Result<()>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                let Ok(place) = room.clone().try_acquire_owned() else { continue };
                let answering = answer(stream);
                tokio::spawn(async move {
                    match tokio::time::timeout(PATIENCE, answering).await {
                        Ok(Ok(())) => tracing::debug!(%client, what, "an authority was answered"),
                        Ok(Err(error)) => tracing::debug!(%client, what, %error, "not answered"),
                        Err(_) => tracing::debug!(%client, what, "not answered: it took too long"),
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, what, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
