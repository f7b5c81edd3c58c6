//! Parts that are new: attachments and texts.
//!
//! Names and types come from outside: a type is checked, and a name encoded, so that neither can end its field.

use super::boundary::Boundaries;
use super::encode::{base64, has_delimiter, is_clean, label, quoted_printable};
use super::error::MimeError;
use super::fields;
use super::part::TransferEncoding;
use crate::mail::Header;
use bytes::Bytes;

/// The longest file name that is written, in octets; longer ones lose their middle.
const NAME_MAX: usize = 240;
/// The longest media type, with parameters.
const TYPE_MAX: usize = 200;

/// A file to be put into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its file name; may be empty. Control characters are left out.
    pub name: String,
    /// `type/subtype`, parameters may follow. Not a multipart.
    pub content_type: String,
    /// Its octets, not encoded.
    pub data: Bytes,
}

/// A text to be put into a message: plain, and as HTML.
#[derive(Clone, Debug)]
pub(super) struct Snippet {
    /// With CRLF line breaks.
    pub(super) text: String,
    /// The HTML that was given for it, with CRLF line breaks.
    pub(super) html: Option<String>,
}

impl Snippet {
    /// The one of the two that goes into a part of this type.
    pub(super) fn for_type(&self, content_type: &str) -> String {
        match &self.html {
            _ if content_type != "text/html" => self.text.clone(),
            Some(html) => html.clone(),
            None => super::html::from_text(&self.text),
        }
    }
}

/// The `Content-*` fields of a part, and its encoded body without a line break at the end.
pub(super) struct Composed {
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Composed {
    /// The part as it goes behind its delimiter line.
    pub(super) fn octets(&self) -> Result<Vec<u8>, MimeError> {
        let mut header = Header::default();
        self.set_on(&mut header)?;
        Ok([header.raw(), &b"\r\n"[..], &self.body].concat())
    }

    /// Sets the fields.
    pub(super) fn set_on(&self, header: &mut Header) -> Result<(), MimeError> {
        for (name, value) in &self.fields {
            fields::set(header, name, value).map_err(|_| MimeError::BadType(value.clone()))?;
        }
        Ok(())
    }
}

/// An attachment as a part. `boundaries` are those that its octets must not meet.
pub(super) fn attachment(file: &Attachment, boundaries: &[&[u8]]) -> Result<Composed, MimeError> {
    let content_type = file.content_type.trim();
    if !is_media_type(content_type) {
        return Err(MimeError::BadType(file.content_type.clone()));
    }
    // A message must not be encoded (RFC 2046 5.2.1). If its lines don't allow that, it is all the same.
    let message = content_type.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("message/"));
    let stands = message && is_clean(&file.data, true) && !has_delimiter(&file.data, boundaries);
    let encoding = if stands { TransferEncoding::Identity } else { TransferEncoding::Base64 };
    let name = file_name(&file.name);
    let disposition = if name.is_empty() { "attachment".to_owned() } else { format!("attachment; {name}") };
    Ok(Composed {
        fields: vec![
            ("Content-Type", content_type.to_owned()),
            ("Content-Transfer-Encoding", label(encoding, &file.data).to_owned()),
            ("Content-Disposition", disposition),
        ],
        body: if stands { file.data.to_vec() } else { base64(&file.data) },
    })
}

/// A text as a part: plain, or both forms as alternatives if HTML was given.
pub(super) fn text(text: &Snippet, new: &mut Boundaries, boundaries: &[&[u8]]) -> Result<Composed, MimeError> {
    match &text.html {
        Some(html) => alternative(&text.text, html, new, boundaries),
        None => Ok(one_text("text/plain", &text.text, boundaries)),
    }
}

/// Two forms of one text.
pub(super) fn alternative(
    plain: &str,
    html: &str,
    new: &mut Boundaries,
    boundaries: &[&[u8]],
) -> Result<Composed, MimeError> {
    let boundary = new.make();
    let mut body = Vec::new();
    for (content_type, text) in [("text/plain", plain), ("text/html", html)] {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend(one_text(content_type, text, boundaries).octets()?);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--").as_bytes());
    Ok(Composed { fields: vec![("Content-Type", format!("multipart/alternative; boundary=\"{boundary}\""))], body })
}

fn one_text(content_type: &str, text: &str, boundaries: &[&[u8]]) -> Composed {
    let octets = text.as_bytes();
    let stands = is_clean(octets, false) && !has_delimiter(octets, boundaries);
    let encoding = if stands { TransferEncoding::Identity } else { TransferEncoding::QuotedPrintable };
    Composed {
        fields: vec![
            ("Content-Type", format!("{content_type}; charset=utf-8")),
            ("Content-Transfer-Encoding", label(encoding, octets).to_owned()),
        ],
        body: if stands { octets.to_vec() } else { quoted_printable(octets) },
    }
}

/// The `filename` parameter (RFC 2183 2.3), in the form of RFC 2231 if it is not short and plain.
fn file_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = shorten(name.trim());
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\') || b == b' ';
    if name.is_empty() {
        return String::new();
    }
    if name.len() <= 60 && name.bytes().all(plain) && !name.contains("=?") {
        return format!("filename=\"{name}\"");
    }
    let mut out = String::from("filename*=utf-8''");
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_') {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
    out
}

/// Keeps the extension, by which receivers know the type.
fn shorten(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let extension = name.rfind('.').map(|dot| &name[dot..]).filter(|e| e.len() <= 16).unwrap_or_default();
    let end = (0..=NAME_MAX - extension.len()).rev().find(|&n| name.is_char_boundary(n)).unwrap_or(0);
    format!("{}{extension}", &name[..end])
}

/// `type/subtype *(";" name "=" value)`, printable, not a multipart (RFC 2045 5.1).
fn is_media_type(text: &str) -> bool {
    let printable = text.len() <= TYPE_MAX && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let mut pieces = text.split(';');
    let Some((kind, subtype)) = pieces.next().and_then(|first| first.trim().split_once('/')) else { return false };
    let parameter = |piece: &str| match piece.trim().split_once('=') {
        Some((name, value)) => is_token(name) && (is_token(value) || is_quoted(value)),
        None => false,
    };
    printable && is_token(kind) && is_token(subtype) && !kind.eq_ignore_ascii_case("multipart") && pieces.all(parameter)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

fn is_quoted(text: &str) -> bool {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.contains(['"', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(name: &str, content_type: &str) -> Result<String, MimeError> {
        let file = Attachment { name: name.into(), content_type: content_type.into(), data: "x".into() };
        Ok(String::from_utf8(attachment(&file, &[])?.octets()?).unwrap())
    }

    #[test]
    fn names_are_quoted_or_encoded_and_can_not_break_out() {
        for (name, parameter) in [
            ("a b.txt", "filename=\"a b.txt\""),
            ("a\r\nBcc: x.txt", "filename=\"aBcc: x.txt\""),
            ("a\"b", "filename*=utf-8''a%22b"),
            ("grün.pdf", "filename*=utf-8''gr%C3%BCn.pdf"),
            ("=?utf-8?q?x?=", "filename*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"),
        ] {
            let octets = composed(name, "text/plain").unwrap();
            let line = format!("Content-Disposition: attachment; {parameter}\r\n");
            assert!(octets.contains(&line), "{octets}");
        }
        assert!(composed("", "text/plain").unwrap().contains("Content-Disposition: attachment\r\n"));
        let long = composed(&format!("{}.pdf", "ü".repeat(500)), "text/plain").unwrap();
        assert!(long.contains("%BC.pdf\r\n") && long.lines().all(|line| line.len() < 998), "{long}");
    }

    #[test]
    fn only_media_types_are_types() {
        for good in ["text/plain", "application/vnd.x+json; charset=utf-8; a=\"b c\"", "message/rfc822"] {
            assert!(composed("x", good).is_ok(), "{good}");
        }
        for bad in
            ["", "text", "text/", "a/b\r\nX: y", "text/plain; x", "multipart/mixed", "te xt/a", "a/b; c=\"d\\\"", "é/b"]
        {
            assert!(matches!(composed("x", bad), Err(MimeError::BadType(_))), "{bad}");
        }
    }
}
