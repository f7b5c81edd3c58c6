//! The answers that have a type of their own, such as routes and outcomes, from the types of the WIT.
//!
//! What the transport acts on is parsed here, once. What can't be parsed, or is too much, ends the call as the guest's fault,
//! with a text for its author. Whether the event takes such an answer is the dispatcher's question.

use super::host::{clipped, forward, reverse};
use super::lent::{Focus, Lent};
use super::login::{challenge, identity};
use super::state::{State, limit, trap};
use super::verdict::reply;
use crate::event::host::RecordKind;
use crate::event::{Answer, CommandAnswer, Resolution, RouteHop, SinkOutcome, Want};
use crate::mail::Domain;
use crate::smtp::client::Next;
use mailsluice_wit::mailsluice::sink::types;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Members that one recipient may stand for: as many as a message may have recipients.
const MEMBERS_MAX: usize = 10_000;
/// Hops of one route.
const HOPS_MAX: usize = 100;
/// Records that answer one question.
const RECORDS_MAX: usize = 1000;
/// Domains for which roles are swapped at a time.
const DOMAINS_MAX: usize = 1000;
/// The longest hop, record, domain or command, in octets.
const TEXT_MAX: usize = 4096;

/// What a guest answered about what it was lent.
pub(super) fn answer(said: types::Answer, state: &State) -> wasmtime::Result<Answer> {
    use types::Answer as Said;
    let lent = state.lent.as_ref();
    Ok(match said {
        Said::Reply(it) => Answer::from(reply(it)?),
        Said::More(it) => Answer::from(more(it)?),
        Said::Turn(it) => Answer::from(turn(it, state)?),
        Said::Instead(line) => {
            Answer::from(CommandAnswer::Instead(plain("the command in its place", &line)?.to_owned()))
        }
        Said::Identity(it) => Answer::from(identity(it)?),
        Said::Challenge(octets) => Answer::from(challenge(octets)?),
        Said::Limit(octets) => Answer::Limit(octets),
        Said::Resolution(it) => Answer::Resolution(resolution(it)?),
        Said::Route(hops) => Answer::Route(all("hops", hops, HOPS_MAX, |text| hop(&text))?),
        Said::Outcomes(list) => Answer::Outcomes(outcomes(list, lent)?),
        Said::Step(next) => Answer::Step(step(next)),
        Said::Records(list) => Answer::Records(records(list, lent)?),
    })
}

/// How much may be asked for is the dispatcher's to judge, which holds native sinks to the same.
fn more(said: types::Request) -> wasmtime::Result<CommandAnswer> {
    let want = match said.want {
        types::Want::Line(max) => Want::Line { max: max as usize },
        types::Want::Octets(count) => Want::Octets { count: count.into() },
    };
    Ok(CommandAnswer::More { reply: reply(said.reply)?, want })
}

fn turn(said: types::Turn, state: &State) -> wasmtime::Result<CommandAnswer> {
    if state.terms.grants.queue.is_none() {
        return Err(trap("to swap roles needs `allow.queue = true` in the manifest"));
    }
    let domain = |text: String| plain("a domain", &text).map(ToOwned::to_owned);
    Ok(CommandAnswer::Turn { reply: reply(said.reply)?, domains: all("domains", said.domains, DOMAINS_MAX, domain)? })
}

fn step(said: types::NextState) -> Next {
    match said {
        types::NextState::Continue => Next::Continue,
        types::NextState::Repeat => Next::Repeat,
        types::NextState::Hello => Next::Hello,
        types::NextState::Reset => Next::Reset,
        types::NextState::Quit => Next::Quit,
    }
}

fn resolution(said: types::Resolution) -> wasmtime::Result<Resolution> {
    use types::Resolution as Said;
    let path = |address: String| forward(&address).map_err(|why| trap(format!("what it resolves to: {why}")));
    Ok(match said {
        Said::Local => Resolution::Local,
        Said::Remote => Resolution::Remote,
        Said::Rewritten(address) => Resolution::Rewritten(path(address)?),
        Said::Expanded(types::Expansion { members, sender }) => {
            let sender =
                sender.map(|text| reverse(&text).map_err(|why| trap(format!("the sender of what goes on: {why}"))));
            Resolution::Expanded { members: all("members", members, MEMBERS_MAX, path)?, sender: sender.transpose()? }
        }
    })
}

fn hop(text: &str) -> wasmtime::Result<RouteHop> {
    let plain = plain("a hop", text)?;
    plain.parse().map_err(|no_hop| trap(format!("the route: {no_hop}")))
}

/// One for each place, and none but for those that are due.
fn outcomes(said: Vec<types::Outcome>, lent: Option<&Lent>) -> wasmtime::Result<Vec<SinkOutcome>> {
    let due = match lent.map(|lent| &lent.focus) {
        Some(Focus::Leg(leg)) => leg.recipients.as_slice(),
        _ => &[],
    };
    let mut seen = BTreeSet::new();
    let outcome = |said: types::Outcome| {
        let recipient = said.recipient as usize;
        if !due.contains(&recipient) {
            return Err(trap(format!("an outcome is about recipient {recipient}, which is not due; due are {due:?}")));
        }
        if !seen.insert(recipient) {
            return Err(trap(format!("there is more than one outcome for recipient {recipient}")));
        }
        if !matches!(said.reply.code, 200..=299 | 400..=599) {
            let code = said.reply.code;
            return Err(trap(format!(
                "the outcome for recipient {recipient} has the code {code}; give a 2xx, 4xx or 5xx"
            )));
        }
        Ok(SinkOutcome { recipient, reply: reply(said.reply)? })
    };
    said.into_iter().map(outcome).collect()
}

fn records(said: Vec<String>, lent: Option<&Lent>) -> wasmtime::Result<Vec<String>> {
    let kind = match lent.map(|lent| &lent.focus) {
        Some(Focus::Question { kind, .. }) => Some(*kind),
        _ => None,
    };
    all("records", said, RECORDS_MAX, |text| {
        let record = plain("a record", &text)?;
        match kind.and_then(|kind| wanted(kind, record)) {
            None => Ok(text),
            Some(form) => {
                Err(trap(format!("`{}` is no record of that kind; write one such as `{form}`", clipped(record))))
            }
        }
    })
}

/// How a record of that kind is written, if this is none. Routes ask for addresses and mail exchangers; the others are text.
fn wanted(kind: RecordKind, record: &str) -> Option<&'static str> {
    let (right, form) = match kind {
        RecordKind::A => (record.parse::<Ipv4Addr>().is_ok(), "192.0.2.1"),
        RecordKind::Aaaa => (record.parse::<Ipv6Addr>().is_ok(), "2001:db8::1"),
        RecordKind::Mx => (is_exchanger(record), "10 mx.example.com."),
        _ => return None,
    };
    (!right).then_some(form)
}

/// A preference and a name; `0 .` is a null MX (RFC 7505).
fn is_exchanger(record: &str) -> bool {
    let Some((preference, name)) = record.split_once(' ') else { return false };
    let named = name == "." || Domain::parse(name.strip_suffix('.').unwrap_or(name)).is_ok();
    named && preference.parse::<u16>().is_ok()
}

/// A text that is no content: short, and of one line.
fn plain<'a>(what: &str, text: &'a str) -> wasmtime::Result<&'a str> {
    if text.len() > TEXT_MAX {
        return Err(limit(format!("{what} has {} octets, and {TEXT_MAX} are allowed", text.len())));
    }
    if text.contains(char::is_control) {
        return Err(trap(format!("{what} has control characters: {:?}", clipped(text))));
    }
    Ok(text)
}

fn all<T, U>(
    what: &str,
    list: Vec<T>,
    max: usize,
    each: impl FnMut(T) -> wasmtime::Result<U>,
) -> wasmtime::Result<Vec<U>> {
    if list.len() > max {
        return Err(limit(format!("the answer has {} {what}, and {max} are allowed", list.len())));
    }
    list.into_iter().map(each).collect()
}
