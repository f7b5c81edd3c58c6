//! Who is behind a connection: the peer itself, or whom its PROXY header names.

use super::listener::Server;
use super::proxy::{self, Header};
use super::trust::holds;
use crate::config::listener::Listener;
use crate::mail::Properties;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};

/// Name of the properties that say what a PROXY header said.
const PROXY: &str = "proxy";

/// Who is behind a connection.
pub(super) struct Arrival {
    pub(super) client: IpAddr,
    /// The proxy and what it knows, for sinks.
    pub(super) properties: Properties,
}

/// Reads the PROXY header where the listener wants one. None: the connection is to be closed, and the log says why.
pub(super) async fn arrival<S>(
    server: &Server,
    stream: &mut S,
    peer: SocketAddr,
    listener: &Listener,
) -> Option<Arrival>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let peer = peer.ip().to_canonical();
    let proxies = &listener.proxies.proxy_protocol;
    if proxies.is_empty() {
        return Some(Arrival { client: peer, properties: Properties::default() });
    }
    let name = &listener.name;
    if !holds(proxies, peer) {
        tracing::warn!(%peer, listener = %name, "connection closed: it is from none of the proxies in `proxy-protocol`");
        return None;
    }
    let received = tokio::select! {
        received = proxy::receive(stream) => received,
        () = server.stopping.cancelled() => return None,
    };
    match received {
        Ok(header) => Some(behind(peer, &header)),
        Err(trouble) => {
            tracing::warn!(%peer, listener = %name, "connection closed: {trouble}");
            None
        }
    }
}

/// The client that a header names. The proxy's own connections are those of any other client at its address.
fn behind(peer: IpAddr, header: &Header) -> Arrival {
    let mut properties = Properties::default();
    let mut note = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            properties.set(PROXY, key, value.into());
        }
    };
    note("peer", Some(peer.to_string()));
    note("destination", header.addresses.map(|a| a.destination.to_string()));
    note("port", header.addresses.map(|a| a.source.port().to_string()));
    note("authority", header.authority.clone());
    note("tls", header.tls.clone());
    let client = header.addresses.map_or(peer, |a| a.source.ip().to_canonical());
    tracing::debug!(%peer, %client, authority = header.authority.as_deref(), tls = header.tls.as_deref(), "PROXY header");
    Arrival { client, properties }
}
