//! A client's connection, in the clear or encrypted.

use mailsluice::tls::provider;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

/// A connection.
pub(crate) enum Stream {
    Clear(TcpStream),
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// What a client believes whose authority has this certificate, as PEM.
pub(crate) fn trusting(authority: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(16);
    Arc::new(config)
}

impl Stream {
    /// Does the client's part of a handshake with `mx.example.com`.
    pub(crate) fn secure(&mut self, config: &Arc<ClientConfig>) -> io::Result<()> {
        let name = ServerName::try_from("mx.example.com").unwrap();
        let mut connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        let mut tcp = self.tcp().try_clone()?;
        while connection.is_handshaking() {
            connection.complete_io(&mut tcp)?;
        }
        *self = Self::Secured(Box::new(StreamOwned::new(connection, tcp)));
        Ok(())
    }

    /// The connection below.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(tcp) => tcp,
            Self::Secured(stream) => &stream.sock,
        }
    }

    /// The certificate that the server has shown.
    pub(crate) fn shown(&self) -> Option<&[u8]> {
        match self {
            Self::Clear(_) => None,
            Self::Secured(stream) => stream.conn.peer_certificates()?.first().map(|c| c.as_ref()),
        }
    }

    /// Has nothing more to say.
    pub(crate) fn leave(&mut self) {
        if let Self::Secured(stream) = self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        // The server may have gone first.
        let _ = self.tcp().shutdown(Shutdown::Write);
    }
}

impl Read for Stream {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(octets),
            Self::Secured(stream) => stream.read(octets),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(octets),
            Self::Secured(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Secured(stream) => stream.flush(),
        }
    }
}
