//! Accepting control connections and reading their requests, one after the other.

use super::access::{Access, Peer};
use super::commands::Ops;
use super::protocol::{Request, Response};
use super::socket::Socket;
use super::wire::Wire;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 64;
/// After an accept fails, as it does without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until the server stops; then finishes those in progress and removes the socket's file.
pub async fn run(socket: Socket, ops: Arc<Ops>, stopping: CancellationToken) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let tasks = TaskTracker::new();
    loop {
        let seat = tokio::select! {
            seat = seats.clone().acquire_owned() => seat,
            () = stopping.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (access, ops, stopping) = (socket.access.clone(), ops.clone(), stopping.clone());
                tasks.spawn(async move {
                    if let Err(error) = admit(stream, access, &ops, &stopping).await {
                        tracing::debug!(%error, "a control connection broke");
                    }
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // From here on clients are told that the server does not run.
    drop(socket);
    tasks.close();
    tasks.wait().await;
}

async fn admit(stream: UnixStream, access: Access, ops: &Ops, stopping: &CancellationToken) -> io::Result<()> {
    let credentials = stream.peer_cred()?;
    let peer = Peer { uid: credentials.uid(), gid: credentials.gid() };
    converse(stream, peer, access, ops, stopping).await
}

/// One connection of this peer, to its end.
pub(super) async fn converse(
    stream: UnixStream,
    peer: Peer,
    access: Access,
    ops: &Ops,
    stopping: &CancellationToken,
) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    let refusal = tokio::task::spawn_blocking(move || (!access.admits(peer)).then(|| access.refusal(peer))).await?;
    if let Some(refusal) = refusal {
        tracing::warn!(uid = peer.uid, gid = peer.gid, "a control connection was refused");
        return fail(&mut wire, refusal).await;
    }
    loop {
        let line = tokio::select! {
            line = wire.line() => line,
            () = stopping.cancelled() => return Ok(()),
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return fail(&mut wire, error.to_string()).await;
            }
            Err(error) => return Err(error),
        };
        let Ok(request) = serde_json::from_slice::<Request>(&line) else {
            let text = "the request is not known here: is the server of another version than the command line?";
            return fail(&mut wire, text.to_owned()).await;
        };
        let flow = ops.carry_out(request, &mut wire, stopping).await?;
        wire.flush().await?;
        if flow == ControlFlow::Break(()) {
            return Ok(());
        }
    }
}

async fn fail(wire: &mut Wire, text: String) -> io::Result<()> {
    wire.say(&Response::Failed(text)).await?;
    wire.flush().await
}
