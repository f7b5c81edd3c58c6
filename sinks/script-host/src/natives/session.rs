//! The session and its client, and what else an event is about: command, reply, excess.

use super::define;
use super::words::bytes;
use crate::call::{self, session};
use crate::wit::mailsluice::sink::types::{Door, Reply, Tls};
use rquickjs::{Ctx, Object, Result};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "hasSession" => call::has_session,
        "sessionId" => |ctx: Ctx<'_>| session(&ctx, |session| session.id()),
        "origin" => origin,
        "sessionProperty" => |ctx: Ctx<'_>, name: String| session(&ctx, |session| session.property(&name)),
        "sessionSetProperty" => |ctx: Ctx<'_>, name: String, json: String| {
            session(&ctx, |session| session.set_property(&name, &json).err())
        },
        "sessionDelay" => |ctx: Ctx<'_>, milliseconds: u32| session(&ctx, |session| session.delay(milliseconds)),
        "sessionLimitMessageSize" => |ctx: Ctx<'_>, octets: f64| {
            session(&ctx, |session| session.limit_message_size(octets as u64))
        },
        "sessionLimitRecipients" => |ctx: Ctx<'_>, count: u32| {
            session(&ctx, |session| session.limit_recipients(count))
        },
        "sessionSetGreeting" => |ctx: Ctx<'_>, text: String| session(&ctx, |session| session.set_greeting(&text)),
        "sessionAddKeyword" => |ctx: Ctx<'_>, keyword: String| session(&ctx, |session| session.add_keyword(&keyword)),
        "sessionRemoveKeyword" => |ctx: Ctx<'_>, keyword: String| {
            session(&ctx, |session| session.remove_keyword(&keyword))
        },
        "command" => command,
        "outgoing" => outgoing,
        "outgoingSetText" => |ctx: Ctx<'_>, text: String| call::outgoing(&ctx, |reply| reply.set_text(&text)),
        "excess" => excess,
    )
}

fn origin(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let origin = session(&ctx, |session| session.origin())?;
    let object = Object::new(ctx)?;
    object.set("door", door(origin.door))?;
    object.set("listener", origin.listener)?;
    object.set("role", origin.role)?;
    object.set("ip", origin.client)?;
    object.set("name", origin.client_name)?;
    object.set("helo", origin.helo)?;
    object.set("user", origin.user)?;
    object.set("tls", origin.tls.map(|it| tls(object.ctx(), it)).transpose()?)?;
    Ok(object)
}

fn tls<'js>(ctx: &Ctx<'js>, tls: Tls) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("version", tls.version)?;
    object.set("cipher", tls.cipher)?;
    object.set("serverName", tls.server_name)?;
    if let Some(it) = tls.certificate {
        let certificate = Object::new(ctx.clone())?;
        certificate.set("subject", it.subject)?;
        certificate.set("names", it.names)?;
        certificate.set("fingerprint", it.fingerprint)?;
        certificate.set("verified", it.verified)?;
        object.set("certificate", certificate)?;
    }
    Ok(object)
}

fn door(door: Door) -> &'static str {
    match door {
        Door::Smtp => "smtp",
        Door::Lmtp => "lmtp",
        Door::Pickup => "pickup",
        Door::Send => "send",
        Door::Sink => "sink",
        Door::Dsn => "dsn",
    }
}

fn command(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let command = call::command(&ctx, Clone::clone)?;
    let object = Object::new(ctx.clone())?;
    object.set("verb", command.verb)?;
    object.set("argument", command.argument)?;
    if let Some(it) = command.further {
        let further = Object::new(ctx.clone())?;
        further.set("step", it.step)?;
        further.set("octets", bytes(&ctx, it.octets)?)?;
        object.set("further", further)?;
    }
    Ok(object)
}

fn outgoing(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let reply = call::outgoing(&ctx, |reply| reply.reply())?;
    replied(&ctx, reply)
}

/// A reply as an object.
pub(super) fn replied<'js>(ctx: &Ctx<'js>, reply: Reply) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("code", reply.code)?;
    object
        .set("status", reply.status.map(|status| format!("{}.{}.{}", status.class, status.subject, status.detail)))?;
    object.set("text", reply.text)?;
    Ok(object)
}

fn excess(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let (size, declared) = call::excess(&ctx, |excess| (excess.size, excess.declared))?;
    let object = Object::new(ctx)?;
    object.set("size", size)?;
    object.set("declared", declared)?;
    Ok(object)
}
