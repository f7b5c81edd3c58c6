//! What a script returned, as the server wants it. `prelude/verdict.js` has checked the parts.

use crate::wit::mailsluice::sink::types::{Answer, Deferral, Reply, Status, Verdict};
use rquickjs::{Array, Error, Result};

/// A verdict from its parts: its name, then code, status (three numbers) and text of its reply, and its number.
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
        "answer" => Verdict::Answer(match reply_of(parts)? {
            Some(reply) => Answer::Reply(reply),
            None => Answer::Limit(parts.get::<Option<f64>>(6)?.unwrap_or_default() as u64),
        }),
        _ => return Err(Error::Unknown),
    })
}

fn reply_of(parts: &Array<'_>) -> Result<Option<Reply>> {
    Ok(reply(parts.get(1)?, parts.get(2)?, parts.get(3)?, parts.get(4)?, parts.get(5)?))
}

/// A reply; code 0 is none.
pub(crate) fn reply(code: u16, class: u8, subject: u16, detail: u16, text: String) -> Option<Reply> {
    let status = (class != 0).then_some(Status { class, subject, detail });
    (code != 0).then_some(Reply { code, status, text })
}
