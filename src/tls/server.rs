//! What a listener has in force: certificates, versions, tickets, and what it asks of clients.
//!
//! Everything about resumption belongs to one such value: a ticket that one listener gave out opens nothing at another, nor at
//! the same one once its settings or files have changed. A reload that changes neither carries the value over, tickets and all.

use super::authorities::authorities;
use super::certificate::Certificate;
use super::challenge::Challenges;
use super::clients::Clients;
use super::pair::{self, Loaded};
use super::provider;
use super::store::Store;
use super::version;
use super::{challenge, kept};
use crate::config::listener::Tls;
use crate::config::listener::tls::{self as setting, MinVersion, Pair};
use crate::config::{Diagnostics, Settings};
use crate::mail::{PeerCertificate, TlsFacts};
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{Acceptor, ServerConnection, ServerSessionMemoryCache};
use rustls::{ProtocolVersion, ServerConfig};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// Octets that wait to be sent on a connection at most; whoever writes more waits.
const SEND_BUFFER: usize = 32 * 1024;
/// Sessions that TLS 1.2 clients without tickets can resume.
const SESSIONS: usize = 1024;
/// Channel bindings: RFC 9266 2.
const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";
/// A client that means to speak something else is told so in the handshake (RFC 7301 3.2): what was meant for a web server
/// must not be replayed to this one.
const PROTOCOL: &[u8] = b"smtp";

/// The TLS of one listener.
pub struct Server {
    config: Arc<ServerConfig>,
    clients: Option<Arc<Clients>>,
    certified: bool,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// A connection after its handshake.
pub struct Secured<S> {
    /// The stream; what is read from it and written to it is in the clear.
    pub stream: S,
    /// What is known of it.
    pub facts: TlsFacts,
    /// What binds an authentication to this connection and no other, where the version allows it (RFC 9266, TLS 1.3).
    pub binding: Option<[u8; 32]>,
}

/// Notes everything that is wrong with certificates and keys of the settings, those that we show as a client included.
pub fn check(settings: &Settings, found: &mut Diagnostics) {
    let mut seen = Vec::new();
    for tls in settings.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
        if !seen.contains(&tls) {
            // What several listeners share is told once.
            note_once(found, |found| drop(build(tls, found)));
            seen.push(tls);
        }
    }
    for pair in settings.delivery.relays().filter_map(|relay| relay.identity.as_ref()) {
        note_once(found, |found| drop(pair::load(pair, false, found)));
    }
}

/// Notes what is found and has not been noted before.
fn note_once(found: &mut Diagnostics, look: impl FnOnce(&mut Diagnostics)) {
    let mut fresh = Diagnostics::default();
    std::mem::swap(&mut fresh.sources, &mut found.sources);
    look(&mut fresh);
    std::mem::swap(&mut fresh.sources, &mut found.sources);
    for diagnostic in fresh.iter() {
        if !found.iter().any(|told| told.message == diagnostic.message && told.span == diagnostic.span) {
            found.add(diagnostic.clone());
        }
    }
}

impl Server {
    /// What the settings ask for. They have passed [`check`]; the error is printed as it is.
    pub fn new(tls: &Tls) -> Result<Self, String> {
        let mut found = Diagnostics::default();
        match build(tls, &mut found) {
            Some(server) if !found.has_errors() => Ok(server),
            _ => Err(found.to_string()),
        }
    }

    /// Whether there is a certificate to show. Those that the server fetches by itself come only once it runs.
    pub fn is_certified(&self) -> bool {
        self.certified
    }

    /// Does the handshake. The error is for the operator; what TLS has to tell the client was told.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<Secured<TlsStream<S>>> {
        self.secured(TlsAcceptor::from(self.config.clone()).accept_with(stream, limit).await?)
    }

    /// The same where an authority may look for what it is to be shown. Nothing: it was one, and has seen it; the connection is
    /// closed.
    pub async fn accept_beside<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        challenges: &Challenges,
        stream: S,
    ) -> io::Result<Option<Secured<TlsStream<S>>>> {
        if !challenges.any() {
            return self.accept(stream).await.map(Some);
        }
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        if let Some(config) = challenges.of(&start.client_hello()) {
            return challenge::finish(start, config).await.map(|()| None);
        }
        self.secured(start.into_stream_with(self.config.clone(), limit).await?).map(Some)
    }

    fn secured<S>(&self, stream: TlsStream<S>) -> io::Result<Secured<TlsStream<S>>> {
        let connection = stream.get_ref().1;
        let facts = self.facts(connection);
        if self.clients.as_ref().is_some_and(|clients| clients.required()) && facts.verified_peer().is_none() {
            // A resumed session, whose certificate has expired since.
            return Err(io::Error::other("nobody vouches for the client's certificate any more"));
        }
        let binding = binding(connection);
        Ok(Secured { stream, facts, binding })
    }

    fn facts(&self, connection: &ServerConnection) -> TlsFacts {
        let suite = connection.negotiated_cipher_suite().and_then(|s| s.suite().as_str()).unwrap_or_default();
        TlsFacts {
            version: connection.protocol_version().map(version_name).unwrap_or_default().to_owned(),
            // IANA names those of TLS 1.3 without its number.
            cipher: suite.replacen("TLS13_", "TLS_", 1),
            sni: connection.server_name().map(str::to_ascii_lowercase),
            peer: self.peer(connection),
        }
    }

    fn peer(&self, connection: &ServerConnection) -> Option<PeerCertificate> {
        let clients = self.clients.as_ref()?;
        let chain = connection.peer_certificates()?;
        let vouched = clients.vouched(chain);
        if let Err(why) = &vouched {
            tracing::debug!(%why, "nobody vouches for the client's certificate");
        }
        match Certificate::read(chain.first()?) {
            Ok(own) => Some(own.as_peer(vouched.is_ok())),
            Err(why) => {
                tracing::debug!(%why, "the client's certificate can't be read");
                None
            }
        }
    }
}

fn limit(connection: &mut ServerConnection) {
    connection.set_buffer_limit(Some(SEND_BUFFER));
}

fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        other => other.as_str().unwrap_or("TLS"),
    }
}

fn binding(connection: &ServerConnection) -> Option<[u8; 32]> {
    // In TLS 1.2 the exporter binds only with an extension (RFC 7627) of which rustls does not say whether it was used.
    (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)).then_some(())?;
    connection.export_keying_material([0; 32], EXPORTER, Some(&[])).ok()
}

/// Builds what the settings ask for, and notes what is wrong.
fn build(tls: &Tls, found: &mut Diagnostics) -> Option<Server> {
    let mut known = HashMap::new();
    let loaded = tls.certificates.iter().map(|certificate| match certificate {
        setting::Certificate::Files(pair) => load_once(pair, &mut known, found).map(Some),
        setting::Certificate::Acme(ordered) => kept::load(ordered, found),
    });
    let loaded: Vec<Option<Option<Loaded>>> = loaded.collect();
    let authorities = tls.client_ca.as_ref().map(|file| authorities(file, found));
    let loaded: Vec<Loaded> = loaded.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let certified = !loaded.is_empty();
    let authorities = match authorities {
        Some(authorities) => Some(authorities?),
        None => None,
    };
    let asked = tls.clients != setting::Clients::None;
    let clients = Clients::new(tls.clients == setting::Clients::Required, authorities);
    let made = clients.and_then(|clients| {
        let clients = asked.then(|| Arc::new(clients));
        Ok(Server { config: Arc::new(config(tls, loaded, clients.clone())?), clients, certified })
    });
    made.map_err(|why| found.error(None, format!("TLS can't be set up: {why}"))).ok()
}

/// A pair that is named twice is loaded, and told of, once.
fn load_once<'a>(
    pair: &'a Pair,
    known: &mut HashMap<(&'a std::path::Path, &'a std::path::Path), Option<Loaded>>,
    found: &mut Diagnostics,
) -> Option<Loaded> {
    let paths = (pair.certificate.path.as_path(), pair.key.path.as_path());
    known.entry(paths).or_insert_with(|| pair::load(pair, false, found)).clone()
}

fn config(tls: &Tls, loaded: Vec<Loaded>, clients: Option<Arc<Clients>>) -> Result<ServerConfig, String> {
    let versions = match tls.min_version {
        MinVersion::Tls12 => version::SINCE_12,
        MinVersion::Tls13 => version::SINCE_13,
    };
    let builder = ServerConfig::builder_with_provider(provider());
    let builder = builder.with_protocol_versions(versions).map_err(|e| e.to_string())?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Store::new(loaded)));
    config.ignore_client_order = true;
    config.ticketer = Ticketer::new().map_err(|e| e.to_string())?;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}
