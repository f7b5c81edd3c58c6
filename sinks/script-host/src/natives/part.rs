//! The parts of a message, which scripts see as attachments.

use super::define;
use super::words::{Octets, bytes};
use crate::call;
use crate::module::raise;
use crate::wit::mailsluice::sink::types::Attachment;
use rquickjs::{Ctx, Object, Result, TypedArray};

/// Octets that are asked for at a time.
const PIECE: u32 = 1 << 20;

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "messageParts" => parts,
        "partOctets" => octets,
        "partRemove" => |ctx: Ctx<'_>, index: u32| call::message(&ctx, |message| message.remove_part(index)),
        "partReplace" => |ctx: Ctx<'_>, index: u32, data: Octets| {
            call::message(&ctx, |message| message.replace_part(index, &data.0))
        },
        "partReplaceFile" => |ctx: Ctx<'_>, index: u32, name: String, kind: String, data: Octets| {
            call::message(&ctx, |message| message.replace_attachment(index, &file(name, kind, data)))
        },
        "messageAddAttachment" => |ctx: Ctx<'_>, name: String, kind: String, data: Octets| {
            call::message(&ctx, |message| message.add_attachment(&file(name, kind, data)))
        },
    )
}

fn file(file_name: String, content_type: String, data: Octets) -> Attachment {
    Attachment { file_name, content_type, data: data.0 }
}

/// Each part as an object.
fn parts(ctx: Ctx<'_>) -> Result<Vec<Object<'_>>> {
    let parts = call::message(&ctx, |message| message.parts())?;
    let parts = parts.map_err(|why| raise(&ctx, &format!("message.attachments: {why}")))?;
    let each = |part: crate::wit::mailsluice::sink::types::Part| {
        let object = Object::new(ctx.clone())?;
        object.set("index", part.index)?;
        object.set("name", part.file_name)?;
        object.set("type", part.content_type)?;
        object.set("charset", part.charset)?;
        object.set("size", part.size)?;
        object.set("attachment", part.is_attachment)?;
        Ok(object)
    };
    parts.into_iter().map(each).collect()
}

/// A part, decoded.
fn octets(ctx: Ctx<'_>, index: u32) -> Result<TypedArray<'_, u8>> {
    let mut octets = Vec::new();
    loop {
        let piece = call::message(&ctx, |message| message.read_part(index, octets.len() as u64, PIECE))?;
        let piece = piece.map_err(|why| raise(&ctx, &format!("attachment.bytes: {why}")))?;
        if piece.is_empty() {
            return bytes(&ctx, octets);
        }
        octets.extend_from_slice(&piece);
    }
}
