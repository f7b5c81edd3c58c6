//! Accepting connections, within the limits on their number.

use super::arrival::{Arrival, arrival};
use super::ask::Asker;
use super::connection::Connection;
use super::gate::{Full, Gate};
use super::guard::Room;
use super::handshakes::Handshakes;
use super::logins::Logins;
use crate::config::listener::tls::Mode;
use crate::directory::Verify;
use crate::event::host::Turnaround;
use crate::intake::Intake;
use crate::mail::{Door, EnhancedCode, Origin, Reply, Role};
use crate::smtp::Session;
use crate::snapshot::Current;
use crate::tls;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const TOO_MANY: Reply =
    Reply::new(421, EnhancedCode(4, 3, 2), "Too many connections at present; please try again later");
const TOO_MANY_FROM_YOU: Reply =
    Reply::new(421, EnhancedCode(4, 7, 0), "Too many connections from your address; please try again later");
/// After an accept fails, as it does without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub struct Server {
    /// The snapshot in force.
    pub current: Arc<Current>,
    /// Where messages go.
    pub intake: Arc<Intake>,
    /// The number of connections.
    pub gate: Arc<Gate>,
    /// Free space.
    pub room: Room,
    /// Who is asked whether recipients of other domains exist. None: nobody.
    pub verify: Option<Arc<dyn Verify>>,
    /// Who is asked when somebody logs in.
    pub logins: Logins,
    /// How handshakes ended.
    pub handshakes: Arc<Handshakes>,
    /// What authorities are shown where the handshake comes first.
    pub challenges: Arc<tls::Challenges>,
    /// Who sends on connections that their clients turn round. None: nobody.
    pub turnaround: Option<Arc<dyn Turnaround>>,
    /// Set when the server begins to stop.
    pub stopping: CancellationToken,
    /// The connections' tasks.
    pub tasks: TaskTracker,
}

/// Accepts connections on the listener with this index in the settings, until the server stops.
pub async fn run(server: Arc<Server>, listener: TcpListener, index: usize) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stopping.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let server = server.clone();
                let tasks = server.tasks.clone();
                tasks.spawn(serve(server, stream, peer, index));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(server: Arc<Server>, mut stream: TcpStream, peer: SocketAddr, index: usize) {
    let snapshot = server.current.pin();
    let (Some(settings), Some(profile)) = (snapshot.settings.listeners.get(index), snapshot.profiles.get(index)) else {
        return;
    };
    let limits = &snapshot.settings.limits;
    let pass = match server.gate.arrive(limits.connections) {
        Ok(pass) => pass,
        Err(full) => return turn_away(&mut stream, peer.ip(), full).await,
    };
    let Some(Arrival { client, properties }) = arrival(&server, &mut stream, peer, settings).await else { return };
    let pass = match pass.of(client, limits.connections_per_client) {
        Ok(pass) => pass,
        Err(full) => return turn_away(&mut stream, client, full).await,
    };
    // Replies are gathered here; what is written is meant to leave.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %client, "no TCP_NODELAY");
    }
    let id = server.intake.next_id();
    let mut origin = Origin::door(if settings.role == Role::Lmtp { Door::Lmtp } else { Door::Smtp });
    origin.session = Some(id);
    origin.listener = Some(settings.name.as_str().into());
    origin.role = Some(settings.role);
    origin.client = Some(client);
    let implicit = settings.tls.as_ref().is_some_and(|tls| tls.mode == Mode::Implicit);
    let session = if implicit { Session::new_secured(profile.clone()) } else { Session::new(profile.clone()) };
    let mut asker = Asker::new(server.clone(), snapshot.clone(), index, origin, id);
    if !properties.is_empty() {
        asker.state.facts_mut().properties = properties;
    }
    let mut connection = Connection::new(stream, session, asker);
    if implicit && connection.secure(Some(&server.challenges)).await.is_err() {
        return;
    }
    if let Err(error) = connection.run().await {
        tracing::debug!(%error, session = %id, %client, "the connection broke");
    }
    drop(pass);
}

async fn turn_away(stream: &mut TcpStream, client: IpAddr, full: Full) {
    let reply = match full {
        Full::All => TOO_MANY,
        Full::Client => TOO_MANY_FROM_YOU,
    };
    tracing::info!(%client, %reply, "connection turned away");
    let mut out = Vec::new();
    reply.write(&mut out, false);
    // Best effort: a client that does not take the reply is gone all the same.
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&out)).await {
        tracing::debug!(%error, %client, "the connection broke");
    }
}
