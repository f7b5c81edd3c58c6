//! One connection: octets in, the machine driven, replies out.
//!
//! Replies of a pipelined group leave in one write: when the machine needs more input, when a decision takes time, or
//! when much has gathered.

use super::ask::Asker;
use super::pace::{self, Pace};
use super::peek;
use super::wire::Wire;
use crate::smtp::{Answer, Question, Session, Step};
use crate::tls::Challenges;
use bytes::BytesMut;
use std::fmt::Debug;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What is read at a time.
const READ: usize = 16 * 1024;
/// What an idle connection keeps.
const IDLE_BUFFER: usize = 1024;
/// A handshake takes two round trips at most, and no thinking of a human being.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Replies that gather before they are written in any case.
const GATHER: usize = 32 * 1024;

/// One connection.
pub(super) struct Connection<S> {
    stream: Wire<S>,
    input: BytesMut,
    output: Vec<u8>,
    session: Session,
    asker: Asker,
    pace: Pace,
}

/// How a session ends.
enum End {
    /// The connection is closed.
    Over,
    /// The roles are swapped, and the connection goes on.
    Turned,
}

/// What a read brought.
enum Got {
    /// Octets.
    Input,
    /// The end: the client is gone.
    End,
    /// Nothing in time; the session is told to close.
    Late,
}

impl<S: AsyncRead + AsyncWrite + Debug + Unpin + Send + 'static> Connection<S> {
    pub(super) fn new(stream: S, session: Session, asker: Asker) -> Self {
        let pace = Pace::new(&asker.snapshot.settings.limits);
        Self { stream: Wire::Clear(stream), input: BytesMut::new(), output: Vec::new(), session, asker, pace }
    }

    /// Serves the client until it is gone. The error is the socket's.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let result = self.serve().await;
        let result = match result {
            Ok(End::Over) => Ok(()),
            Ok(End::Turned) => {
                self.asker.turn(Box::new(self.stream)).await;
                Ok(())
            }
            Err(error) => Err(error),
        };
        self.asker.finish();
        result
    }

    async fn serve(&mut self) -> io::Result<End> {
        loop {
            match self.session.next(&mut self.input) {
                Step::Read => {
                    self.flush().await?;
                    if let Got::End = self.read().await? {
                        return Ok(End::Over);
                    }
                }
                Step::Reply(reply) => {
                    let reply = self.asker.reply(reply).await;
                    reply.write(&mut self.output, self.session.statuses());
                    if self.output.len() >= GATHER {
                        self.flush().await?;
                    }
                }
                Step::Ask(question) => self.ask(question).await?,
                Step::Body(octets) => {
                    self.pace.body(octets.len() + self.input.len());
                    self.asker.body(&octets);
                }
                Step::Drop { replies } => {
                    self.pace.body_done();
                    self.asker.dropped(replies);
                }
                // `ask` answers every question before the next step.
                Step::Wait => return Err(io::Error::other("the protocol machine waits for an answer that was given")),
                Step::StartTls => {
                    self.flush().await?;
                    self.secure(None).await?;
                    self.session.secured();
                }
                Step::Turn => {
                    self.flush().await?;
                    return Ok(End::Turned);
                }
                Step::Close => {
                    self.flush().await?;
                    // Encrypted, the end is said, too, and the client may not want to hear it.
                    let ending = tokio::time::timeout(self.pace.patience(), self.stream.shutdown());
                    ending.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
                    return Ok(End::Over);
                }
            }
        }
    }

    /// Does the handshake, within a time; with `challenges` it may be one with an authority, after which the connection is over.
    /// The error has been told.
    pub(super) async fn secure(&mut self, challenges: Option<&Challenges>) -> io::Result<()> {
        let Some(server) = self.asker.tls() else {
            return Err(io::Error::other("TLS was offered and is not there"));
        };
        // What came before was not encrypted, whoever wrote it. The machine has looked; so has to who opens the door.
        let read_before = !self.input.is_empty();
        self.input = BytesMut::new();
        let stopping = self.asker.server.stopping.clone();
        let patience = HANDSHAKE.min(self.pace.patience());
        let secured = tokio::select! {
            biased;
            () = stopping.cancelled() => Err(io::Error::other("the server stops")),
            done = tokio::time::timeout(patience, self.stream.secure(&server, challenges)) => match done {
                _ if read_before => Err(io::Error::other("octets came before it")),
                Ok(done) => done,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
        };
        match secured {
            Ok(Some(secured)) => {
                self.asker.secured(secured.facts, secured.binding);
                Ok(())
            }
            Ok(None) => {
                tracing::debug!("an authority has looked at what it is shown for a name");
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Err(error) => {
                self.asker.handshake_failed(&error);
                Err(error)
            }
        }
    }

    async fn ask(&mut self, question: Question) -> io::Result<()> {
        let connecting = question == Question::Connect;
        if let Question::Message { .. } = question {
            self.pace.body_done();
        }
        let answer = {
            let mut deciding = pin!(self.asker.answer(question));
            match peek::now(deciding.as_mut()).await {
                Some(answer) => answer,
                None => {
                    // What takes its time must not keep back what is decided already.
                    write(&mut self.stream, &mut self.output, self.pace.patience()).await?;
                    deciding.await
                }
            }
        };
        if let Some(profile) = self.asker.profile.take() {
            self.session.set_profile(profile);
        }
        if connecting && self.talks_early().await? {
            self.session.too_early();
            return Ok(());
        }
        self.answer(answer)
    }

    fn answer(&mut self, answer: Answer) -> io::Result<()> {
        self.session.answer(answer).map_err(|misuse| {
            tracing::error!(%misuse, "the protocol machine was answered wrongly");
            io::Error::other(misuse)
        })
    }

    /// Waits out the greeting delay, or just looks, for octets that come before the greeting (RFC 5321 4.3.1).
    async fn talks_early(&mut self) -> io::Result<bool> {
        let delay = self.asker.snapshot.settings.limits.greeting_delay;
        let mut reading = pin!(self.stream.read_buf(&mut self.input));
        let read = if delay.is_zero() {
            // The first poll of a fresh socket says `pending` until the reactor has been asked once.
            tokio::task::yield_now().await;
            peek::now(reading.as_mut()).await
        } else {
            tokio::time::timeout(delay, reading).await.ok()
        };
        match read {
            Some(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(error),
            None => Ok(false),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        write(&mut self.stream, &mut self.output, self.pace.patience()).await
    }

    /// Reads once, within the limits of time. An overrun closes the session with its reply.
    async fn read(&mut self) -> io::Result<Got> {
        let stopping = self.asker.server.stopping.clone();
        // Asked first, for a client that never pauses would else never hear of it.
        if stopping.is_cancelled() {
            self.stop();
            if !self.pace.in_body() {
                return Ok(Got::Late);
            }
        }
        if let Some(over) = self.pace.over() {
            self.session.close(over);
            return Ok(Got::Late);
        }
        let limits = &self.asker.snapshot.settings.limits;
        let (deadline, late) = self.pace.deadline(limits);
        if self.input.is_empty() && self.input.capacity() > READ {
            self.input = BytesMut::with_capacity(IDLE_BUFFER);
        }
        self.input.reserve(if self.pace.in_body() { READ } else { IDLE_BUFFER });
        let told = self.pace.is_stopping();
        tokio::select! {
            biased;
            read = self.stream.read_buf(&mut self.input) => {
                let octets = read?;
                self.pace.read(octets);
                Ok(if octets == 0 { Got::End } else { Got::Input })
            }
            () = tokio::time::sleep_until(deadline) => {
                self.session.close(late);
                Ok(Got::Late)
            }
            () = stopping.cancelled(), if !told => {
                self.stop();
                Ok(Got::Late)
            }
        }
    }

    /// The server begins to stop: a message that is coming in may be finished, everybody else is told.
    fn stop(&mut self) {
        self.pace.stop();
        if !self.pace.in_body() {
            self.session.close(pace::SHUTDOWN);
        }
    }
}

/// Writes what has gathered. A client that does not read is given as long as one that does not write.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, output: &mut Vec<u8>, patience: Duration) -> io::Result<()> {
    if output.is_empty() {
        return Ok(());
    }
    let sending = async {
        stream.write_all(output).await?;
        stream.flush().await
    };
    tokio::time::timeout(patience, sending).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    output.clear();
    output.shrink_to(GATHER);
    Ok(())
}
