//! Whole messages, read and edited.

mod conversions;
mod edits;
mod random;
mod views;

use super::*;
use crate::mail::Message;
use bytes::Bytes;

/// A message from lines, whose indentation goes; `|` stands for a space that continues a field.
fn message(text: &str) -> Message {
    let line = |line: &str| line.trim_start().replacen('|', " ", usize::from(line.trim_start().starts_with('|')));
    let text: Vec<String> = text.trim_start_matches('\n').lines().map(line).collect();
    Message::from_bytes(format!("{}\r\n", text.join("\r\n")).into())
}

fn octets(message: &Message) -> Bytes {
    message.content().to_bytes().unwrap()
}

fn text_of(message: &Message) -> String {
    String::from_utf8_lossy(&octets(message)).into_owned()
}

fn append(text: &str) -> BodyEdit {
    BodyEdit::AppendText { text: text.into(), html: None }
}

fn prepend(text: &str) -> BodyEdit {
    BodyEdit::PrependText { text: text.into(), html: None }
}

fn replace(text: &str, html: Option<&str>) -> BodyEdit {
    BodyEdit::ReplaceText { text: text.into(), html: html.map(str::to_owned) }
}

fn file(name: &str, data: &'static [u8]) -> Attachment {
    Attachment { name: name.into(), content_type: "application/octet-stream".into(), data: Bytes::from_static(data) }
}

/// Every CR and LF is one of a pair.
fn has_clean_lines(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets).replace("\r\n", "");
    !text.contains(['\r', '\n'])
}

/// What another reader finds in the leaves: type, file name and decoded octets, in order, but of multiparts nothing.
fn leaves(octets: &[u8]) -> Vec<(String, Option<String>, Vec<u8>)> {
    use mail_parser::{MessageParser, MimeHeaders, PartType};
    let parsed = MessageParser::default().parse(octets).unwrap();
    let leaf = |part: &mail_parser::MessagePart<'_>| {
        let kind = part.content_type().map(|t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default()));
        let body = match &part.body {
            PartType::Multipart(_) => return None,
            PartType::Message(inner) => inner.raw_message.to_vec(),
            _ => part.contents().to_vec(),
        };
        Some((kind.unwrap_or("text/plain".to_owned()), part.attachment_name().map(str::to_owned), body))
    };
    parsed.parts.iter().filter_map(leaf).collect()
}
