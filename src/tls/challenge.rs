//! Certificates that are shown to an authority alone, while it looks whether a name is ours: TLS-ALPN-01 (RFC 8737).
//!
//! Nobody is shown one who does not offer the protocol `acme-tls/1`, and nothing else, and asks for the name. After the handshake
//! the connection is closed. What is to be shown is put here by whoever has asked the authority for a certificate.

use super::store::Store;
use super::{provider, version};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

/// RFC 8737 6.2.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is to be shown at present, by name in lower case.
#[derive(Default)]
pub struct Challenges(RwLock<HashMap<String, Arc<ServerConfig>>>);

impl Challenges {
    /// From now on this certificate is shown for the name.
    pub fn show(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), String> {
        let key = provider().key_provider.load_private_key(key).map_err(|e| e.to_string())?;
        // Whether they fit is not looked at: that would trip over the extension, which is critical and nobody else's business.
        let certified = CertifiedKey::new(vec![certificate], key);
        let mut config = config(Arc::new(SingleCertAndKey::from(certified))).map_err(|e| e.to_string())?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::new(config));
        Ok(())
    }

    /// It is not shown any more.
    pub fn hide(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Whether there is anything to show.
    pub fn any(&self) -> bool {
        !self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Serves a connection that can be an authority's only; who else it may be gets an alert.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<()> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        match self.of(&start.client_hello()) {
            Some(config) => finish(start, config).await,
            // The alert is rustls' own: there is no certificate for this client.
            None => {
                let nothing = config(Arc::new(Store::new(Vec::new()))).map_err(io::Error::other)?;
                start.into_stream(Arc::new(nothing)).await.map(drop)
            }
        }
    }

    /// What is shown to this client, if it is an authority.
    pub(super) fn of(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !hello.alpn()?.eq([PROTOCOL]) {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }
}

/// The authority has seen what it wanted with the handshake (RFC 8737 3).
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
    start: StartHandshake<S>,
    config: Arc<ServerConfig>,
) -> io::Result<()> {
    start.into_stream(config).await?.shutdown().await
}

fn config(certificates: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(version::SINCE_12)?;
    Ok(builder.with_no_client_auth().with_cert_resolver(certificates))
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").field("any", &self.any()).finish_non_exhaustive()
    }
}
