//! What a connection runs over: TCP, or the socket of a server on the same machine; or whatever stands for them in a test.

use crate::sasl::Binding;
use crate::tls::client::{Demand, Established, Failure, Identity, handshake};
use async_trait::async_trait;
use rustls::ProtocolVersion;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

/// What the address of a Unix socket begins with; its path follows.
pub(super) const UNIX: &str = "unix:";

/// By which hosts are reached.
#[async_trait]
pub trait Network: Send + Sync {
    /// Connects to this address, from that one of ours if it is given.
    async fn connect(&self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream>;
}

/// The network of the machine.
pub(super) struct Tcp;

#[async_trait]
impl Network for Tcp {
    /// A group of commands is one write; nothing is gained by waiting for more.
    async fn connect(&self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = source {
            socket.bind((source, 0).into())?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Stream(Kind::Tcp(stream)))
    }
}

/// An open stream.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Unix(UnixStream),
    Foreign(Pin<Box<dyn Foreign>>),
    Tls(Box<TlsStream<Stream>>),
    /// It is being put under TLS, or that has failed.
    Gone,
}

/// Anything that octets go through.
trait Foreign: AsyncRead + AsyncWrite + fmt::Debug + Send {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send> Foreign for T {}

impl Stream {
    /// A stream of another kind, for a network that is none.
    pub fn foreign(stream: impl AsyncRead + AsyncWrite + fmt::Debug + Send + 'static) -> Self {
        Self(Kind::Foreign(Box::pin(stream)))
    }

    /// Connects to a socket of this machine.
    pub(super) async fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self(Kind::Unix(UnixStream::connect(path).await?)))
    }

    /// Puts it under TLS, with a server of this name, to which we are whom the identity says. If that fails, there is nothing left of it.
    pub(super) async fn secure(
        &mut self,
        demand: &Demand,
        identity: Option<&Identity>,
        name: &str,
    ) -> Result<Established, Failure> {
        let bare = std::mem::replace(self, Self(Kind::Gone));
        let (stream, established) = handshake(demand, identity, name, bare).await?;
        self.0 = Kind::Tls(Box::new(stream));
        Ok(established)
    }

    /// What ties credentials to its TLS (RFC 9266); nothing without.
    pub(super) fn binding(&self) -> Binding {
        let Kind::Tls(stream) = &self.0 else { return Binding::default() };
        let (_, connection) = stream.get_ref();
        // Under TLS 1.2 the secret is not always the connection's own (RFC 9266 4).
        if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return Binding::default();
        }
        let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None);
        Binding { exporter: exported.ok().map(|octets| octets.to_vec()), end_point: None }
    }

    /// Reads what is there, without waiting.
    pub(super) fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(stream) => stream.try_read(buf),
            Kind::Unix(stream) => stream.try_read(buf),
            // TLS has messages of its own, which are no octets to us.
            Kind::Foreign(_) | Kind::Tls(_) | Kind::Gone => {
                let mut buf = ReadBuf::new(buf);
                match Pin::new(self).poll_read(&mut Context::from_waker(Waker::noop()), &mut buf) {
                    Poll::Ready(read) => read.map(|()| buf.filled().len()),
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(context, buf),
            Kind::Unix(stream) => Pin::new(stream).poll_read(context, buf),
            Kind::Foreign(stream) => stream.as_mut().poll_read(context, buf),
            Kind::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buf),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(context, buf),
            Kind::Unix(stream) => Pin::new(stream).poll_write(context, buf),
            Kind::Foreign(stream) => stream.as_mut().poll_write(context, buf),
            Kind::Tls(stream) => Pin::new(&mut **stream).poll_write(context, buf),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Kind::Unix(stream) => Pin::new(stream).poll_flush(context),
            Kind::Foreign(stream) => stream.as_mut().poll_flush(context),
            Kind::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Foreign(stream) => stream.as_mut().poll_shutdown(context),
            Kind::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}
