//! The octets' way to the client: in the clear, or encrypted from some point on.

use crate::tls::{Challenges, Secured, Server};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

/// A connection's stream.
#[derive(Debug)]
pub(super) enum Wire<S> {
    /// As it was accepted.
    Clear(S),
    /// After the handshake.
    Secured(Box<TlsStream<S>>),
    /// The handshake failed, or was given up: nothing can be read or written any more.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Does the handshake; with `challenges` it may be one with an authority, after which nothing is left. Whoever drops this
    /// half-way, or gets an error, has lost the connection.
    pub(super) async fn secure(
        &mut self,
        server: &Server,
        challenges: Option<&Challenges>,
    ) -> io::Result<Option<Secured<()>>> {
        let Self::Clear(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::Error::other("the connection is encrypted already"));
        };
        let secured = match challenges {
            Some(challenges) => server.accept_beside(challenges, stream).await?,
            None => Some(server.accept(stream).await?),
        };
        let Some(Secured { stream, facts, binding }) = secured else { return Ok(None) };
        *self = Self::Secured(Box::new(stream));
        Ok(Some(Secured { stream: (), facts, binding }))
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
            Self::Gone => gone(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_write(cx, octets),
            Self::Gone => gone(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Gone => gone(),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
