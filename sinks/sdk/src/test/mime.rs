//! A message of a world, read as MIME.

use crate::wit::types::{Field, Part};
use mail_parser::{HeaderValue, MessageParser, MessagePart, MimeHeaders, PartType};
use std::borrow::Cow;

/// A message, and what stands in it.
pub(super) struct Mime {
    octets: Vec<u8>,
    /// The parts, and the octets of each.
    parts: Vec<(Part, Vec<u8>)>,
    text: Option<String>,
    html: Option<String>,
}

impl Mime {
    pub(super) fn read(octets: Vec<u8>) -> Self {
        let Some(message) = MessageParser::default().parse(&octets) else {
            return Self { octets, parts: Vec::new(), text: None, html: None };
        };
        let parents = parents(&message.parts);
        let attachments = &message.attachments;
        let part = |(index, part): (usize, &MessagePart<'_>)| {
            let data = part.contents().to_vec();
            (
                describe(
                    index,
                    parents.get(index).copied().flatten(),
                    part,
                    attachments.contains(&(index as u32)),
                    &data,
                ),
                data,
            )
        };
        let parts = message.parts.iter().enumerate().map(part).collect();
        // The parser makes one of the other; what is told is what the message has.
        let of = |list: &[u32], is: fn(&PartType<'_>) -> bool| {
            list.first().is_some_and(|i| message.part(*i).is_some_and(|p| is(&p.body)))
        };
        let text =
            of(&message.text_body, |body| matches!(body, PartType::Text(_))).then(|| message.body_text(0)).flatten();
        let html =
            of(&message.html_body, |body| matches!(body, PartType::Html(_))).then(|| message.body_html(0)).flatten();
        let (text, html) = (text.map(Cow::into_owned), html.map(Cow::into_owned));
        Self { parts, text, html, octets }
    }

    fn split(&self) -> (&[u8], &[u8]) {
        if self.octets.starts_with(b"\r\n") {
            return (&[], self.octets.get(2..).unwrap_or_default());
        }
        let blank = self.octets.windows(4).position(|w| w == b"\r\n\r\n");
        let (header, body) = blank.map_or((self.octets.len(), self.octets.len()), |at| (at + 2, at + 4));
        (self.octets.get(..header).unwrap_or_default(), self.octets.get(body..).unwrap_or_default())
    }

    pub(super) fn size(&self) -> u64 {
        self.octets.len() as u64
    }

    pub(super) fn raw_header(&self) -> &[u8] {
        self.split().0
    }

    pub(super) fn body(&self) -> &[u8] {
        self.split().1
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        let header = String::from_utf8_lossy(self.raw_header()).replace("\r\n ", " ").replace("\r\n\t", "\t");
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some(Field { name: name.trim_end().to_owned(), value: value.trim().to_owned() })
        };
        header.split("\r\n").filter_map(field).collect()
    }

    pub(super) fn headers(&self, name: &str) -> Vec<String> {
        let named = self.fields().into_iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| decoded(&field.value)).collect()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.text.clone()
    }

    pub(super) fn html(&self) -> Option<String> {
        self.html.clone()
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        self.parts.iter().map(|(part, _)| part.clone()).collect()
    }

    pub(super) fn part(&self, index: u32) -> Option<Vec<u8>> {
        self.parts.get(index as usize).map(|(_, octets)| octets.clone())
    }
}

/// The value with its encoded words (RFC 2047) decoded.
fn decoded(value: &str) -> String {
    let line = format!("{value}\r\n");
    match mail_parser::parsers::MessageStream::new(line.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => value.to_owned(),
    }
}

/// The part that holds each.
fn parents(parts: &[MessagePart<'_>]) -> Vec<Option<u32>> {
    let mut parents = vec![None; parts.len()];
    for (holder, part) in parts.iter().enumerate() {
        let PartType::Multipart(held) = &part.body else { continue };
        for index in held {
            if let Some(parent) = parents.get_mut(*index as usize) {
                *parent = Some(holder as u32);
            }
        }
    }
    parents
}

fn describe(index: usize, parent: Option<u32>, part: &MessagePart<'_>, is_attachment: bool, data: &[u8]) -> Part {
    let is_multipart = matches!(part.body, PartType::Multipart(_));
    let standard = if is_multipart { "multipart/mixed" } else { "text/plain" };
    let content_type = part.content_type().map_or_else(
        || standard.to_owned(),
        |c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or("plain")).to_ascii_lowercase(),
    );
    Part {
        index: index as u32,
        parent,
        content_type,
        charset: part.content_type().and_then(|c| c.attribute("charset")).map(ToOwned::to_owned),
        file_name: part.attachment_name().map(ToOwned::to_owned),
        content_id: part.content_id().map(ToOwned::to_owned),
        size: if is_multipart { 0 } else { data.len() as u64 },
        is_attachment,
        is_multipart,
    }
}
