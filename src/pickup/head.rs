//! The envelope of a picked up message: the lines on top of it, or else its header.
//!
//! `X-Sender:` and `X-Receiver:` lines count only before every other field, and are removed; a drop directory writes the same.
//! Where they don't say it, the sender is that of Sender or else From, and the recipients are those of To, Cc and Bcc, of which
//! Bcc is removed. What can't be read is an error: nobody is left out silently.

use crate::config::Settings;
use crate::intake::{addressing, compose};
use crate::mail::{ForwardPath, Header, ReversePath, addresses};
use bytes::Bytes;

/// Who sends to whom, and the header that goes on.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) sender: ReversePath,
    pub(super) recipients: Vec<ForwardPath>,
    pub(super) header: Header,
    /// How many octets on top were removed.
    pub(super) top: u64,
}

/// Reads the fields at the start of a file, whose lines end in CRLF. The error is for whoever wrote them.
pub(super) fn read(raw: Bytes, settings: &Settings) -> Result<Head, String> {
    let Top { senders, receivers, len } = top(&Header::from_raw(raw.clone()));
    let mut header = Header::from_raw(raw.slice(len.min(raw.len())..));
    let sender = match senders.as_slice() {
        [] => written_sender(&header)?,
        [one] => one.clone(),
        _ => return Err("there is more than one X-Sender line".to_owned()),
    };
    let receivers = match receivers.is_empty() {
        false => receivers,
        true => compose::take_recipients(&mut header).iter().flat_map(|value| addresses(value)).collect(),
    };
    if receivers.is_empty() {
        return Err("no recipients: there is no X-Receiver line, and neither To, nor Cc, nor Bcc names any".to_owned());
    }
    let sender = addressing::sender(&sender, settings)?;
    let recipients = addressing::recipients(&receivers, settings)?;
    Ok(Head { sender, recipients, header, top: len as u64 })
}

/// The lines on top.
struct Top {
    senders: Vec<String>,
    receivers: Vec<String>,
    /// How many octets they are.
    len: usize,
}

fn top(header: &Header) -> Top {
    let mut top = Top { senders: Vec::new(), receivers: Vec::new(), len: 0 };
    for field in header.fields() {
        let list = match field.name {
            name if name.eq_ignore_ascii_case("X-Sender") => &mut top.senders,
            name if name.eq_ignore_ascii_case("X-Receiver") => &mut top.receivers,
            _ => break,
        };
        list.push(field.value().into_owned());
        top.len += field.raw().len();
    }
    top
}

/// RFC 5322 3.6.2: with several authors, Sender says who of them sends.
fn written_sender(header: &Header) -> Result<String, String> {
    let first = |name| header.get(name).and_then(|value| addresses(&value).into_iter().next());
    let none = || "no sender: there is no X-Sender line, and neither Sender nor From names one".to_owned();
    first("Sender").or_else(|| first("From")).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(text: &str) -> Result<(String, Vec<String>, String), String> {
        let config =
            "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n";
        let settings = Settings::parse(Path::new("m.toml"), config).unwrap().0;
        let head = super::read(Bytes::from(text.replace('\n', "\r\n")), &settings)?;
        let recipients = head.recipients.iter().map(|path| path.as_str().to_owned()).collect();
        let header = String::from_utf8(head.header.raw().to_vec()).unwrap().replace("\r\n", "\n");
        Ok((head.sender.as_str().to_owned(), recipients, header))
    }

    #[test]
    fn lines_on_top_are_the_envelope_and_go() {
        for (text, sender, recipients, header) in [
            (
                "X-Sender: a@x.example\nX-Receiver: <b@y.example>\nx-receiver:c@z.example\nTo: d\nBcc: e\n",
                "a@x.example",
                &["b@y.example", "c@z.example"][..],
                "To: d\nBcc: e\n",
            ),
            ("X-SENDER: <>\nX-Receiver: bob\nX-Receiver: bob\n", "", &["bob@example.com"], ""),
            ("X-Receiver: b@y.example\nX-Sender: <a@x.example>\nA: b\n", "a@x.example", &["b@y.example"], "A: b\n"),
            ("X-Sender: a\nTo: b\nX-Receiver: c\n", "a@example.com", &["b@example.com"], "To: b\nX-Receiver: c\n"),
            ("X-Receiver: b\nFrom: a\nCc: c\n", "a@example.com", &["b@example.com"], "From: a\nCc: c\n"),
        ] {
            let (from, to, rest) = read(text).unwrap();
            assert_eq!((from.as_str(), rest.as_str()), (sender, header), "{text}");
            assert_eq!(to, recipients, "{text}");
        }
    }

    #[test]
    fn else_the_header_is_and_bcc_goes() {
        let text = "From: A <a@x.example>, b@x.example\nSender: s@x.example\nTo: team: c@y.example, D <d@y.example>;\n\
            Cc: \"E, F\" <e@y.example>,\n f\nBcc: g@y.example\n";
        let (sender, recipients, header) = read(text).unwrap();
        assert_eq!(sender, "s@x.example");
        assert_eq!(recipients, ["c@y.example", "d@y.example", "e@y.example", "f@example.com", "g@y.example"]);
        assert!(!header.contains("Bcc") && header.contains("\nCc: "), "{header}");
        assert_eq!(read("From: a@x.example (A), b\nTo: c\n").unwrap().0, "a@x.example");
    }

    #[test]
    fn what_can_not_be_read_is_told() {
        for (text, told) in [
            ("To: b\n", "no sender"),
            ("From: undisclosed:;\nTo: b\n", "no sender"),
            ("From: a\nSubject: x\n", "no recipients"),
            ("From: a\nTo: undisclosed:;\n", "no recipients"),
            ("From: a\nTo: b@@c\n", "the recipient `b@@c` can't be used"),
            ("X-Sender: a b\nX-Receiver: c\n", "the sender `a b@example.com` can't be used"),
            ("X-Sender: a\nX-Sender: b\nX-Receiver: c\n", "more than one X-Sender"),
            ("X-Receiver:\nFrom: a\n", "the recipient `@example.com` can't be used"),
            ("", "no sender"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
