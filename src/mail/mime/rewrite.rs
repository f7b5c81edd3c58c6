//! The new body of a part, in its own character set and transfer encoding as far as they can hold it.
//!
//! Text that is added to a part that is not encoded is spliced in; the body of an encoded one is written anew. If
//! the character set can't hold the text, plain text becomes UTF-8, and HTML gets character references.

use super::boundary::Boundaries;
use super::charset;
use super::compose::{self, Snippet};
use super::decode::decode;
use super::encode::{base64, has_delimiter, is_clean, label, quoted_printable};
use super::error::MimeError;
use super::html;
use super::part::{Part, TransferEncoding};
use super::plan::{Base, Change};
use super::splice::Splice;
use super::view::Mime;
use std::borrow::Cow;

/// What changes about a part.
pub(super) struct Rewrite {
    /// Fields to set, and, without a value, to remove.
    pub(super) fields: Vec<(&'static str, Option<String>)>,
    /// In the body of the message.
    pub(super) splices: Vec<Splice>,
}

/// Writes a part anew.
pub(super) fn rewrite(mime: &Mime, part: &Part, change: &Change, new: &mut Boundaries) -> Result<Rewrite, MimeError> {
    let boundaries = mime.boundaries(part.index);
    let raw = mime.body.get(part.shape.body.clone()).unwrap_or_default();
    let (octets, relabel) = match &change.base {
        Base::Both(text) => return both(part, change, text, new, &boundaries),
        Base::Kept => (decode(raw, part.encoding).0, false),
        Base::Octets(octets) => (Cow::Borrowed(&octets[..]), false),
        Base::Text(text) => {
            let text = text.for_type(&part.content_type);
            match charset::encode(&text, part.charset.as_deref()) {
                Some(octets) => (octets.into(), false),
                None => (text.into_bytes().into(), true),
            }
        }
    };
    let around = around(part, change, octets, relabel)?;
    let splicing = matches!(change.base, Base::Kept) && part.encoding == TransferEncoding::Identity;
    if splicing && !around.relabel && around.inserts.iter().all(|(_, with)| stands(part, with, &boundaries)) {
        return Ok(Rewrite { fields: Vec::new(), splices: around.splices(part) });
    }
    let relabel = around.relabel;
    Ok(whole(mime, part, &around.joined(), relabel, &boundaries))
}

/// Texts to be put into a body, and the places.
struct Around<'a> {
    octets: Cow<'a, [u8]>,
    inserts: [(usize, Vec<u8>); 2],
    relabel: bool,
}

impl Around<'_> {
    fn splices(self, part: &Part) -> Vec<Splice> {
        let place = |at: usize| part.shape.body.start + at..part.shape.body.start + at;
        let inserts = self.inserts.into_iter().filter(|(_, with)| !with.is_empty());
        inserts.map(|(at, with)| Splice { range: place(at), with: with.into() }).collect()
    }

    fn joined(&self) -> Vec<u8> {
        let [(front, first), (back, last)] = &self.inserts;
        let mut out = self.octets.to_vec();
        // The one further behind goes in first, so that the place of the other still holds.
        let (near, far) = if front <= back { ((front, first), (back, last)) } else { ((back, last), (front, first)) };
        for (at, with) in [far, near] {
            out.splice(*at..*at, with.iter().copied());
        }
        out
    }
}

/// Finds the places, and the texts in the character set of the octets.
fn around<'a>(part: &Part, change: &Change, octets: Cow<'a, [u8]>, relabel: bool) -> Result<Around<'a>, MimeError> {
    let is_html = part.content_type == "text/html";
    let charset = if relabel { Some("utf-8") } else { part.charset.as_deref() };
    let front = joined(change.before.iter().rev(), part);
    let back = joined(change.after.iter(), part);
    let encode = |text: &str| {
        let reference = || is_html.then(|| charset::encode(&html::to_ascii(text), charset)).flatten();
        if text.is_empty() { Some(Vec::new()) } else { charset::encode(text, charset).or_else(reference) }
    };
    let (octets, front, back, relabel) = match (encode(&front), encode(&back)) {
        (Some(front), Some(back)) => (octets, front, back, relabel),
        _ => {
            let text = charset::decode_exact(&octets, charset);
            let text = text.ok_or_else(|| MimeError::Charset {
                part: part.index,
                charset: charset.unwrap_or_default().to_owned(),
            })?;
            (Cow::Owned(text.into_bytes()), front.into_bytes(), back.into_bytes(), true)
        }
    };
    let (front_at, back_at) = if is_html { (html::front(&octets), html::back(&octets)) } else { (0, octets.len()) };
    let ends_line = octets.ends_with(b"\n");
    let first = lined(front, front_at > 0 && !octets[..front_at].ends_with(b"\n"), !octets.is_empty());
    let behind = if octets.is_empty() { first.as_slice() } else { &octets[..back_at] };
    let open = !behind.is_empty() && !behind.ends_with(b"\n");
    let last = lined(back, open, back_at < octets.len() || ends_line || part.index == 0);
    let mut inserts = [(front_at, first), (back_at, last)];
    if part.index == 0 && octets.is_empty() && inserts[1].1.is_empty() {
        let first = std::mem::take(&mut inserts[0].1);
        inserts[0].1 = lined(first, false, true);
    }
    Ok(Around { octets, inserts, relabel })
}

/// Several texts, each from the start of a line.
fn joined<'a>(texts: impl Iterator<Item = &'a Snippet>, part: &Part) -> String {
    let mut out = String::new();
    for text in texts {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str("\r\n");
        }
        out.push_str(&text.for_type(&part.content_type));
    }
    out
}

/// Octets with the line breaks that they need before and behind. Nothing stays nothing.
fn lined(octets: Vec<u8>, before: bool, behind: bool) -> Vec<u8> {
    if octets.is_empty() {
        return octets;
    }
    let start: &[u8] = if before { b"\r\n" } else { b"" };
    let end: &[u8] = if behind && !octets.ends_with(b"\n") { b"\r\n" } else { b"" };
    if start.is_empty() && end.is_empty() { octets } else { [start, &octets, end].concat() }
}

/// Whether octets can go unencoded into this part. Those beyond ASCII can if there are such already.
fn stands(part: &Part, octets: &[u8], boundaries: &[&[u8]]) -> bool {
    is_clean(octets, part.shape.eight_bit) && !has_delimiter(octets, boundaries)
}

/// Another body, encoded as the part is, or, if it is not and can't stay so, as its type suggests.
fn whole(mime: &Mime, part: &Part, octets: &[u8], relabel: bool, boundaries: &[&[u8]]) -> Rewrite {
    let is_root = part.index == 0;
    let clean = stands(part, octets, boundaries) && (!is_root || octets.is_empty() || octets.ends_with(b"\r\n"));
    let encoding = match part.encoding {
        TransferEncoding::Identity if clean => TransferEncoding::Identity,
        TransferEncoding::Identity if part.content_type.starts_with("text/") => TransferEncoding::QuotedPrintable,
        TransferEncoding::QuotedPrintable => TransferEncoding::QuotedPrintable,
        _ => TransferEncoding::Base64,
    };
    let mut body = match encoding {
        TransferEncoding::QuotedPrintable => quoted_printable(octets),
        TransferEncoding::Base64 => base64(octets),
        _ => octets.to_vec(),
    };
    // The message ends with a line break, which is no part of what is encoded.
    if is_root && !body.is_empty() && !body.ends_with(b"\n") {
        let end: &[u8] = if encoding == TransferEncoding::QuotedPrintable { b"=\r\n" } else { b"\r\n" };
        body.extend_from_slice(end);
    }
    let mut fields = vec![("Content-MD5", None)];
    if relabel {
        fields.push(("Content-Type", Some(mime.type_in_utf8(part))));
    }
    if encoding != part.encoding {
        fields.push(("Content-Transfer-Encoding", Some(label(encoding, octets).to_owned())));
    }
    Rewrite { fields, splices: vec![Splice { range: part.shape.body.clone(), with: body.into() }] }
}

/// A part that had one form of a text becomes one with both.
fn both(
    part: &Part,
    change: &Change,
    text: &Snippet,
    new: &mut Boundaries,
    boundaries: &[&[u8]],
) -> Result<Rewrite, MimeError> {
    let form = |content_type: &str| -> Result<String, MimeError> {
        let change = Change { base: Base::Text(text.clone()), ..change.clone() };
        let shaped = Part { content_type: content_type.to_owned(), charset: Some("utf-8".to_owned()), ..part.clone() };
        let octets = text.for_type(content_type).into_bytes();
        let joined = around(&shaped, &change, octets.into(), false)?.joined();
        Ok(String::from_utf8_lossy(&joined).into_owned())
    };
    let mut composed = compose::alternative(&form("text/plain")?, &form("text/html")?, new, boundaries)?;
    if part.index == 0 {
        composed.body.extend_from_slice(b"\r\n");
    }
    let mut fields = vec![("Content-MD5", None), ("Content-Transfer-Encoding", None)];
    fields.extend(composed.fields.into_iter().map(|(name, value)| (name, Some(value))));
    Ok(Rewrite { fields, splices: vec![Splice { range: part.shape.body.clone(), with: composed.body.into() }] })
}
