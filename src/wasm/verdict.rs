//! Verdicts and replies, and what events are about, from and to the types of the WIT.

use super::answer::answer;
use super::state::{State, limit};
use crate::event::host::RecordKind;
use crate::event::{Leg, Verdict};
use crate::mail::{EnhancedCode, Reply};
use mailsluice_wit::mailsluice::sink::types;
use std::time::Duration;

/// The longest text of a reply or a reason; what is over a line's length is cut later.
const TEXT_MAX: usize = 4096;

/// What a guest said about what it was lent.
pub(super) fn verdict(said: types::Verdict, state: &State) -> wasmtime::Result<Verdict> {
    use types::Verdict as Said;
    Ok(match said {
        Said::Next => Verdict::Next,
        Said::SkipRest => Verdict::SkipRest,
        Said::Answer(said) => Verdict::Answer(answer(said, state)?),
        Said::Reject(with) => Verdict::Reject(with.map(reply).transpose()?),
        Said::Defer(deferral) => {
            let after = deferral.after.map(|seconds| Duration::from_secs(seconds.into()));
            Verdict::Defer(deferral.reply.map(reply).transpose()?, after)
        }
        Said::Disconnect(with) => Verdict::Disconnect(with.map(reply).transpose()?),
        Said::Discard => Verdict::Discard,
        Said::Hold(reason) if reason.len() > TEXT_MAX => return Err(too_long("the reason", reason.len())),
        Said::Hold(reason) => Verdict::Hold(reason),
    })
}

/// A guest's reply. A code that is none gets that of its verdict.
pub(super) fn reply(reply: types::Reply) -> wasmtime::Result<Reply> {
    if reply.text.len() > TEXT_MAX {
        return Err(too_long("the reply's text", reply.text.len()));
    }
    let status = reply.status.map(|s| EnhancedCode(s.class, s.subject, s.detail));
    Ok(Reply::foreign(reply.code, status, &reply.text))
}

/// A reply, as a guest sees it.
pub(super) fn told(reply: &Reply) -> types::Reply {
    let status = reply.status().map(|s| types::Status { class: s.0, subject: s.1, detail: s.2 });
    types::Reply { code: reply.code(), status, text: reply.text().to_owned() }
}

/// A leg, as a guest sees it.
pub(super) fn leg(leg: &Leg) -> types::Leg {
    types::Leg {
        domain: leg.domain.to_string(),
        host: leg.host.as_ref().map(ToString::to_string),
        attempt: leg.attempt,
        reply: leg.reply.as_ref().map(told),
        recipients: leg.recipients.iter().filter_map(|place| u32::try_from(*place).ok()).collect(),
    }
}

/// A question, as a guest sees it.
pub(super) fn question(name: &str, kind: RecordKind) -> types::Question {
    let kind = match kind {
        RecordKind::A => types::RecordKind::A,
        RecordKind::Aaaa => types::RecordKind::Aaaa,
        RecordKind::Cname => types::RecordKind::Cname,
        RecordKind::Mx => types::RecordKind::Mx,
        RecordKind::Ns => types::RecordKind::Ns,
        RecordKind::Ptr => types::RecordKind::Ptr,
        RecordKind::Srv => types::RecordKind::Srv,
        RecordKind::Txt => types::RecordKind::Txt,
    };
    types::Question { name: name.to_owned(), kind }
}

fn too_long(what: &str, octets: usize) -> wasmtime::Error {
    limit(format!("{what} has {octets} octets, and {TEXT_MAX} are allowed"))
}
