//! TLS of the client in `source.rs`.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, Error, HandshakeKind, NamedGroup, SignatureScheme};
use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Where the handshake has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// After STARTTLS.
    Starttls,
    /// Before everything else.
    Implicit,
}

/// A connection, encrypted or not.
pub(crate) type Stream = Box<dyn Duplex>;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

/// What all connections share: their sessions, and the count.
pub(crate) struct Tls {
    pub(crate) mode: Mode,
    connector: TlsConnector,
    tickets: Arc<Tickets>,
    /// Handshakes.
    pub(crate) done: Cell<usize>,
    /// Those that took up a session.
    pub(crate) resumed: Cell<usize>,
}

impl Tls {
    pub(crate) fn new(mode: Mode, resume: bool) -> Self {
        let provider = CryptoProvider {
            cipher_suites: vec![cipher_suite::TLS13_AES_256_GCM_SHA384],
            kx_groups: vec![kx_group::X25519],
            ..default_provider()
        };
        let builder = ClientConfig::builder_with_provider(provider.into()).with_protocol_versions(&[&TLS13]);
        let builder = builder.expect("a provider of TLS 1.3").dangerous();
        let mut config = builder.with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
        let tickets = Arc::new(Tickets::default());
        config.resumption = if resume { Resumption::store(tickets.clone()) } else { Resumption::disabled() };
        Self { mode, connector: Arc::new(config).into(), tickets, done: Cell::new(0), resumed: Cell::new(0) }
    }

    /// From here on sessions are taken up, and handshakes counted anew.
    pub(crate) fn begin(&self) {
        self.tickets.used.store(true, Relaxed);
        self.done.set(0);
        self.resumed.set(0);
    }

    pub(crate) async fn secure(&self, stream: Stream) -> io::Result<Stream> {
        let name = ServerName::try_from("bench.example").expect("a name");
        let stream = self.connector.connect(name, stream).await?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        self.done.set(self.done.get() + 1);
        self.resumed.set(self.resumed.get() + usize::from(resumed));
        Ok(Box::new(stream))
    }
}

/// Believes every certificate, and that whoever shows it has its key.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// The tickets that were given out, each of which serves once. Postfix makes one for a whole handshake and none for a session that was
/// taken up: as many have to be gathered first as are to be used.
#[derive(Debug, Default)]
struct Tickets {
    kept: Mutex<Vec<Tls13ClientSessionValue>>,
    used: AtomicBool,
}

impl ClientSessionStore for Tickets {
    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(ticket);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.used.load(Relaxed).then(|| self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()).flatten()
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
}
