//! One connection to the control socket, from the server's side: bounded lines and counted octets in, answers out.

use super::protocol::Response;
use bytes::Bytes;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// The longest request, in octets. Room for some sixty thousand ids.
pub(super) const REQUEST_MAX: u64 = 1 << 20;
/// How long a client may take for a request, for the next octets of a message, or to take an answer.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// Octets of a message that are read at a time.
const CHUNK: usize = 64 * 1024;

/// The connection.
pub(super) struct Wire {
    reader: BufReader<OwnedReadHalf>,
    writer: BufWriter<OwnedWriteHalf>,
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer: BufWriter::new(writer) }
    }

    /// The next line without its end; none if the client has gone. An error if it is too long or takes too long.
    pub(super) async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut bounded = AsyncReadExt::take(&mut self.reader, REQUEST_MAX);
        timeout(IDLE, bounded.read_until(b'\n', &mut line)).await??;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) if line.len() as u64 + 1 == REQUEST_MAX => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the request is longer than {REQUEST_MAX} octets"),
            )),
            Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next of the octets that follow a line: `left` at most, not none while any are left.
    pub(super) async fn octets(&mut self, left: u64) -> io::Result<Bytes> {
        let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        let n = timeout(IDLE, self.reader.read(&mut chunk)).await??;
        if n == 0 && left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(n);
        Ok(chunk.into())
    }

    /// Writes a line of the answer; it leaves with [`Self::flush`], or when there is enough of it.
    pub(super) async fn say(&mut self, response: &Response) -> io::Result<()> {
        let mut line = serde_json::to_vec(response)?;
        line.push(b'\n');
        timeout(IDLE, self.writer.write_all(&line)).await?
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        timeout(IDLE, self.writer.flush()).await?
    }

    /// Returns when the client has gone. Nothing may be asked meanwhile; what comes is dropped.
    pub(super) async fn gone(&mut self) {
        gone(&mut self.reader).await;
    }
}

async fn gone(reader: &mut (impl AsyncRead + Unpin)) {
    let mut dropped = [0; 64];
    while matches!(reader.read(&mut dropped).await, Ok(n) if n > 0) {}
}
