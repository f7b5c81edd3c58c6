//! Verdicts and replies, from and to the types of the WIT.

use super::state::limit;
use crate::event::{Answer, Verdict};
use crate::mail::{EnhancedCode, Reply};
use mailsluice_wit::mailsluice::sink::types;
use std::time::Duration;

/// The longest text of a reply or a reason; what is over a line's length is cut later.
const TEXT_MAX: usize = 4096;

/// What a guest said.
pub(super) fn verdict(said: types::Verdict) -> wasmtime::Result<Verdict> {
    use types::Verdict as Said;
    Ok(match said {
        Said::Next => Verdict::Next,
        Said::SkipRest => Verdict::SkipRest,
        Said::Answer(types::Answer::Reply(answer)) => Verdict::Answer(Answer::Reply(reply(answer)?)),
        Said::Answer(types::Answer::Limit(octets)) => Verdict::Answer(Answer::Limit(octets)),
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

fn too_long(what: &str, octets: usize) -> wasmtime::Error {
    limit(format!("{what} has {octets} octets, and {TEXT_MAX} are allowed"))
}
