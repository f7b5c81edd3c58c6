//! A command line: what is a command says the same when it is written anew, and no field has a control character.
//! Anything else is a fault, whose reply refuses it.
//!
//! An input is an octet, odd within a transaction that has SMTPUTF8, and the line without its end.

use super::input::Input;
use super::reply::refuses;
use mailsluice::mail::{BodyType, ByMode, HoldRequest, Notify, Param, Ret};
use mailsluice::smtp::command::{self, Command, MailCommand, RcptCommand};
use mailsluice::smtp::fault::Fault;
use mailsluice::smtp::verb::{self, Verb};
use mailsluice::smtp::{Extensions, xtext};

pub(super) fn command(data: &[u8]) {
    let mut input = Input(data);
    let smtputf8 = input.octet() & 1 == 1;
    match parse(input.0, smtputf8) {
        Ok(command) => {
            let again = render(&command);
            assert!(!again.contains(char::is_control), "{again:?}");
            assert_eq!(parse(again.as_bytes(), smtputf8).as_ref(), Ok(&command), "{again:?}");
            sound(&command, smtputf8);
        }
        Err(fault) => refuses(&fault.reply()),
    }
}

fn parse(line: &[u8], smtputf8: bool) -> Result<Command, Fault> {
    let (name, argument) = verb::split(command::text(line)?);
    let verb = match Verb::named(name) {
        Some(verb) => verb,
        None if offered().claims_verb(name) => Verb::Claimed,
        None => return Err(Fault::UnknownVerb),
    };
    command::parse(verb, name, argument, &offered(), smtputf8)
}

/// With all extensions, and a verb and parameters that a sink has claimed.
fn offered() -> Extensions {
    let mut offered = Extensions::default();
    for keyword in ["FUTURERELEASE", "DELIVERBY", "MT-PRIORITY", "REQUIRETLS"] {
        assert!(offered.set_keyword(keyword, None).is_ok());
    }
    let claims = [offered.claim_verb("XVERB"), offered.claim_mail("XFOO"), offered.claim_rcpt("XFOO")];
    assert!(claims.iter().all(Result::is_ok));
    offered
}

fn render(command: &Command) -> String {
    match command {
        Command::Hello(hello) => format!("{:?} {}", hello.verb, hello.name),
        Command::Mail(mail) => render_mail(mail),
        Command::Rcpt(rcpt) => render_rcpt(rcpt),
        Command::Data => "DATA".to_owned(),
        Command::StartTls => "STARTTLS".to_owned(),
        Command::Auth(auth) => format!("AUTH {}{}", auth.mechanism, render_response(auth.initial.as_deref())),
        Command::Other(other) => format!("{} {}", other.name, other.argument),
    }
}

fn render_mail(mail: &MailCommand) -> String {
    let mut line = format!("MAIL FROM:{}", mail.sender);
    if let Some(size) = mail.size {
        line += &format!(" SIZE={size}");
    }
    line += match mail.body {
        BodyType::SevenBit => "",
        BodyType::EightBitMime => " BODY=8BITMIME",
        BodyType::BinaryMime => " BODY=BINARYMIME",
    };
    if mail.smtputf8 {
        line += " SMTPUTF8";
    }
    line += match mail.ret {
        None => "",
        Some(Ret::Full) => " RET=FULL",
        Some(Ret::Hdrs) => " RET=HDRS",
    };
    if let Some(envid) = &mail.envid {
        line += &format!(" ENVID={envid}");
    }
    line + &render_wishes(mail) + &render_claimed(&mail.claimed)
}

fn render_wishes(mail: &MailCommand) -> String {
    let mut line = match mail.hold {
        None => String::new(),
        Some(HoldRequest::For(seconds)) => format!(" HOLDFOR={seconds}"),
        Some(HoldRequest::Until(time)) => format!(" HOLDUNTIL={time}"),
    };
    if let Some(by) = mail.by {
        let mode = if by.mode == ByMode::Return { "R" } else { "N" };
        line += &format!(" BY={};{mode}{}", by.seconds, if by.trace { "T" } else { "" });
    }
    if let Some(priority) = mail.priority {
        line += &format!(" MT-PRIORITY={priority}");
    }
    line + if mail.require_tls { " REQUIRETLS" } else { "" }
}

/// In base64 (RFC 4648 4); an empty one is `=` (RFC 4954 4).
fn render_response(response: Option<&[u8]>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = match response {
        None => return String::new(),
        Some([]) => return " =".to_owned(),
        Some(_) => " ".to_owned(),
    };
    for three in response.unwrap_or_default().chunks(3) {
        let octet = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        let digit = |n: usize| char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize]);
        text.extend((0..4).map(|n| if n <= three.len() { digit(n) } else { '=' }));
    }
    text
}

fn render_rcpt(rcpt: &RcptCommand) -> String {
    let mut line = format!("RCPT TO:{}", rcpt.path);
    if let Some(Notify { success, failure, delay }) = rcpt.notify {
        let named = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
        let words: Vec<&str> = named.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        line += &format!(" NOTIFY={}", if words.is_empty() { "NEVER".to_owned() } else { words.join(",") });
    }
    if let Some(orcpt) = &rcpt.orcpt {
        line += &format!(" ORCPT={};{}", orcpt.kind, orcpt.address);
    }
    line + &render_claimed(&rcpt.claimed)
}

fn render_claimed(claimed: &[Param]) -> String {
    let one = |param: &Param| match &param.value {
        Some(value) => format!(" {}={value}", param.keyword),
        None => format!(" {}", param.keyword),
    };
    claimed.iter().map(one).collect()
}

/// What goes on to another server, or into a report, is fit for it.
fn sound(command: &Command, smtputf8: bool) {
    match command {
        Command::Hello(hello) => assert!(hello.name.bytes().all(|b| b.is_ascii_graphic()) && hello.name.len() <= 255),
        Command::Mail(mail) => {
            assert!(mail.smtputf8 || render_mail(mail).is_ascii());
            assert!(mail.sender.as_str().len() <= 254);
            let envid = mail.envid.as_deref().map(xtext::decode);
            assert!(envid.is_none_or(|text| text.is_some_and(|text| !text.contains(char::is_control))));
        }
        Command::Rcpt(rcpt) => {
            assert!(smtputf8 || render_rcpt(rcpt).is_ascii());
            assert!(!rcpt.path.as_str().is_empty() && rcpt.path.as_str().len() <= 254);
        }
        Command::Data | Command::StartTls | Command::Auth(_) | Command::Other(_) => {}
    }
}
