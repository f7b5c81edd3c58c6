//! A connection to a server: drives the client machine over a stream.
//!
//! Every wait has the machine's limit: for a whole reply, however slowly its octets drip, and for each block of
//! content. The content is streamed in bounded runs ([`super::passage`]). A connection carries several messages, one after the other;
//! whoever pools connections keeps it while [`Connection::is_ready`].
//!
//! At the machine's questions the sinks are asked who hear them ([`crate::transport::ears`]); where nobody does, each is answered with "proceed".
//!
//! TLS comes before the greeting, or when the machine asks for it; what it has to prove is in the [`Safety`] of the connection.
//!
//! Not here: names and addresses, what an outcome means.

use super::passage::Passage;
use super::safety::Safety;
use super::stream::Stream;
use crate::mail::{Content, Message, Reply};
use crate::smtp::client::{
    Cause, Client, Decision, Hop, Letter, Offered, Point, RcptOutcome, Reason, Stage, Step, Trouble,
};
use crate::tls::client::{Established, Failure, Kind};
use crate::transport::ears::Ears;
use crate::transport::link::Link;
use bytes::BytesMut;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// How much is read at once of replies.
const REPLY_CHUNK: usize = 4 * 1024;

/// A connection and the dialogue on it.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    client: Client,
    input: BytesMut,
    /// Until when the reply that is awaited must be whole.
    deadline: Option<Instant>,
    /// As sinks know it, if any hear of it.
    link: Option<Link>,
    safety: Safety,
    /// The server's name, for TLS.
    name: String,
    /// What TLS has come to.
    tls: Option<Established>,
    /// Why there is none.
    failure: Option<Failure>,
}

/// A connection that came to nothing.
#[derive(Clone, Debug)]
pub(super) struct Unmet {
    pub(super) cause: Cause,
    /// What was wrong with TLS, if that was it.
    pub(super) failure: Option<Failure>,
}

/// Where the machine came to a rest.
enum Rest {
    Settled(Vec<RcptOutcome>),
    Ready,
    Closed(Reason),
}

impl Connection {
    /// Waits for the greeting on a fresh stream, says hello, and sees to TLS and to who we are. On an error the connection is over.
    /// `remote`: the server, as outcomes name it; `name`: as its certificate does.
    pub(super) async fn greet(
        stream: Stream,
        hop: Hop,
        (safety, name): (&Safety, &str),
        remote: &str,
        mut ears: Option<&mut Ears<'_>>,
    ) -> Result<Self, Unmet> {
        let mut connection = Self {
            stream,
            client: Client::new(hop),
            input: BytesMut::new(),
            deadline: None,
            link: None,
            safety: safety.clone(),
            name: name.to_owned(),
            tls: None,
            failure: None,
        };
        safety.prepare(&mut connection.client);
        connection.hear_by(remote, ears.as_deref_mut());
        if safety.implicit {
            connection.secure().await;
        }
        loop {
            match connection.drive(None, ears.as_deref_mut()).await {
                Rest::Ready => return Ok(connection),
                Rest::Closed(reason) => {
                    let cause = match reason {
                        Reason::Because(cause) => cause,
                        Reason::Quit => Cause::Trouble { stage: Stage::Idle, trouble: Trouble::Closed },
                    };
                    return Err(Unmet { cause, failure: connection.failure });
                }
                Rest::Settled(_) => {}
            }
        }
    }

    /// What TLS has come to; none if there is none.
    pub(super) fn tls(&self) -> Option<&Established> {
        self.tls.as_ref()
    }

    /// Whether it is encrypted, to a server whose name was verified: what REQUIRETLS asks for (RFC 8689 4.2.1).
    pub fn has_verified_tls(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.verified)
    }

    /// What the server offers.
    pub fn offered(&self) -> &Offered {
        self.client.offered()
    }

    /// Whether it can carry another message.
    pub fn is_ready(&mut self) -> bool {
        matches!(self.client.next(&mut self.input), Step::Ready)
    }

    /// From now on it serves another message, for which these sinks hear, or nobody.
    pub(super) fn hear_by(&mut self, remote: &str, ears: Option<&mut Ears<'_>>) {
        self.client.mind_replies(ears.as_ref().is_some_and(|ears| ears.mind_replies()));
        if let Some(ears) = ears {
            ears.link(remote, &mut self.link);
        }
    }

    /// The message as sinks let it go over this connection. The error is what one refuses it with.
    pub(super) async fn stamped(&mut self, message: Message, ears: Option<&mut Ears<'_>>) -> Result<Message, Reply> {
        match ears {
            Some(ears) => ears.message(message, self.link.as_mut()).await,
            None => Ok(message),
        }
    }

    /// Carries one message, fitted to what the server offers, and gives one outcome per recipient of the letter, in their
    /// order.
    pub(super) async fn deliver(
        &mut self,
        letter: Letter,
        content: &Content,
        ears: Option<&mut Ears<'_>>,
    ) -> Vec<RcptOutcome> {
        let count = letter.recipients.len();
        self.client.start(letter);
        self.settle(Some(content), count, ears).await
    }

    /// Asks for the recipients of a letter, and sends no content. One outcome per recipient, in their order.
    pub async fn probe(&mut self, letter: Letter) -> Vec<RcptOutcome> {
        let count = letter.recipients.len();
        self.client.probe(letter);
        self.settle(None, count, None).await
    }

    async fn settle(
        &mut self,
        content: Option<&Content>,
        count: usize,
        ears: Option<&mut Ears<'_>>,
    ) -> Vec<RcptOutcome> {
        match self.drive(content, ears).await {
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
        while !matches!(self.drive(None, None).await, Rest::Closed(_)) {}
    }

    /// Does what the machine says until it rests.
    async fn drive(&mut self, content: Option<&Content>, mut ears: Option<&mut Ears<'_>>) -> Rest {
        let mut passage = content.map(Passage::new);
        loop {
            let step = self.client.next(&mut self.input);
            if step != Step::Read {
                self.deadline = None;
            }
            match step {
                Step::Ask(point) => self.ask(&point, ears.as_deref_mut()).await,
                Step::Send(octets) => self.send(&octets).await,
                Step::Read => self.read().await,
                Step::SendContent => self.send_content(passage.as_mut()).await,
                Step::StartTls => self.secure().await,
                Step::CutChunk => self.cut(passage.as_mut()),
                Step::SendChunk(command) => self.send_chunk(&command, passage.as_mut()).await,
                Step::Settled(outcomes) => return Rest::Settled(outcomes),
                Step::Ready => return Rest::Ready,
                Step::Closed(reason) => return Rest::Closed(reason),
            }
        }
    }

    /// The handshake. What was read before it is gone for good: the machine has seen to it that there is nothing.
    async fn secure(&mut self) {
        let handshake = self.stream.secure(&self.safety.demand, self.safety.identity.as_deref(), &self.name);
        let failure = match timeout(Stage::StartTls.patience(), handshake).await {
            Ok(Ok(established)) => {
                self.input.clear();
                self.client.secured();
                let binding = self.stream.binding();
                self.safety.introduce(&mut self.client, binding);
                self.tls = Some(established);
                return;
            }
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(Kind::ValidationFailure, "the handshake took too long"),
        };
        self.client.lost(Trouble::Tls(failure.text.clone()));
        self.failure = Some(failure);
    }

    /// Asks those who hear for the message, or when there is none any more, who have heard for the last one.
    async fn ask(&mut self, point: &Point, ears: Option<&mut Ears<'_>>) {
        let decision = match (ears, &mut self.link, point) {
            (Some(ears), link, _) => ears.ask(point, link.as_mut(), self.client.offered()).await,
            (None, Some(link), Point::Quit) => {
                link.quit().await;
                Decision::Proceed
            }
            _ => Decision::Proceed,
        };
        self.client.answer(decision);
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

impl Connection {
    /// Whether nothing has come that was not asked for, the end included.
    pub(super) fn is_quiet(&mut self) -> bool {
        let come = self.stream.try_read(&mut [0; 1]);
        self.input.is_empty() && come.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
