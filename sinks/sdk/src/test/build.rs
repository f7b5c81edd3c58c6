//! How a world is made, step by step.

use super::World;
use super::mime::Mime;
use super::state::{Addressee, State};
use crate::dns::Kind;
use crate::wit::http::Response;
use crate::wit::types::{
    AuthStep, Command, Credentials, Excess, Further, NextState, Origin, Proof, Question, Standing, Tls,
};
use crate::{Door, Glob, Leg, Reply};
use serde_json::Value;
use std::rc::Rc;

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A session over SMTP from 192.0.2.1, and no message yet.
    pub fn new() -> Self {
        Self(Rc::new(State::new()))
    }

    fn with(mut self, change: impl FnOnce(&mut State)) -> Self {
        // A world is shared only while it raises an event, and is borrowed then.
        if let Some(state) = Rc::get_mut(&mut self.0) {
            change(state);
        }
        self
    }

    fn origin(self, change: impl FnOnce(&mut Origin)) -> Self {
        self.with(|state| change(&mut state.origin))
    }

    /// `[sink.config]`: what `serde_json::json!` makes.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        self.with(|state| state.config = config)
    }

    /// A table of the manifest, of keys and values. Keys are globs; exact ones go before the others.
    #[must_use]
    pub fn table<'a>(self, name: &str, lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut lines: Vec<_> = lines.into_iter().map(|(key, value)| (Glob::new(key), value.to_owned())).collect();
        lines.sort_by_key(|(key, _)| key.as_str().contains(['*', '?']));
        self.with(|state| _ = state.tables.insert(name.to_owned(), lines))
    }

    /// The client's address.
    #[must_use]
    pub fn client(self, address: &str) -> Self {
        self.origin(|origin| origin.client = Some(address.to_owned()))
    }

    /// The client's name, found to lead back to its address.
    #[must_use]
    pub fn client_name(self, name: &str) -> Self {
        self.origin(|origin| origin.client_name = Some(name.to_owned()))
    }

    /// What the client said after HELO or EHLO.
    #[must_use]
    pub fn helo(self, name: &str) -> Self {
        self.origin(|origin| origin.helo = Some(name.to_owned()))
    }

    /// The authenticated user.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.origin(|origin| origin.user = Some(user.to_owned()))
    }

    /// The way by which the message enters.
    #[must_use]
    pub fn door(self, door: Door) -> Self {
        self.origin(|origin| origin.door = door)
    }

    /// The reverse-path; `<>` is the null path.
    #[must_use]
    pub fn sender(self, address: &str) -> Self {
        let address = (address != "<>").then(|| address.to_owned());
        self.with(|state| state.sender = Some(address))
    }

    /// One more recipient. At `in.rcpt` the last one is at hand.
    #[must_use]
    pub fn recipient(self, address: &str) -> Self {
        self.recipient_with(address, Standing::Local, true)
    }

    /// One more recipient, as the directory sees it, and whether the binding's rule holds for it.
    #[must_use]
    pub fn recipient_with(self, address: &str, standing: Standing, matched: bool) -> Self {
        let address = address.to_owned();
        self.with(|state| {
            state.sender.get_or_insert(Some("carol@example.org".into()));
            state.recipients.push(Addressee { address, original: None, standing, matched });
        })
    }

    /// The message: header, blank line and body, lines ended by CRLF.
    #[must_use]
    pub fn content(self, octets: impl Into<Vec<u8>>) -> Self {
        let mime = Mime::read(octets.into());
        self.with(|state| {
            state.sender.get_or_insert(Some("carol@example.org".into()));
            state.content = Some(mime);
        })
    }

    /// The size that MAIL declared.
    #[must_use]
    pub fn declared_size(self, octets: u64) -> Self {
        self.with(|state| state.declared = Some(octets))
    }

    /// A parameter of MAIL that the sink has claimed.
    #[must_use]
    pub fn mail_parameter(self, keyword: &str, value: &str) -> Self {
        self.with(|state| _ = state.mail_parameters.insert(keyword.to_ascii_uppercase(), value.to_owned()))
    }

    /// A parameter of RCPT that the sink has claimed, on every recipient.
    #[must_use]
    pub fn rcpt_parameter(self, keyword: &str, value: &str) -> Self {
        self.with(|state| _ = state.rcpt_parameters.insert(keyword.to_ascii_uppercase(), value.to_owned()))
    }

    /// The command at `in.helo` and `in.command`.
    #[must_use]
    pub fn command(self, verb: &str, argument: &str) -> Self {
        let (verb, argument) = (verb.to_owned(), argument.to_owned());
        self.with(|state| state.command = Command { verb, argument, further: None })
    }

    /// What has come since the command at `in.command`, and which time that is, from 1.
    #[must_use]
    pub fn further(self, step: u32, octets: impl Into<Vec<u8>>) -> Self {
        let further = Further { step, octets: octets.into() };
        self.with(|state| state.command.further = Some(further))
    }

    /// What the client presents at `in.auth`: the mechanism, whose credentials they are, and how it shows that.
    #[must_use]
    pub fn credentials(self, mechanism: &str, user: Option<&str>, proof: Proof) -> Self {
        let (mechanism, user) = (mechanism.to_owned(), user.map(ToOwned::to_owned));
        self.with(|state| state.credentials = Credentials { mechanism, user, authzid: None, proof })
    }

    /// A step of a mechanism that the sink has claimed, at `in.auth`; 0 is the command itself.
    #[must_use]
    pub fn auth_step(self, mechanism: &str, number: u32, octets: Option<&[u8]>) -> Self {
        let octets = octets.map(<[u8]>::to_vec);
        self.credentials(mechanism, None, Proof::Step(AuthStep { number, octets }))
    }

    /// The TLS that is in use.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        self.origin(|origin| origin.tls = Some(tls))
    }

    /// So many messages wait for a domain.
    #[must_use]
    pub fn waits(self, domain: &str, messages: u64) -> Self {
        self.with(|state| _ = state.queue.insert(domain.to_owned(), messages))
    }

    /// The reply at `in.reply`.
    #[must_use]
    pub fn replying(self, reply: Reply) -> Self {
        self.with(|state| state.reply = reply)
    }

    /// The size at `transport.oversize`, and whether SIZE said so.
    #[must_use]
    pub fn oversize(self, size: u64, declared: bool) -> Self {
        self.with(|state| state.excess = Excess { size, declared })
    }

    /// The leg at the events from `transport.route` to `transport.failed`, and at `out.*`. All recipients of the world are of it.
    #[must_use]
    pub fn leg(self, domain: &str, host: Option<&str>, attempt: u32, reply: Option<Reply>) -> Self {
        let (domain, host) = (domain.to_owned(), host.map(ToOwned::to_owned));
        self.with(|state| state.leg = Leg { domain, host, attempt, reply, recipients: Vec::new() })
    }

    /// What our client is about to send at the `out.*` events; at `out.reply` what was answered, and how the session may go on. The rest
    /// is the leg.
    #[must_use]
    pub fn outbound(self, verb: &str, next_states: &[NextState]) -> Self {
        let (verb, next) = (Some(verb.to_owned()), next_states.to_vec());
        self.with(|state| (state.outbound_verb, state.next_states) = (verb, next))
    }

    /// The question at `dns.resolve`.
    #[must_use]
    pub fn question(self, name: &str, kind: Kind) -> Self {
        self.with(|state| state.question = Question { name: name.to_owned(), kind })
    }

    /// The step at `track`: what `serde_json::json!` makes.
    #[must_use]
    pub fn step(self, step: Value) -> Self {
        self.with(|state| state.step = step)
    }

    /// A property by its full name, `sink.key`.
    #[must_use]
    pub fn property(self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.with(|state| _ = state.properties.insert(name.to_owned(), value))
    }

    /// What the DNS answers. What nothing is said of is not found.
    #[must_use]
    pub fn dns(self, name: &str, kind: Kind, records: &[&str]) -> Self {
        let records = records.iter().map(|r| (*r).to_owned()).collect();
        self.with(|state| _ = state.dns.insert((name.to_ascii_lowercase(), kind as u8), records))
    }

    /// What a URL answers. One that nothing is said of is not allowed.
    #[must_use]
    pub fn http(self, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        let response = Response { status, headers: Vec::new(), body: body.into() };
        self.with(|state| _ = state.http.insert(url.to_owned(), response))
    }

    /// A value in `kv`.
    #[must_use]
    pub fn keeping(self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        let value = value.into();
        self.with(|state| _ = state.kv.get_mut().insert(key.to_owned(), value))
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn time(self, milliseconds: u64) -> Self {
        self.with(|state| state.now.set(milliseconds))
    }
}
