//! What the `Content-*` fields of a part say, and setting them.
//!
//! Of several fields with one name the first counts. What can't be understood counts as absent.

use super::part::{Disposition, TransferEncoding};
use super::words;
use crate::mail::{Field, Header, HeaderError};
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

/// The longest `Content-Type` or `Content-Disposition` that is read, in octets: the time to take one apart grows
/// with the square of its length.
pub(super) const FIELD_MAX: usize = 4096;

/// What a part says of itself.
pub(super) struct Facts {
    pub(super) content_type: String,
    pub(super) boundary: Option<Vec<u8>>,
    pub(super) charset: Option<String>,
    pub(super) disposition: Option<Disposition>,
    pub(super) file_name: Option<String>,
    pub(super) content_id: Option<String>,
    pub(super) encoding: TransferEncoding,
}

impl Facts {
    /// Reads them. `in_digest` says whether the part lies in a `multipart/digest`, whose parts are messages unless
    /// they say otherwise (RFC 2046 5.1.5). The error names a field that is longer than [`FIELD_MAX`].
    pub(super) fn of(header: &Header, in_digest: bool) -> Result<Self, &'static str> {
        let default = if in_digest { "message/rfc822" } else { "text/plain" };
        let mut facts = Self {
            content_type: default.to_owned(),
            boundary: None,
            charset: None,
            disposition: None,
            file_name: None,
            content_id: None,
            encoding: TransferEncoding::Identity,
        };
        let mut seen = [false; 4];
        let mut name = None;
        for field in header.fields() {
            let Some(kind) = KINDS.iter().position(|k| field.name.eq_ignore_ascii_case(k)) else { continue };
            if std::mem::replace(&mut seen[kind], true) {
                continue;
            }
            if kind < 2 && field.raw().len() > FIELD_MAX {
                return Err(KINDS[kind]);
            }
            match kind {
                0 => name = facts.read_type(&field),
                1 => facts.read_disposition(&field),
                2 => facts.encoding = transfer_encoding(&field.value()),
                _ => facts.content_id = Some(field.value().trim_matches(['<', '>', ' ']).to_owned()),
            }
        }
        facts.file_name = facts.file_name.or(name).filter(|name| !name.is_empty());
        Ok(facts)
    }

    /// Takes type, boundary and charset; returns the `name` parameter, which counts where there is no `filename`.
    fn read_type(&mut self, field: &Field<'_>) -> Option<String> {
        let line = line_of(field);
        let HeaderValue::ContentType(read) = MessageStream::new(&line).parse_content_type() else { return None };
        let subtype = read.subtype()?;
        self.content_type = format!("{}/{subtype}", read.ctype()).to_ascii_lowercase();
        if read.ctype().eq_ignore_ascii_case("multipart") {
            let boundary = read.attribute("boundary").map(|b| b.trim_end().as_bytes().to_vec());
            self.boundary = boundary.filter(|b| !b.is_empty() && !b.contains(&b'\n'));
        }
        self.charset = read.attribute("charset").map(|c| c.trim().to_ascii_lowercase()).filter(|c| !c.is_empty());
        file_name(&read, "name")
    }

    fn read_disposition(&mut self, field: &Field<'_>) {
        let line = line_of(field);
        let HeaderValue::ContentType(read) = MessageStream::new(&line).parse_content_type() else { return };
        self.disposition = match read.ctype().trim() {
            "" => None,
            inline if inline.eq_ignore_ascii_case("inline") => Some(Disposition::Inline),
            _ => Some(Disposition::Attachment),
        };
        self.file_name = file_name(&read, "filename");
    }
}

/// The fields that are read.
const KINDS: [&str; 4] = ["Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Content-ID"];

/// Everything behind the colon, ended as the grammar wants it.
fn line_of(field: &Field<'_>) -> Vec<u8> {
    let raw = field.raw();
    let value = memchr::memchr(b':', raw).and_then(|colon| raw.get(colon + 1..)).unwrap_or_default();
    let mut line = value.trim_ascii().to_vec();
    line.push(b'\n');
    line
}

fn file_name(read: &ContentType<'_>, parameter: &str) -> Option<String> {
    let name = words::decode_words(read.attribute(parameter)?);
    Some(name.chars().filter(|c| !c.is_control()).collect())
}

fn transfer_encoding(value: &str) -> TransferEncoding {
    // A comment behind the name is allowed; nobody writes one.
    let name = value.split([' ', ';', '(']).next().unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        "" | "7bit" | "8bit" | "binary" => TransferEncoding::Identity,
        "quoted-printable" => TransferEncoding::QuotedPrintable,
        "base64" => TransferEncoding::Base64,
        _ => TransferEncoding::Unknown,
    }
}

/// Sets a field where it stands, or below the others, also where the lines end in a bare LF.
pub(super) fn set(header: &mut Header, name: &str, value: &str) -> Result<(), HeaderError> {
    if header.named(name).next().is_some() {
        return header.set(name, value);
    }
    let mut field = Header::default();
    field.append(name, value)?;
    let gap: &[u8] = if header.raw().is_empty() || header.raw().ends_with(b"\n") { b"" } else { b"\r\n" };
    *header = Header::from_raw([header.raw(), gap, field.raw()].concat().into());
    Ok(())
}

/// Whether there is any `Content-*` field.
pub(super) fn has_content(header: &Header) -> bool {
    header.fields().any(|field| is_content(field.name))
}

/// Takes the `Content-*` fields out of a header and returns them, octet for octet.
pub(super) fn take_content(header: &mut Header) -> Header {
    let mut taken = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for field in header.fields().filter(|field| is_content(field.name)) {
        taken.extend_from_slice(field.raw());
        if !taken.ends_with(b"\n") {
            taken.extend_from_slice(b"\r\n");
        }
        if !names.iter().any(|name| name.eq_ignore_ascii_case(field.name)) {
            names.push(field.name.to_owned());
        }
    }
    for name in names {
        header.remove(&name);
    }
    Header::from_raw(taken.into())
}

fn is_content(name: &str) -> bool {
    name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}

/// The `Content-Type` of a text with its parameters, but in UTF-8.
pub(super) fn type_in_utf8(header: &Header, content_type: &str) -> String {
    let mut out = format!("{content_type}; charset=utf-8");
    let Some(field) = header.named("Content-Type").next() else { return out };
    let line = line_of(&field);
    let HeaderValue::ContentType(read) = MessageStream::new(&line).parse_content_type() else { return out };
    for attribute in read.attributes().unwrap_or_default() {
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\') || b == b' ';
        let (name, value) = (&attribute.name, &attribute.value);
        let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if name != "charset" && token && value.len() < 200 && value.bytes().all(plain) {
            out.push_str(&format!("; {name}=\"{value}\""));
        }
    }
    out
}
