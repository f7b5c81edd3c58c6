//! One part without parts: how its octets are encoded.

use super::super::decode::decode;
use super::super::encode::{base64, quoted_printable};
use super::super::part::{Part, TransferEncoding};
use super::error::NotConvertible;

/// The new body of a part whose octets do not fit, and its encoding where that is another than before.
pub(super) struct Encoded {
    pub(super) body: Vec<u8>,
    pub(super) label: Option<&'static str>,
}

/// Encodes a body: text as quoted-printable, all other as base64. One that is encoded already and has octets that no encoding
/// writes is written anew in the same. `at_end`: it is the last of the message, which ends with a line break.
pub(super) fn encode(part: &Part, raw: &[u8], at_end: bool) -> Result<Encoded, NotConvertible> {
    if is_composite(&part.content_type) {
        return Err(NotConvertible::Composite { part: part.index, content_type: part.content_type.clone() });
    }
    let octets = decode(raw, part.encoding).0;
    let (quoted, label) = match part.encoding {
        TransferEncoding::Unknown => return Err(NotConvertible::Encoding(part.index)),
        TransferEncoding::QuotedPrintable => (true, None),
        TransferEncoding::Base64 => (false, None),
        TransferEncoding::Identity if is_legible(&part.content_type) => (true, Some("quoted-printable")),
        TransferEncoding::Identity => (false, Some("base64")),
    };
    Ok(Encoded { body: written(&octets, quoted, at_end), label })
}

/// Encodes a `message/global` as a whole, which only that type of message allows (RFC 6532 3.7).
pub(super) fn encode_global(raw: &[u8], at_end: bool) -> Encoded {
    Encoded { body: written(raw, false, at_end), label: Some("base64") }
}

fn written(octets: &[u8], quoted: bool, at_end: bool) -> Vec<u8> {
    let mut body = if quoted { quoted_printable(octets) } else { base64(octets) };
    if at_end && !body.is_empty() && !body.ends_with(b"\n") {
        body.extend_from_slice(if quoted { b"=\r\n" } else { b"\r\n" });
    }
    body
}

/// Types of which RFC 2045 6.4 says that they may not be encoded.
fn is_composite(content_type: &str) -> bool {
    content_type.starts_with("multipart/")
        || matches!(content_type, "message/rfc822" | "message/partial" | "message/external-body")
}

/// Types that can be read as they stand: text, and the reports among the messages.
fn is_legible(content_type: &str) -> bool {
    content_type.starts_with("text/") || (content_type.starts_with("message/") && content_type != "message/global")
}
