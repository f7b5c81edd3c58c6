//! A connection to a server: drives the client machine over any stream.
//!
//! Every wait has the machine's limit: for a whole reply, however slowly its octets drip, and for each block of
//! content. The content is streamed in bounded runs ([`super::passage`]). A connection carries several messages, one after the other;
//! whoever pools connections keeps it while [`Connection::is_ready`].
//!
//! Not here: names and addresses, TLS, what an outcome means. No event is raised at the machine's questions yet: each
//! is answered with "proceed".

use super::passage::Passage;
use super::stream::Stream;
use crate::mail::Content;
use crate::smtp::client::{Cause, Client, Decision, Hop, Letter, Offered, RcptOutcome, Reason, Stage, Step, Trouble};
use bytes::BytesMut;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// How much is read at once of replies.
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

    /// Carries one message, fitted to what the server offers, and gives one outcome per recipient of the letter, in their
    /// order.
    pub async fn deliver(&mut self, letter: Letter, content: &Content) -> Vec<RcptOutcome> {
        let count = letter.recipients.len();
        self.client.start(letter);
        self.settle(Some(content), count).await
    }

    /// Asks for the recipients of a letter, and sends no content. One outcome per recipient, in their order.
    pub async fn probe(&mut self, letter: Letter) -> Vec<RcptOutcome> {
        let count = letter.recipients.len();
        self.client.probe(letter);
        self.settle(None, count).await
    }

    async fn settle(&mut self, content: Option<&Content>, count: usize) -> Vec<RcptOutcome> {
        match self.drive(content).await {
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
        let mut passage = content.map(Passage::new);
        loop {
            let step = self.client.next(&mut self.input);
            if step != Step::Read {
                self.deadline = None;
            }
            match step {
                Step::Ask(_) => self.client.answer(Decision::Proceed),
                Step::Send(octets) => self.send(&octets).await,
                Step::Read => self.read().await,
                Step::SendContent => self.send_content(passage.as_mut()).await,
                Step::CutChunk => self.cut(passage.as_mut()),
                Step::SendChunk(command) => self.send_chunk(&command, passage.as_mut()).await,
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
        let patience = self.client.patience();
        self.write_within(patience, octets).await
    }

    async fn write_within(&mut self, patience: Duration, octets: &[u8]) -> Result<(), Trouble> {
        let write = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        match timeout(patience, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Trouble::Broken(error.to_string())),
            Err(_) => Err(Trouble::TimedOut),
        }
    }

    async fn send_content(&mut self, passage: Option<&mut Passage<'_>>) {
        let sent = match passage {
            Some(passage) => self.stream_content(passage).await,
            None => Err(no_content()),
        };
        match sent {
            Ok(()) => self.client.body_sent(),
            // Without the final dot the server has no message, whatever it got of it.
            Err(trouble) => self.client.lost(trouble),
        }
    }

    async fn stream_content(&mut self, passage: &mut Passage<'_>) -> Result<(), Trouble> {
        loop {
            let last = passage.advance(|| self.client.encoder())?;
            self.write(passage.octets()).await?;
            if last {
                return Ok(());
            }
        }
    }

    fn cut(&mut self, passage: Option<&mut Passage<'_>>) {
        let cut = passage.ok_or_else(no_content).and_then(|passage| {
            let last = passage.advance(|| self.client.encoder())?;
            Ok((passage.octets().len(), last))
        });
        match cut {
            Ok((octets, last)) => self.client.cut(octets, last),
            Err(trouble) => self.client.lost(trouble),
        }
    }

    /// Sends a chunk behind its command. If the server has closed, what it said is read next, as behind any command.
    async fn send_chunk(&mut self, command: &[u8], passage: Option<&mut Passage<'_>>) {
        let Some(passage) = passage else { return self.client.lost(no_content()) };
        let patience = Stage::Chunk.patience();
        let mut sent = self.write_within(patience, command).await;
        if sent.is_ok() {
            sent = self.write_within(patience, passage.octets()).await;
        }
        if let Err(trouble @ Trouble::TimedOut) = sent {
            self.client.lost(trouble);
        }
    }
}

fn no_content() -> Trouble {
    Trouble::Unreadable("there is no content to send".to_owned())
}

impl Connection<Stream> {
    /// Whether nothing has come that was not asked for, the end included.
    pub(super) fn is_quiet(&mut self) -> bool {
        let come = self.stream.try_read(&mut [0; 1]);
        self.input.is_empty() && come.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
