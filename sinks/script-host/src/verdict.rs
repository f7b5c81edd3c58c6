//! What a script returned, as the server wants it. `prelude/verdict.js` has checked the parts.

use crate::natives::state;
use crate::wit::mailsluice::sink::types::{Answer, Deferral, Expansion, Outcome, Reply, Resolution, Status, Verdict};
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
        _ => Answer::Reply(reply_of(parts)?.ok_or(Error::Unknown)?),
    })
}

/// One outcome: the place of its recipient, then its reply like that of a verdict.
fn outcome(parts: &Array<'_>) -> Result<Outcome> {
    Ok(Outcome { recipient: parts.get(0)?, reply: reply_of(parts)?.ok_or(Error::Unknown)? })
}

fn reply_of(parts: &Array<'_>) -> Result<Option<Reply>> {
    Ok(reply(parts.get(1)?, parts.get(2)?, parts.get(3)?, parts.get(4)?, parts.get(5)?))
}

/// A reply; code 0 is none.
pub(crate) fn reply(code: u16, class: u8, subject: u16, detail: u16, text: String) -> Option<Reply> {
    let status = (class != 0).then_some(Status { class, subject, detail });
    (code != 0).then_some(Reply { code, status, text })
}
