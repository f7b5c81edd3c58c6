//! The questions of the protocol machine, turned into guards and events, and the decisions into answers.
//!
//! One [`Asker`] per connection. It holds what the machine does not: origin, envelope, draft, pinned snapshots.

use super::answer;
use super::ask_auth::Exchange;
use super::ask_claimed::OpenVerb;
use super::listener::Server;
use super::mail::OpenMail;
use super::trust::Trust;
use crate::event::host::Scope;
use crate::event::transaction::SessionFacts;
use crate::event::verdict::is_of_fault;
use crate::event::{Decision, Event, Focus, SessionState, Stage};
use crate::intake::{Account, Mark, State};
use crate::mail::{Glob, Id, Origin, Reply};
use crate::smtp::xclient::Xforward;
use crate::smtp::{Answer, Hello, Profile, Question, Verb};
use crate::snapshot::Snapshot;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// Decides for one connection.
pub(super) struct Asker {
    pub(super) server: Arc<Server>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) listener: usize,
    pub(super) origin: Origin,
    pub(super) state: SessionState,
    /// The profile to put in force with the next answer, if it has changed.
    pub(super) profile: Option<Arc<Profile>>,
    pub(super) extended: bool,
    pub(super) mail: Option<OpenMail>,
    /// How many replies still belong to a transaction that is over.
    pub(super) trailing: usize,
    /// The AUTH exchange under way.
    pub(super) exchange: Option<Exchange>,
    /// Logins that failed in this session.
    pub(super) failures: u32,
    /// The sender addresses that the user may use, if anybody has said so.
    pub(super) senders: Option<Arc<[Glob]>>,
    /// What was decided about the session before the client had said anything.
    pub(super) unspoken: Arc<SessionFacts>,
    /// What binds an authentication to this connection (RFC 9266).
    pub(super) binding: Option<[u8; 32]>,
    /// The command of which a sink wants to hear more.
    pub(super) open_verb: Option<OpenVerb>,
    /// For whom the connection is to be turned round.
    pub(super) turning: Vec<Scope>,
    /// Who has answered the last event about a command.
    pub(super) answered: Option<Arc<str>>,
    /// Who is at the other end of the connection, or was in front of its proxy. XCLIENT does not change it.
    pub(super) peer: IpAddr,
    /// The user whom a proxy named with XCLIENT.
    pub(super) proxied_login: Option<Arc<str>>,
    /// What XFORWARD said of the next message.
    pub(super) forwarded: Option<Box<Xforward>>,
}

impl Asker {
    pub(super) fn new(server: Arc<Server>, snapshot: Arc<Snapshot>, listener: usize, origin: Origin, id: Id) -> Self {
        let peer = origin.client.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        Self {
            server,
            snapshot,
            listener,
            peer,
            proxied_login: None,
            forwarded: None,
            origin,
            state: SessionState::new(id),
            profile: None,
            extended: false,
            mail: None,
            trailing: 0,
            exchange: None,
            failures: 0,
            senders: None,
            unspoken: Arc::default(),
            binding: None,
            open_verb: None,
            turning: Vec::new(),
            answered: None,
        }
    }

    /// The answer to a question of the machine.
    pub(super) async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Connect => self.connect().await,
            Question::Helo(hello) => self.helo(hello).await,
            Question::Mail(command) => self.mail(*command).await,
            Question::Rcpt(command) => self.rcpt(*command).await,
            Question::Data { .. } => self.data().await,
            Question::Headers { len } => self.headers(len).await,
            Question::Message { .. } => self.message().await,
            Question::Oversize { size, declared } => self.oversize(size, declared).await,
            Question::Command(command) => self.command(command).await,
            Question::StartTls => self.start_tls(),
            Question::Tls => self.tls_done().await,
            Question::Auth(command) => self.auth(command).await,
            Question::AuthResponse(response) => self.auth_response(response).await,
            Question::More(octets) => self.more(&octets).await,
        }
    }

    /// Octets of the message.
    pub(super) fn body(&mut self, octets: &[u8]) {
        if let Some(mail) = &mut self.mail {
            mail.write(octets);
        }
    }

    /// The transaction ended without acceptance; so many replies that follow are still its own.
    pub(super) fn dropped(&mut self, replies: usize) {
        self.trailing = replies;
        self.forwarded = None;
        self.settle_account();
    }

    /// Sees a reply before it is written: lets sinks change its text, tags refusals with the transaction's id, notes why.
    pub(super) async fn reply(&mut self, mut reply: Reply) -> Reply {
        self.raise_reply(&mut reply).await;
        if let Some(mail) = &mut self.mail
            && reply.code() >= 400
        {
            mail.refused = Some(reply.clone());
            reply = reply.tagged(mail.transaction.id);
        }
        if self.trailing > 0 {
            self.trailing -= 1;
            self.settle_account();
        }
        reply
    }

    /// Once its last reply is out, the account of a transaction that was not accepted is written.
    fn settle_account(&mut self) {
        if self.trailing == 0
            && let Some(mail) = self.mail.take()
        {
            self.close_account(mail);
        }
    }

    /// The session is over.
    pub(super) fn finish(&mut self) {
        if let Some(mail) = self.mail.take() {
            self.close_account(mail);
        }
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.state);
        self.snapshot.dispatcher.tell(Event::InDisconnect, &stage);
    }

    /// Writes the account of a transaction that was not accepted.
    fn close_account(&self, mail: OpenMail) {
        let state = if mail.refused.is_some() { State::Refused } else { State::Aborted };
        let reply = mail.refused.as_ref().map(ToString::to_string);
        if let Some(reply) = &reply {
            tracing::info!(id = %mail.transaction.id, client = self.origin.client.map(tracing::field::display), sender = %mail.transaction.letter.envelope.sender, %reply, "refused");
        }
        self.server.intake.history.note(Account::of_transaction(&mail.transaction, &self.origin, state, reply));
    }

    async fn raise_reply(&mut self, reply: &mut Reply) {
        let snapshot = self.mail.as_ref().map_or(&self.snapshot, |m| &m.snapshot).clone();
        let fixed = is_protocol(reply) || is_of_fault(reply);
        if snapshot.dispatcher.hears(Event::InReply) && !fixed {
            let mut stage = Stage::new(&self.origin);
            stage.session = Some(&mut self.state);
            stage.transaction = self.mail.as_mut().map(|m| &mut m.transaction);
            stage.focus = Focus::Reply(reply);
            snapshot.dispatcher.raise(Event::InReply, &mut stage).await;
        }
    }

    /// Raises an event about the session or the open transaction, and waits as long as sinks asked for.
    pub(super) async fn raise(&mut self, event: Event, focus: Focus<'_>) -> Decision {
        let snapshot = self.mail.as_ref().map_or(&self.snapshot, |m| &m.snapshot).clone();
        let mark = self.mail.as_ref().and_then(|m| m.mark.as_ref());
        if !snapshot.dispatcher.hears(event) || mark.is_some_and(|mark| is_settled(event, mark)) {
            return Decision::Proceed;
        }
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.state);
        stage.transaction = self.mail.as_mut().map(|m| &mut m.transaction);
        stage.focus = focus;
        let decision = snapshot.dispatcher.raise(event, &mut stage).await;
        let (delay, answered) = (stage.delay, stage.answered.take());
        self.answered = answered;
        self.wait(delay).await;
        decision
    }

    /// A delay ends when the server stops.
    pub(super) async fn wait(&self, delay: Duration) {
        if !delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.server.stopping.cancelled() => {}
            }
        }
    }

    pub(super) async fn connect(&mut self) -> Answer {
        let decision = self.raise(Event::InConnect, Focus::None).await;
        self.unspoken.clone_from(&self.state.facts);
        self.renew_profile();
        if let Err((answer, reply)) = answer::of_session(decision) {
            self.note_session(&reply);
            return answer;
        }
        match &self.state.facts.greeting {
            None => Answer::Go,
            Some(text) => {
                Answer::Say(Reply::foreign(220, None, &format!("{} {text}", self.snapshot.settings.hostname)))
            }
        }
    }

    async fn helo(&mut self, hello: Hello) -> Answer {
        self.snapshot = self.server.current.pin();
        self.origin.helo = Some(hello.name.as_str().into());
        self.extended = hello.verb != Verb::Helo;
        self.state.facts_mut().keywords.clear();
        self.state.facts_mut().without.clear();
        let verb = match hello.verb {
            Verb::Helo => "HELO",
            Verb::Lhlo => "LHLO",
            _ => "EHLO",
        };
        let decision = self.raise(Event::InHelo, Focus::Verb { verb, argument: &hello.name, further: None }).await;
        self.renew_profile();
        match answer::of_session(decision) {
            Err((answer, reply)) => {
                self.note_session(&reply);
                answer
            }
            Ok(()) => Answer::Go,
        }
    }

    /// What the session is offered from here on: the snapshot's profile, changed as sinks asked.
    pub(super) fn renew_profile(&mut self) {
        let Some(base) = self.snapshot.profiles.get(self.listener) else { return };
        let base = self.dated(base);
        let hidden = answer::hidden(&self.snapshot, &self.origin);
        let profile = answer::profile(&base, &self.state.facts, &self.snapshot.settings, &hidden);
        self.profile = Some(self.with_usable_mechanisms(self.trust().offer(profile)));
    }

    /// What the listener grants the peer.
    pub(super) fn trust(&self) -> Trust {
        Trust::of(self.snapshot.settings.listeners.get(self.listener), self.peer)
    }

    /// A session that a sink refused has an account of its own.
    pub(super) fn note_session(&self, reply: &Reply) {
        let now = self.server.intake.clock.now();
        self.server.intake.history.note(Account::of_session(
            self.state.id,
            now,
            &self.origin,
            self.state.ledger.clone(),
            reply.to_string(),
        ));
        tracing::info!(session = %self.state.id, client = self.origin.client.map(tracing::field::display), %reply, "session refused");
    }
}

/// Whether the client's program reads the text: the greeting and the answer to EHLO begin with our name (RFC 5321 4.2), and
/// the latter has the keywords; 354 and 334 belong to an exchange. They are those that have no status (RFC 2034 3 and 4).
fn is_protocol(reply: &Reply) -> bool {
    reply.code() < 400 && reply.status().is_none()
}

/// Whether the event needs no decision any more: what was discarded as a whole is not judged, and what was held before its
/// content was judged is so when it is released.
fn is_settled(event: Event, mark: &Mark) -> bool {
    let content = matches!(event, Event::InData | Event::InHeaders | Event::InMessage);
    content || (event == Event::InRcpt && *mark == Mark::Discard)
}
