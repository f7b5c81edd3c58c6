//! The message: what is read of it, and the edits.

use super::define;
use super::words::Octets;
use crate::call;
use crate::module::raise;
use rquickjs::{Ctx, Object, Result};

/// Octets of the body that are asked for at a time.
const PIECE: u32 = 1 << 20;

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "hasMessage" => call::has_message,
        "messageId" => |ctx: Ctx<'_>| call::message(&ctx, |message| message.id()),
        "messageSender" => |ctx: Ctx<'_>| call::message(&ctx, |message| message.sender()),
        "messageSize" => |ctx: Ctx<'_>| call::message(&ctx, |message| message.size()),
        "messageBodySize" => |ctx: Ctx<'_>| call::message(&ctx, |message| message.body_size()),
        "messageRaw" => raw,
        "messageText" => text,
        "messageHtml" => html,
        "messageHeader" => |ctx: Ctx<'_>, name: String| call::message(&ctx, |message| message.header(&name)),
        "messageHeaders" => |ctx: Ctx<'_>, name: String| call::message(&ctx, |message| message.headers(&name)),
        "messageProperty" => |ctx: Ctx<'_>, name: String| call::message(&ctx, |message| message.property(&name)),
        "messageSetProperty" => |ctx: Ctx<'_>, name: String, json: String| {
            call::message(&ctx, |message| message.set_property(&name, &json).err())
        },
        "messageAddHeader" => |ctx: Ctx<'_>, name: String, value: String, top: bool| {
            let add = |message: &crate::wit::mailsluice::sink::types::Message| match top {
                true => message.prepend_header(&name, &value),
                false => message.append_header(&name, &value),
            };
            call::message(&ctx, add).map(std::result::Result::err)
        },
        "messageSetHeader" => |ctx: Ctx<'_>, name: String, value: String| {
            call::message(&ctx, |message| message.set_header(&name, &value).err())
        },
        "messageParameter" => |ctx: Ctx<'_>, keyword: String| call::message(&ctx, |message| message.parameter(&keyword)),
        "messageSplit" => |ctx: Ctx<'_>, places: Vec<u32>| call::message(&ctx, |message| message.split(&places)),
        "messageRemoveHeader" => |ctx: Ctx<'_>, name: String| call::message(&ctx, |message| message.remove_header(&name)),
        "messageSetSender" => |ctx: Ctx<'_>, address: Option<String>| {
            call::message(&ctx, |message| message.set_sender(address.as_deref()).err())
        },
        "messageAddRecipient" => |ctx: Ctx<'_>, address: String| {
            call::message(&ctx, |message| message.add_recipient(&address).err())
        },
        "messageReplaceBody" => |ctx: Ctx<'_>, body: Octets| call::message(&ctx, |message| message.replace_body(&body.0)),
        "messagePrependText" => |ctx: Ctx<'_>, text: String, html: Option<String>| {
            call::message(&ctx, |message| message.prepend_text(&text, html.as_deref()))
        },
        "messageAppendText" => |ctx: Ctx<'_>, text: String, html: Option<String>| {
            call::message(&ctx, |message| message.append_text(&text, html.as_deref()))
        },
        "messageReplaceText" => |ctx: Ctx<'_>, text: String, html: Option<String>| {
            call::message(&ctx, |message| message.replace_text(&text, html.as_deref()))
        },
    )
}

/// Header and body as a text; octets that are no UTF-8 become replacement characters.
fn raw(ctx: Ctx<'_>) -> Result<String> {
    let octets = call::message(&ctx, |message| {
        let mut octets = message.raw_header();
        octets.extend_from_slice(b"\r\n");
        let header = octets.len();
        loop {
            let piece = message.read_body((octets.len() - header) as u64, PIECE);
            if piece.is_empty() {
                return octets;
            }
            octets.extend_from_slice(&piece);
        }
    })?;
    Ok(String::from_utf8(octets).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn text(ctx: Ctx<'_>) -> Result<Option<String>> {
    call::message(&ctx, |message| message.text())?.map_err(|why| raise(&ctx, &format!("message.text: {why}")))
}

fn html(ctx: Ctx<'_>) -> Result<Option<String>> {
    call::message(&ctx, |message| message.html())?.map_err(|why| raise(&ctx, &format!("message.html: {why}")))
}
