//! The commands as octets: what is offered decides which parameters go along.
//!
//! Text is put in with its control characters left out, so that no value can end a line.

use super::extension::Offered;
use super::letter::{Addressee, Letter};
use super::line::{CommandLine, Parameter};
use crate::mail::{BodyType, Notify, OriginalRecipient, Ret};
use crate::smtp::xtext;
use bytes::{Bytes, BytesMut};

pub(super) const DATA: &[u8] = b"DATA\r\n";
pub(super) const RSET: &[u8] = b"RSET\r\n";
pub(super) const STARTTLS: &[u8] = b"STARTTLS\r\n";
pub(super) const QUIT: &[u8] = b"QUIT\r\n";
/// Ends a transfer that has no content.
pub(super) const DOT: &[u8] = b".\r\n";

/// `VERB argument`.
pub(super) fn hello(verb: &str, argument: &str, out: &mut BytesMut) {
    line(out, &[verb, " ", argument]);
}

/// One that is not ours.
pub(super) fn other(command: &CommandLine, out: &mut BytesMut) {
    line(out, &[command.as_str()]);
}

/// MAIL with the parameters that the server understands. `unicode`: with SMTPUTF8.
pub(super) fn mail(letter: &Letter, more: &[Parameter], offered: &Offered, unicode: bool, out: &mut BytesMut) {
    let mut parameters = Parameters { text: String::new(), more };
    let mut add = |parameter: &str| parameters.add(parameter);
    // A probe has no content to tell the size of.
    if offered.has("SIZE") && letter.size > 0 {
        add(&format!("SIZE={}", letter.size));
    }
    match letter.body {
        BodyType::EightBitMime if offered.has("8BITMIME") => add("BODY=8BITMIME"),
        BodyType::BinaryMime if offered.takes_binary() => add("BODY=BINARYMIME"),
        _ => {}
    }
    if unicode {
        add("SMTPUTF8");
    }
    if offered.has("DSN") {
        match letter.ret {
            Some(Ret::Full) => add("RET=FULL"),
            Some(Ret::Hdrs) => add("RET=HDRS"),
            None => {}
        }
        if let Some(envid) = &letter.envid {
            add(&format!("ENVID={}", xtext::mend(envid)));
        }
    }
    letter.wishes.write(offered, &mut parameters.text);
    line(out, &["MAIL FROM:<", letter.sender.as_str(), ">", &parameters.with_more()]);
}

/// BDAT for a chunk of so many octets (RFC 3030 2).
pub(super) fn bdat(octets: usize, last: bool) -> Bytes {
    format!("BDAT {octets}{}\r\n", if last { " LAST" } else { "" }).into()
}

/// RCPT, with NOTIFY and ORCPT where the server understands them.
pub(super) fn rcpt(to: &Addressee, more: &[Parameter], offered: &Offered, unicode: bool, out: &mut BytesMut) {
    let mut parameters = Parameters { text: String::new(), more };
    if offered.has("DSN") {
        if let Some(notify) = to.notify {
            parameters.add(&format!("NOTIFY={}", notify_value(notify)));
        }
        if let Some(value) = to.orcpt.as_ref().and_then(|o| orcpt_value(o, unicode)) {
            parameters.add(&format!("ORCPT={value}"));
        }
    }
    line(out, &["RCPT TO:<", to.path.as_str(), ">", &parameters.with_more()]);
}

/// The parameters of a command: ours, but for those that others give, and then theirs.
struct Parameters<'a> {
    text: String,
    more: &'a [Parameter],
}

impl Parameters<'_> {
    fn add(&mut self, parameter: &str) {
        let keyword = parameter.split('=').next().unwrap_or_default();
        if !self.more.iter().any(|more| more.is(keyword)) {
            self.push(parameter);
        }
    }

    fn push(&mut self, parameter: &str) {
        self.text.push(' ');
        self.text.push_str(parameter);
    }

    fn with_more(mut self) -> String {
        let more = self.more;
        more.iter().for_each(|parameter| self.push(parameter.as_str()));
        self.text
    }
}

fn notify_value(notify: Notify) -> String {
    let named = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let wanted: Vec<&str> = named.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name).collect();
    if wanted.is_empty() { "NEVER".to_owned() } else { wanted.join(",") }
}

/// `type;address`; `None` if the type is no atom, for then no server could read it.
fn orcpt_value(orcpt: &OriginalRecipient, unicode: bool) -> Option<String> {
    let kind = &orcpt.kind;
    if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        xtext::mend_utf8(&orcpt.address, unicode)
    } else {
        xtext::mend(&orcpt.address)
    };
    Some(format!("{kind};{address}"))
}

fn line(out: &mut BytesMut, parts: &[&str]) {
    for part in parts {
        for run in part.split(|c: char| c.is_control()) {
            out.extend_from_slice(run.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::Wishes;
    use super::*;
    use crate::mail::{ForwardPath, ReversePath};

    fn offered(lines: &[&str]) -> Offered {
        let lines: Vec<String> = std::iter::once(&"mx").chain(lines).map(|l| (*l).to_owned()).collect();
        Offered::new(&lines)
    }

    fn text(build: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        build(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn letter() -> Letter {
        Letter {
            sender: ReversePath::parse("a@x").unwrap(),
            recipients: Vec::new(),
            body: BodyType::EightBitMime,
            smtputf8: false,
            size: 123,
            ret: Some(Ret::Hdrs),
            envid: Some("Q+2B1 x=y".into()),
            wishes: Wishes::default(),
        }
    }

    #[test]
    fn parameters_go_only_where_they_are_offered() {
        let all = offered(&["SIZE", "8BITMIME", "DSN", "SMTPUTF8"]);
        assert_eq!(
            text(|out| mail(&letter(), &[], &all, true, out)),
            "MAIL FROM:<a@x> SIZE=123 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q+2B1+20x+3Dy\r\n"
        );
        assert_eq!(text(|out| mail(&letter(), &[], &offered(&[]), false, out)), "MAIL FROM:<a@x>\r\n");
        let binary = Letter { body: BodyType::BinaryMime, ret: None, envid: None, ..letter() };
        for (offers, line) in [
            (&["CHUNKING", "BINARYMIME"][..], "MAIL FROM:<a@x> BODY=BINARYMIME\r\n"),
            (&["BINARYMIME", "8BITMIME"], "MAIL FROM:<a@x>\r\n"),
        ] {
            assert_eq!(text(|out| mail(&binary, &[], &offered(offers), false, out)), line, "{offers:?}");
        }
        let null = Letter { sender: ReversePath::Null, body: BodyType::SevenBit, ..letter() };
        assert_eq!(text(|out| mail(&null, &[], &offered(&["8BITMIME"]), false, out)), "MAIL FROM:<>\r\n");
    }

    #[test]
    fn the_parameters_of_others_go_before_ours() {
        let more = |text: &[&str]| text.iter().map(|t| Parameter::parse(t).unwrap()).collect::<Vec<_>>();
        let all = offered(&["SIZE", "8BITMIME", "DSN"]);
        assert_eq!(
            text(|out| mail(&letter(), &more(&["size=9", "XTRA", "ret=FULL"]), &all, false, out)),
            "MAIL FROM:<a@x> BODY=8BITMIME ENVID=Q+2B1+20x+3Dy size=9 XTRA ret=FULL\r\n"
        );
    }

    #[test]
    fn report_wishes_go_along() {
        let dsn = offered(&["DSN"]);
        let orcpt = |kind: &str, address: &str| Some(OriginalRecipient { kind: kind.into(), address: address.into() });
        let mut to = Addressee {
            path: ForwardPath::parse("b+tag@y").unwrap(),
            notify: Some(Notify { success: true, failure: false, delay: true }),
            orcpt: orcpt("rfc822", "b+2Btag@y"),
        };
        let rcpt_with = |to: &Addressee| text(|out| rcpt(to, &[], &dsn, false, out));
        assert_eq!(rcpt_with(&to), "RCPT TO:<b+tag@y> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Btag@y\r\n");
        to.notify = Some(Notify::default());
        to.orcpt = orcpt("utf-8", "ü@y");
        assert_eq!(rcpt_with(&to), "RCPT TO:<b+tag@y> NOTIFY=NEVER ORCPT=utf-8;\\x{FC}@y\r\n");
        to.orcpt = orcpt("rfc822 X", "b@y");
        assert_eq!(rcpt_with(&to), "RCPT TO:<b+tag@y> NOTIFY=NEVER\r\n");
        assert_eq!(text(|out| rcpt(&to, &[], &offered(&[]), false, out)), "RCPT TO:<b+tag@y>\r\n");
    }

    #[test]
    fn nothing_ends_a_line_early() {
        let to = Addressee { path: ForwardPath::Postmaster("x>\r\nRSET\r\n".into()), notify: None, orcpt: None };
        assert_eq!(text(|out| rcpt(&to, &[], &offered(&[]), false, out)), "RCPT TO:<x>RSET>\r\n");
        assert_eq!(text(|out| hello("EHLO", "a\nb\0c", out)), "EHLO abc\r\n");
    }
}
