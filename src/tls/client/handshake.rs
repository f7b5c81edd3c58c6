//! The handshake, as a client.
//!
//! Nothing is resumed: a session that was opened under a weaker demand would come back without anybody having looked at the
//! certificate again.

use super::demand::Demand;
use super::failure::{Failure, Kind};
use super::identity::Identity;
use super::verify::Verifier;
use crate::tls::provider;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the handshake has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Established {
    /// `TLSv1.3`, or `TLSv1.2`.
    pub version: String,
    /// The suite, as IANA names it.
    pub cipher: String,
    /// The server has proven who it is.
    pub verified: bool,
    /// What was wrong with its certificate, where that was looked at and not insisted on.
    pub flaw: Option<Failure>,
}

/// Does the handshake with a server of this name, and shows who we are if it asks. The stream is used up if it fails.
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    demand: &Demand,
    identity: Option<&Identity>,
    name: &str,
    stream: S,
) -> Result<(TlsStream<S>, Established), Failure> {
    let verifier = Arc::new(Verifier::new(demand)?);
    let connector = TlsConnector::from(Arc::new(config(verifier.clone(), identity)?));
    let named = ServerName::try_from(name.trim_end_matches('.').to_owned())
        .map_err(|_| Failure::new(Kind::ValidationFailure, format!("`{name}` is no name that TLS knows")))?;
    let stream = connector.connect(named, stream).await.map_err(|error| failure(&error))?;
    let (_, connection) = stream.get_ref();
    let established = Established {
        version: connection.protocol_version().map_or_else(|| "TLS".to_owned(), version),
        cipher: connection.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
        verified: demand.is_authenticated(),
        flaw: verifier.flaw(),
    };
    Ok((stream, established))
}

fn config(verifier: Arc<Verifier>, identity: Option<&Identity>) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Failure::of_rustls(&error))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity.resolver()?),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => Failure::of_rustls(error),
        None => Failure::new(Kind::ValidationFailure, error.to_string()),
    }
}

/// As the log has it.
impl fmt::Display for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = if self.verified { "verified" } else { "not verified" };
        write!(f, "{} {}, {trust}", self.version, self.cipher)
    }
}
