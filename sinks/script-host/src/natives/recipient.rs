//! Recipients: a message's by their indexes, and the one at hand.

use super::define;
use crate::call::{self, recipient};
use crate::verdict::reply;
use crate::wit::mailsluice::sink::types::Standing;
use rquickjs::{Ctx, Object, Result};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "recipientCount" => |ctx: Ctx<'_>| call::recipient_count(&ctx),
        "recipientAddress" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.address()),
        "recipientOriginal" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.original()),
        "recipientStanding" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| standing(one.standing())),
        "recipientPlace" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.place()),
        "recipientMatched" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.matched()),
        "recipientProperty" => |ctx: Ctx<'_>, at: i32, name: String| recipient(&ctx, at, |one| one.property(&name)),
        "recipientParameter" => |ctx: Ctx<'_>, at: i32, keyword: String| recipient(&ctx, at, |one| one.parameter(&keyword)),
        "recipientSetProperty" => |ctx: Ctx<'_>, at: i32, name: String, json: String| {
            recipient(&ctx, at, |one| one.set_property(&name, &json).err())
        },
        "recipientRewrite" => |ctx: Ctx<'_>, at: i32, address: String| {
            recipient(&ctx, at, |one| one.rewrite(&address).err())
        },
        "recipientVouch" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.vouch()),
        "recipientRemove" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.remove()),
        "recipientReject" => reject,
        "recipientDefer" => defer,
        "recipientDiscard" => |ctx: Ctx<'_>, at: i32| recipient(&ctx, at, |one| one.discard()),
        "recipientHold" => |ctx: Ctx<'_>, at: i32, reason: String| recipient(&ctx, at, |one| one.hold(&reason)),
    )
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Local => "local",
        Standing::Relay => "relay",
        Standing::Unknown => "unknown",
        Standing::Denied => "denied",
    }
}

fn reject(ctx: Ctx<'_>, at: i32, code: u16, class: u8, subject: u16, detail: u16, text: String) -> Result<()> {
    let reply = reply(code, class, subject, detail, text);
    recipient(&ctx, at, |one| one.reject(reply.as_ref()))
}

fn defer(ctx: Ctx<'_>, at: i32, code: u16, class: u8, subject: u16, detail: u16, text: String) -> Result<()> {
    let reply = reply(code, class, subject, detail, text);
    recipient(&ctx, at, |one| one.defer(reply.as_ref()))
}
