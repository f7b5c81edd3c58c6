//! What a client has presented to log in.

use super::define;
use super::words::bytes;
use crate::call;
use crate::wit::mailsluice::sink::types::Proof;
use rquickjs::{Ctx, Object, Result};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "credentials" => credentials,
    )
}

/// With the members of its proof that it has.
fn credentials(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let presented = call::credentials(&ctx, Clone::clone)?;
    let object = Object::new(ctx.clone())?;
    object.set("mechanism", presented.mechanism)?;
    object.set("user", presented.user)?;
    object.set("authzid", presented.authzid)?;
    let proof = match presented.proof {
        Proof::Password(password) => {
            object.set("password", password)?;
            "password"
        }
        Proof::Token(token) => {
            object.set("token", token)?;
            "token"
        }
        Proof::Proven => "proven",
        Proof::Certificate => "certificate",
        Proof::Step(step) => {
            object.set("step", step.number)?;
            object.set("octets", step.octets.map(|octets| bytes(&ctx, octets)).transpose()?)?;
            "step"
        }
    };
    object.set("proof", proof)?;
    Ok(object)
}
