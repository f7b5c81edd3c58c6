//! What a script claims, as the server wants it. `prelude/claims.js` has checked the parts.

use crate::verdict::reply_at;
use crate::wit::exports::mailsluice::sink::claims::{Claim, Conditions, Verb};
use rquickjs::{Array, Result};

/// Claims from their parts: the verbs, and then the lists of names.
pub(crate) fn read(parts: &Array<'_>) -> Result<Claim> {
    let verbs = parts.get::<Vec<Array<'_>>>(0)?;
    Ok(Claim {
        verbs: verbs.iter().map(verb).collect::<Result<_>>()?,
        mail_params: parts.get(1)?,
        rcpt_params: parts.get(2)?,
        auth_mechanisms: parts.get(3)?,
        keywords: parts.get(4)?,
    })
}

fn verb(parts: &Array<'_>) -> Result<Verb> {
    let refusal = parts.get::<Option<Array<'_>>>(6)?;
    Ok(Verb {
        name: parts.get(0)?,
        keyword: parts.get(1)?,
        conditions: Conditions { tls: parts.get(2)?, users: parts.get(3)?, clients: parts.get(4)? },
        early: parts.get(5)?,
        refusal: refusal.map(|parts| reply_at(&parts, 0)).transpose()?.flatten(),
    })
}
