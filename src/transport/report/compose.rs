//! Puts a report together: header, and the three parts of `multipart/report` (RFC 6522).
//!
//! What comes from outside stays within its field or its line. No line is longer than 998 octets, and the boundary occurs
//! nowhere in what it bounds.

use super::about::{Composed, Report};
use super::field::Fields;
use super::returned::{Returned, returned};
use super::status::{media_type, status};
use super::text::Text;
use super::{address, host};
use crate::config::dsn::Dsn;
use crate::mail::mime::{encoded, is_clean, quoted_printable};
use crate::mail::{BodyType, Content, Mailbox, Piece};
use std::io;

/// For readers that know nothing of MIME.
const PREAMBLE: &str = "This is a report about a message that you sent, in MIME format.\r\n";
/// The longest Message-ID that is referred to, in octets.
const MESSAGE_ID_MAX: usize = 250;

/// Composes a report. An error is one of reading the message; with [`io::ErrorKind::InvalidInput`] the report can't be: its
/// sender is null, or it is about nobody.
pub fn compose(report: &Report<'_>, settings: &Dsn) -> io::Result<Composed> {
    let to = report.envelope.sender.mailbox().ok_or_else(|| impossible("a null reverse-path is never reported to"))?;
    if report.recipients.is_empty() {
        return Err(impossible("a report is about at least one recipient"));
    }
    let unicode = is_international(report, to);
    let postmaster = match &settings.postmaster {
        Some(address) => address.as_str().to_owned(),
        None => format!("postmaster@{}", host::ours(report.hostname)),
    };
    let text = Text::new(report, settings, &postmaster);
    let parts = Parts {
        text: text.body(),
        status: status(report, unicode),
        status_type: media_type(unicode),
        returned: returned(report, unicode, settings.return_size)?,
    };
    let boundary = parts.boundary(report)?;
    let mut header = header(report, to, &postmaster, &text.subject(), unicode);
    parts.describe(&boundary, &mut header);
    let header = header.into_string();
    let eight_bit = unicode || parts.are_eight_bit();
    Ok(Composed {
        header_len: header.len() as u64,
        content: parts.join(header, &boundary),
        body: if eight_bit { BodyType::EightBitMime } else { BodyType::SevenBit },
        smtputf8: unicode,
    })
}

fn impossible(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Whether the report has more than ASCII where only SMTPUTF8 lets it stand: if something needs that, and the sender can read it,
/// because it sent the like or is called so (RFC 6533 4).
fn is_international(report: &Report<'_>, to: &Mailbox) -> bool {
    let can_read = report.envelope.smtputf8 || to.is_international();
    let needs = to.is_international()
        || !report.message.header.raw().is_ascii()
        || report.recipients.iter().any(|about| address::is_international(about.recipient));
    can_read && needs
}

/// The fields but for those of MIME.
fn header(report: &Report<'_>, to: &Mailbox, postmaster: &str, subject: &str, unicode: bool) -> Fields {
    let mut fields = Fields::new(unicode);
    fields.add("From", &format!("Mail Delivery System <{postmaster}>"));
    fields.add("To", &format!("<{to}>"));
    fields.add("Subject", &encoded(subject));
    fields.add("Date", &report.now.rfc5322());
    fields.add("Message-ID", &format!("<{}@{}>", report.id, host::ours(report.hostname)));
    if let Some(id) = report.message.header.get("Message-ID").filter(|id| is_message_id(id)) {
        fields.add("In-Reply-To", &id);
        fields.add("References", &id);
    }
    // RFC 3834 5.
    fields.add("Auto-Submitted", "auto-replied");
    fields
}

fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
    let graphic = |inner: &str| inner.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    text.len() <= MESSAGE_ID_MAX && inner.is_some_and(|inner| inner.contains('@') && graphic(inner))
}

/// The parts, not yet bounded.
struct Parts {
    text: String,
    status: String,
    status_type: &'static str,
    returned: Returned,
}

impl Parts {
    /// It depends on every octet that it bounds, so that none of those who wrote them can have put it there.
    fn boundary(&self, report: &Report<'_>) -> io::Result<String> {
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{} {} {}", report.id, report.about_id, report.now.0).as_bytes());
        hash.update(self.text.as_bytes()).update(self.status.as_bytes());
        self.returned.content.for_each_chunk(|chunk| {
            hash.update(chunk);
            Ok::<_, io::Error>(())
        })?;
        let digest = hash.finalize().to_hex();
        // What begins so occurs in no encoded part (RFC 2046 5.1.1).
        Ok(format!("=_{}", digest.get(..32).unwrap_or(&digest)))
    }

    fn are_eight_bit(&self) -> bool {
        !self.status.is_ascii() || self.returned.encoding == "8bit"
    }

    /// The fields of MIME for the whole.
    fn describe(&self, boundary: &str, fields: &mut Fields) {
        let report_type = self.status_type.strip_prefix("message/").unwrap_or(self.status_type);
        fields.add("MIME-Version", "1.0");
        fields.add("Content-Type", &format!("multipart/report; report-type={report_type}; boundary=\"{boundary}\""));
        fields.add("Content-Transfer-Encoding", if self.are_eight_bit() { "8bit" } else { "7bit" });
    }

    fn join(&self, header: String, boundary: &str) -> Content {
        let (text_encoding, text) = match is_clean(self.text.as_bytes(), false) {
            true => ("7bit", self.text.as_bytes().to_vec()),
            false => ("quoted-printable", quoted_printable(self.text.as_bytes())),
        };
        let status_encoding = if self.status.is_ascii() { "7bit" } else { "8bit" };
        let mut top = header.into_bytes();
        top.extend_from_slice(b"\r\n");
        top.extend_from_slice(PREAMBLE.as_bytes());
        top.extend(begin(boundary, "text/plain; charset=utf-8", text_encoding));
        top.extend(text);
        top.extend(begin(boundary, self.status_type, status_encoding));
        top.extend_from_slice(self.status.as_bytes());
        top.extend(begin(boundary, self.returned.media_type, self.returned.encoding));
        let end = format!("\r\n--{boundary}--\r\n");
        let content = &self.returned.content;
        let mut pieces = vec![Piece::Inline(top.into())];
        pieces.extend_from_slice(content.pieces());
        pieces.push(Piece::Inline(end.into()));
        Content::of(content.blob().clone(), pieces)
    }
}

/// The delimiter of a part, and its fields.
fn begin(boundary: &str, media_type: &str, encoding: &str) -> Vec<u8> {
    format!("\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n")
        .into_bytes()
}
