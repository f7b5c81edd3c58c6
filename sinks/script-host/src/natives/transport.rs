//! What the events of the transport are about: a leg of the message's way, a question of the DNS, a step.

use super::define;
use super::session::replied;
use crate::call;
use crate::wit::mailsluice::sink::types::RecordKind;
use rquickjs::{Ctx, Object, Result};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "leg" => leg,
        "question" => question,
        "step" => |ctx: Ctx<'_>| call::step(&ctx),
    )
}

fn leg(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let leg = call::leg(&ctx, Clone::clone)?;
    let object = Object::new(ctx.clone())?;
    object.set("domain", leg.domain)?;
    object.set("host", leg.host)?;
    object.set("attempt", leg.attempt)?;
    object.set("reply", leg.reply.map(|reply| replied(&ctx, reply)).transpose()?)?;
    object.set("recipients", leg.recipients)?;
    Ok(object)
}

/// The type is written as `ctx.dns.lookup` takes it.
fn question(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let (name, kind) = call::question(&ctx, |question| (question.name.clone(), question.kind))?;
    let object = Object::new(ctx)?;
    object.set("name", name)?;
    object.set("type", kind_name(kind))?;
    Ok(object)
}

fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::A => "A",
        RecordKind::Aaaa => "AAAA",
        RecordKind::Cname => "CNAME",
        RecordKind::Mx => "MX",
        RecordKind::Ns => "NS",
        RecordKind::Ptr => "PTR",
        RecordKind::Srv => "SRV",
        RecordKind::Txt => "TXT",
    }
}
