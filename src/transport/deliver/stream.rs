//! What a connection runs over: TCP, or the socket of a server on the same machine; or whatever stands for them in a test.

use async_trait::async_trait;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// What the address of a Unix socket begins with; its path follows.
pub(super) const UNIX: &str = "unix:";

/// By which hosts are reached.
#[async_trait]
pub trait Network: Send + Sync {
    /// Connects to this address.
    async fn connect(&self, address: SocketAddr) -> io::Result<Stream>;
}

/// The network of the machine.
pub(super) struct Tcp;

#[async_trait]
impl Network for Tcp {
    /// A group of commands is one write; nothing is gained by waiting for more.
    async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        let stream = TcpStream::connect(address).await?;
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

    /// Reads what is there, without waiting.
    pub(super) fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(stream) => stream.try_read(buf),
            Kind::Unix(stream) => stream.try_read(buf),
            Kind::Foreign(stream) => {
                let mut buf = ReadBuf::new(buf);
                match stream.as_mut().poll_read(&mut Context::from_waker(Waker::noop()), &mut buf) {
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
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(context, buf),
            Kind::Unix(stream) => Pin::new(stream).poll_write(context, buf),
            Kind::Foreign(stream) => stream.as_mut().poll_write(context, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Kind::Unix(stream) => Pin::new(stream).poll_flush(context),
            Kind::Foreign(stream) => stream.as_mut().poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Foreign(stream) => stream.as_mut().poll_shutdown(context),
        }
    }
}
