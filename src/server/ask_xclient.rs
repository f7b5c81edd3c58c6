//! XCLIENT and XFORWARD: a trusted proxy says for whom it speaks, or where a message came from before.
//!
//! They are the server's own and no sinks: what they change decides who may relay, and no sink can lift that check. Who is not trusted
//! is refused before what follows the verb is looked at. A sink may refuse the command, as any other, and it hears
//! `in.connect` again with the client that the proxy named.

use super::ask::Asker;
use crate::event::{Identity, SessionState};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::xclient::{BadAttribute, Proto, Told, Xclient, Xforward};
use crate::smtp::{Answer, Verb};
use serde_json::Value;

/// XCLIENT_README: "insufficient authorization".
const NOT_TRUSTED: Reply = Reply::new(550, EnhancedCode(5, 7, 0), "You may not say for whom you speak here");
const NOTED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Noted for the next message");

/// Names of the properties that hold what there is no other place for.
const XCLIENT: &str = "xclient";
const XFORWARD: &str = "xforward";

impl Asker {
    /// Why the peer may not say what it says.
    pub(super) fn distrusted(&self, verb: Verb) -> Option<Reply> {
        let trusted = match verb {
            Verb::Xclient => self.trust().xclient,
            Verb::Xforward => self.trust().xforward,
            _ => true,
        };
        (!trusted).then_some(NOT_TRUSTED)
    }

    /// XCLIENT: the session begins again, with the client that the proxy names.
    pub(super) async fn xclient(&mut self, argument: &str) -> Answer {
        let told = match Xclient::parse(argument) {
            Ok(told) => told,
            Err(error) => return Answer::Refuse(bad(&error)),
        };
        let proxy = self.origin.client;
        self.become_client(told);
        tracing::info!(
            session = %self.state.id, peer = %self.peer, proxy = proxy.map(tracing::field::display),
            client = self.origin.client.map(tracing::field::display), name = self.origin.client_name.as_deref(),
            login = self.origin.auth.as_deref(), "the proxy speaks for another client"
        );
        let authenticated = self.origin.auth.is_some();
        match self.connect().await {
            Answer::Go => {
                let profile = self.profile.as_ref().or(self.snapshot.profiles.get(self.listener));
                let greeting = profile.map_or_else(|| Reply::plain(220, ""), |profile| profile.greeting());
                Answer::Restart { greeting, authenticated }
            }
            Answer::Say(greeting) => Answer::Restart { greeting, authenticated },
            // Who is refused at the greeting has nothing left to say, and the proxy may come back for the next one.
            Answer::Refuse(reply) | Answer::Close(reply) => Answer::Close(reply),
            other => other,
        }
    }

    /// Puts the client that is named in the place of the one before. What was said of that one is over.
    fn become_client(&mut self, told: Xclient) {
        let mut state = SessionState::new(self.state.id);
        let before = std::mem::replace(&mut self.state, state.clone());
        for namespace in ["proxy", XCLIENT] {
            for (of, key, value) in before.facts.properties.iter().filter(|(of, ..)| *of == namespace) {
                state.facts_mut().properties.set(of, key, value.clone());
            }
        }
        let mut note = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                state.facts_mut().properties.set(XCLIENT, key, value);
            }
        };
        note("peer", Some(self.peer.to_string().into()));
        note("port", told.port.map(|port| port.value().map_or(Value::Null, Value::from)));
        let text = |address: std::net::IpAddr| Value::from(address.to_string());
        note("destaddr", told.dest_addr.map(|address| address.value().map_or(Value::Null, text)));
        note("destport", told.dest_port.map(|port| port.value().map_or(Value::Null, Value::from)));
        self.state = state;
        let origin = &mut self.origin;
        if let Some(address) = told.addr {
            // The name belonged to the address.
            (origin.client, origin.client_name) = (address.value().map(|a| a.to_canonical()), None);
        }
        if let Some(name) = told.name {
            origin.client_name = name.value().map(Into::into);
        }
        if let Some(login) = told.login {
            self.proxied_login = login.value().map(Into::into);
        }
        origin.auth.clone_from(&self.proxied_login);
        (self.exchange, self.senders) = (None, None);
        origin.helo = match told.helo {
            Some(Told::Is(helo)) => Some(helo.into()),
            _ => None,
        };
        self.extended = told.proto == Some(Proto::Esmtp);
        self.forwarded = None;
        if let Some(user) = self.proxied_login.clone() {
            self.senders = self.senders_of(&Identity::of(&*user));
        }
    }

    /// What was said before TLS is void, whoever said it (RFC 3207 4.2): the client is the peer again.
    pub(super) fn forget_client(&mut self) {
        (self.origin.client, self.origin.client_name) = (Some(self.peer), None);
        (self.proxied_login, self.forwarded) = (None, None);
    }

    /// XFORWARD: noted for the transaction to come.
    pub(super) fn xforward(&mut self, argument: &str) -> Answer {
        match Xforward::parse(argument) {
            Ok(told) => {
                self.forwarded.get_or_insert_default().take(told);
                Answer::Say(NOTED)
            }
            Err(error) => Answer::Refuse(bad(&error)),
        }
    }

    /// Gives the transaction that has just begun what was forwarded for it.
    pub(super) fn note_forwarded(&mut self) {
        let (Some(forwarded), Some(mail)) = (&self.forwarded, &mut self.mail) else { return };
        let facts = forwarded.facts();
        let text: Vec<String> = facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tracing::info!(id = %mail.transaction.id, forwarded = text.join(" "), "handed on for another client");
        for (name, value) in facts {
            mail.transaction.letter_mut().properties.set(XFORWARD, name, value.into());
        }
    }
}

fn bad(error: &BadAttribute) -> Reply {
    Reply::foreign(501, Some(EnhancedCode(5, 5, 4)), &error.to_string())
}
