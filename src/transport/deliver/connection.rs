//! A connection to a server: drives the client machine over any stream.
//!
//! Every wait has the machine's limit: for a whole reply, however slowly its octets drip, and for each block of
//! content. The content is streamed in bounded chunks. A connection carries several messages, one after the other;
//! whoever pools connections keeps it while [`Connection::is_ready`].
//!
//! Not here: names and addresses, TLS, what an outcome means. No event is raised at the machine's questions yet: each
//! is answered with "proceed".

use crate::mail::{BodyType, Content};
use crate::smtp::client::{
    Cause, Client, Decision, Encoder, Hop, Letter, Offered, RcptOutcome, Reason, Stage, Step, Trouble,
};
use bytes::BytesMut;
use std::future::Future;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// How much is read at once, of the content and of replies.
const CONTENT_CHUNK: usize = 64 * 1024;
const REPLY_CHUNK: usize = 4 * 1024;

/// A connection and the dialogue on it.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    client: Client,
    input: BytesMut,
    /// Until when the reply that is awaited must be whole.
    deadline: Option<Instant>,
}

/// Where the machine came to a rest.
enum Rest {
    Settled(Vec<RcptOutcome>),
    Ready,
    Closed(Reason),
}

/// Asks whether to connect at all, before anybody does. Gives the machine for [`Connection::greet`].
pub fn prepare(hop: Hop) -> Client {
    let mut client = Client::new(hop);
    while let Step::Ask(_) = client.next(&mut BytesMut::new()) {
        client.answer(Decision::Proceed);
    }
    client
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits for the greeting on a fresh stream and says hello. On an error the connection is over.
    pub async fn greet(stream: S, client: Client) -> Result<Self, Cause> {
        let mut connection = Self { stream, client, input: BytesMut::new(), deadline: None };
        loop {
            match connection.drive(None).await {
                Rest::Ready => return Ok(connection),
                Rest::Closed(Reason::Because(cause)) => return Err(cause),
                Rest::Closed(Reason::Quit) => {
                    return Err(Cause::Trouble { stage: Stage::Idle, trouble: Trouble::Closed });
                }
                Rest::Settled(_) => {}
            }
        }
    }

    /// What the server offers.
    pub fn offered(&self) -> &Offered {
        self.client.offered()
    }

    /// Whether it can carry another message.
    pub fn is_ready(&mut self) -> bool {
        matches!(self.client.next(&mut self.input), Step::Ready)
    }

    /// Carries one message and gives one outcome per recipient of the letter, in their order.
    pub async fn deliver(&mut self, mut letter: Letter, content: &Content) -> Vec<RcptOutcome> {
        let count = letter.recipients.len();
        if letter.body == BodyType::EightBitMime && !self.offered().has("8BITMIME") {
            match is_seven_bit(content) {
                Ok(true) => letter.body = BodyType::SevenBit,
                Ok(false) => {}
                Err(error) => return vec![unreadable(&error); count],
            }
        }
        self.client.start(letter);
        match self.drive(Some(content)).await {
            Rest::Settled(outcomes) => outcomes,
            // The machine settles each letter before it rests in any other way; should it not, try again.
            Rest::Ready | Rest::Closed(_) => {
                let cause = Cause::Trouble { stage: Stage::Idle, trouble: Trouble::Closed };
                vec![RcptOutcome::Deferred(cause); count]
            }
        }
    }

    /// Takes leave. The outcomes are known by then, so that nobody needs to wait for it.
    pub async fn quit(mut self) {
        self.client.quit();
        while !matches!(self.drive(None).await, Rest::Closed(_)) {}
    }

    /// Does what the machine says until it rests.
    async fn drive(&mut self, content: Option<&Content>) -> Rest {
        loop {
            let step = self.client.next(&mut self.input);
            if step != Step::Read {
                self.deadline = None;
            }
            match step {
                Step::Ask(_) => self.client.answer(Decision::Proceed),
                Step::Send(octets) => self.send(&octets).await,
                Step::Read => self.read().await,
                Step::SendContent => self.send_content(content).await,
                Step::Settled(outcomes) => return Rest::Settled(outcomes),
                Step::Ready => return Rest::Ready,
                Step::Closed(reason) => return Rest::Closed(reason),
            }
        }
    }

    async fn read(&mut self) {
        let patience = self.client.patience();
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + patience);
        self.input.reserve(REPLY_CHUNK);
        match timeout_at(deadline, self.stream.read_buf(&mut self.input)).await {
            Ok(Ok(0)) => self.client.lost(Trouble::Closed),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.client.lost(Trouble::Broken(error.to_string())),
            Err(_) => self.client.lost(Trouble::TimedOut),
        }
    }

    /// Sends commands. A server that has closed may have said why: what it said is read next, and the end after it.
    async fn send(&mut self, octets: &[u8]) {
        if let Err(trouble @ Trouble::TimedOut) = self.write(octets).await {
            self.client.lost(trouble);
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        let write = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        within(self.client.patience(), write).await
    }

    async fn send_content(&mut self, content: Option<&Content>) {
        let sent = match content {
            Some(content) => self.stream_content(content).await,
            None => Err(Trouble::Unreadable("there is no content to send".to_owned())),
        };
        match sent {
            Ok(()) => self.client.body_sent(),
            // Without the final dot the server has no message, whatever it got of it.
            Err(trouble) => self.client.lost(trouble),
        }
    }

    async fn stream_content(&mut self, content: &Content) -> Result<(), Trouble> {
        let mut encoder = Encoder::new();
        let mut chunk = vec![0; CONTENT_CHUNK];
        let mut out = BytesMut::with_capacity(CONTENT_CHUNK + CONTENT_CHUNK / 16);
        let mut at = 0;
        loop {
            let read = content.read_at(at, &mut chunk).map_err(|e| Trouble::Unreadable(e.to_string()))?;
            let Some(octets) = chunk.get(..read).filter(|octets| !octets.is_empty()) else { break };
            at += octets.len() as u64;
            encoder.encode(octets, &mut out);
            self.write(&out).await?;
            out.clear();
        }
        encoder.finish(&mut out);
        self.write(&out).await
    }
}

impl Connection<TcpStream> {
    /// Whether nothing has come that was not asked for, the end included.
    pub(super) fn is_quiet(&self) -> bool {
        let come = self.stream.try_read(&mut [0; 1]);
        self.input.is_empty() && come.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

async fn within(limit: std::time::Duration, write: impl Future<Output = io::Result<()>>) -> Result<(), Trouble> {
    match timeout(limit, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Trouble::Broken(error.to_string())),
        Err(_) => Err(Trouble::TimedOut),
    }
}

fn is_seven_bit(content: &Content) -> io::Result<bool> {
    let mut seven = true;
    content.for_each_chunk(|chunk| {
        seven &= chunk.is_ascii();
        Ok::<_, io::Error>(())
    })?;
    Ok(seven)
}

fn unreadable(error: &io::Error) -> RcptOutcome {
    Cause::Trouble { stage: Stage::Mail, trouble: Trouble::Unreadable(error.to_string()) }.outcome()
}
