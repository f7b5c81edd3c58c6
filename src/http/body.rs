//! A message as the body of a request, read while it is sent.

use crate::mail::Content;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::ReaderStream;

/// Octets that are read at a time.
const CHUNK: usize = 64 * 1024;

/// The octets of a message in chunks. Reads are local and short, as everywhere where a message is sent.
pub(super) fn stream(content: Content) -> ReaderStream<Reader> {
    ReaderStream::with_capacity(Reader { content, at: 0 }, CHUNK)
}

/// Reads on where it stopped.
pub(super) struct Reader {
    content: Content,
    at: u64,
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let at = self.at;
        let read = self.content.read_at(at, buf.initialize_unfilled());
        Poll::Ready(read.map(|octets| {
            buf.advance(octets);
            self.at += octets as u64;
        }))
    }
}
