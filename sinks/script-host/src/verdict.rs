//! What a script returned, as the server wants it. `prelude/verdict.js` has checked the parts.

use crate::natives::{Octets, state};
use crate::wit::mailsluice::sink::types::{
    Answer, Deferral, Expansion, Identity, Outcome, Reply, Request, Resolution, Status, Turn, Verdict, Want,
};
use rquickjs::{Array, Error, Result};

/// A verdict from its parts: its name, then code, status (three numbers) and text of its reply, and its number; of an answer its
/// kind, too, and what that has.
pub(crate) fn read(parts: &Array<'_>) -> Result<Verdict> {
    let name: String = parts.get(0)?;
    Ok(match name.as_str() {
        "next" => Verdict::Next,
        "skip-rest" => Verdict::SkipRest,
        "discard" => Verdict::Discard,
        "reject" => Verdict::Reject(reply_of(parts)?),
        "disconnect" => Verdict::Disconnect(reply_of(parts)?),
        "hold" => Verdict::Hold(parts.get(5)?),
        "defer" => Verdict::Defer(Deferral {
            reply: reply_of(parts)?,
            after: parts.get::<Option<f64>>(6)?.map(|after| after as u32),
        }),
        "answer" => Verdict::Answer(answer(parts)?),
        _ => return Err(Error::Unknown),
    })
}

fn answer(parts: &Array<'_>) -> Result<Answer> {
    let kind: String = parts.get(7)?;
    Ok(match kind.as_str() {
        "limit" => Answer::Limit(parts.get::<Option<f64>>(6)?.unwrap_or_default() as u64),
        "line" => Answer::More(Request { reply: said(parts)?, want: Want::Line(bound(parts)?) }),
        "octets" => Answer::More(Request { reply: said(parts)?, want: Want::Octets(bound(parts)?) }),
        "turn" => Answer::Turn(Turn { reply: said(parts)?, domains: parts.get(8)? }),
        "instead" => Answer::Instead(parts.get(5)?),
        "identity" => Answer::Identity(Identity { user: parts.get(5)?, senders: parts.get(8)? }),
        "challenge" => Answer::Challenge(parts.get::<Octets>(8)?.0),
        "local" => Answer::Resolution(Resolution::Local),
        "remote" => Answer::Resolution(Resolution::Remote),
        "rewritten" => Answer::Resolution(Resolution::Rewritten(parts.get::<Array<'_>>(8)?.get(0)?)),
        "expanded" => {
            Answer::Resolution(Resolution::Expanded(Expansion { members: parts.get(8)?, sender: parts.get(9)? }))
        }
        "step" => Answer::Step(state(&parts.get::<String>(5)?).ok_or(Error::Unknown)?),
        "route" => Answer::Route(parts.get(8)?),
        "outcomes" => {
            let list = parts.get::<Vec<Array<'_>>>(8)?;
            Answer::Outcomes(list.iter().map(outcome).collect::<Result<_>>()?)
        }
        // At an event that has no answer it does not matter which it is.
        "records" | "list" => Answer::Records(parts.get(8)?),
        _ => Answer::Reply(said(parts)?),
    })
}

fn said(parts: &Array<'_>) -> Result<Reply> {
    reply_of(parts)?.ok_or(Error::Unknown)
}

fn bound(parts: &Array<'_>) -> Result<u32> {
    Ok(parts.get::<f64>(6)? as u32)
}

/// One outcome: the place of its recipient, then its reply like that of a verdict.
fn outcome(parts: &Array<'_>) -> Result<Outcome> {
    Ok(Outcome { recipient: parts.get(0)?, reply: said(parts)? })
}

fn reply_of(parts: &Array<'_>) -> Result<Option<Reply>> {
    reply_at(parts, 1)
}

/// The reply whose parts begin at a place.
pub(crate) fn reply_at(parts: &Array<'_>, at: usize) -> Result<Option<Reply>> {
    Ok(reply(parts.get(at)?, parts.get(at + 1)?, parts.get(at + 2)?, parts.get(at + 3)?, parts.get(at + 4)?))
}

/// A reply; code 0 is none.
pub(crate) fn reply(code: u16, class: u8, subject: u16, detail: u16, text: String) -> Option<Reply> {
    let status = (class != 0).then_some(Status { class, subject, detail });
    (code != 0).then_some(Reply { code, status, text })
}
