//! A command line, parsed once into types that can't be wrong (RFC 5321 4.1).
//!
//! What the parameters and paths mean is in `param` and `path`; whether it is the command's turn is in
//! `session/order`. BDAT, whose octets follow whatever is wrong with it, has a file of its own.

use super::exchange::{self, AuthCommand};
use super::extension::Extensions;
use super::fault::Fault;
use super::param::{self, MailParams, RcptParams};
use super::path;
use super::verb::Verb;
use crate::mail::{
    BodyType, By, Domain, ForwardPath, HoldRequest, Notify, OriginalRecipient, Param, Priority, Ret, ReversePath,
};
use std::borrow::Cow;

/// The longest name after HELO, in octets.
const HELLO_MAX: usize = 255;

/// HELO, EHLO or LHLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Which of the three.
    pub verb: Verb,
    /// The client's name for itself, as written: printable ASCII without spaces.
    pub name: String,
    /// The name as a domain or address literal, if it is one. Many are not; underscores are common.
    pub domain: Option<Domain>,
}

/// MAIL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCommand {
    /// The reverse-path.
    pub sender: ReversePath,
    /// SIZE, in octets.
    pub size: Option<u64>,
    /// BODY.
    pub body: BodyType,
    /// SMTPUTF8 was given.
    pub smtputf8: bool,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID, still in xtext.
    pub envid: Option<String>,
    /// HOLDFOR or HOLDUNTIL.
    pub hold: Option<HoldRequest>,
    /// BY.
    pub by: Option<By>,
    /// MT-PRIORITY.
    pub priority: Option<Priority>,
    /// REQUIRETLS was given.
    pub require_tls: bool,
    /// Parameters that sinks claim.
    pub claimed: Vec<Param>,
}

/// RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcptCommand {
    /// The forward-path.
    pub path: ForwardPath,
    /// NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT, still encoded.
    pub orcpt: Option<OriginalRecipient>,
    /// Parameters that sinks claim.
    pub claimed: Vec<Param>,
}

/// A command without a part in the transaction, or one that a sink claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherCommand {
    /// The verb.
    pub verb: Verb,
    /// Its name in upper case.
    pub name: Cow<'static, str>,
    /// What follows the verb, without the spaces around it. No control characters.
    pub argument: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// HELO, EHLO or LHLO.
    Hello(Hello),
    /// MAIL.
    Mail(Box<MailCommand>),
    /// RCPT.
    Rcpt(Box<RcptCommand>),
    /// DATA.
    Data,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth(AuthCommand),
    /// Any other.
    Other(OtherCommand),
}

/// The text of a line: UTF-8 without control characters. A bare CR, a NUL or a tab spoils the whole line.
pub fn text(line: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
    if text.contains(char::is_control) { Err(Fault::Control) } else { Ok(text) }
}

/// Parses the argument of a verb. `smtputf8`: the open transaction has it.
pub fn parse(verb: Verb, name: &str, argument: &str, offered: &Extensions, smtputf8: bool) -> Result<Command, Fault> {
    match verb {
        Verb::Helo | Verb::Ehlo | Verb::Lhlo => hello(verb, argument).map(Command::Hello),
        Verb::Mail => mail(argument, offered).map(|m| Command::Mail(Box::new(m))),
        Verb::Rcpt => rcpt(argument, offered, smtputf8).map(|r| Command::Rcpt(Box::new(r))),
        Verb::Data => alone(argument).map(|()| Command::Data),
        Verb::StartTls => alone(argument).map(|()| Command::StartTls),
        Verb::Auth => exchange::command(argument).map(Command::Auth),
        Verb::Rset | Verb::Quit => alone(argument).map(|()| other(verb, name, argument)),
        Verb::Vrfy | Verb::Expn if argument.is_empty() => Err(Fault::Argument),
        _ => Ok(other(verb, name, argument)),
    }
}

fn other(verb: Verb, name: &str, argument: &str) -> Command {
    let name = verb.name().map_or_else(|| Cow::Owned(name.to_ascii_uppercase()), Cow::Borrowed);
    Command::Other(OtherCommand { verb, name, argument: argument.to_owned() })
}

fn alone(argument: &str) -> Result<(), Fault> {
    if argument.is_empty() { Ok(()) } else { Err(Fault::NoArgument) }
}

fn hello(verb: Verb, argument: &str) -> Result<Hello, Fault> {
    let usable = (1..=HELLO_MAX).contains(&argument.len()) && argument.bytes().all(|b| b.is_ascii_graphic());
    if !usable {
        return Err(Fault::BadHello);
    }
    Ok(Hello { verb, name: argument.to_owned(), domain: Domain::parse(argument).ok() })
}

fn mail(argument: &str, offered: &Extensions) -> Result<MailCommand, Fault> {
    let (sender, rest) = path::reverse(argument)?;
    let MailParams { size, body, smtputf8, ret, envid, hold, by, priority, require_tls, claimed } =
        param::mail(rest, offered)?;
    if !smtputf8 && !sender.as_str().is_ascii() {
        return Err(Fault::NeedsSmtpUtf8);
    }
    Ok(MailCommand { sender, size, body, smtputf8, ret, envid, hold, by, priority, require_tls, claimed })
}

fn rcpt(argument: &str, offered: &Extensions, smtputf8: bool) -> Result<RcptCommand, Fault> {
    let (path, rest) = path::forward(argument)?;
    if !smtputf8 && !path.as_str().is_ascii() {
        return Err(Fault::NeedsSmtpUtf8);
    }
    let RcptParams { notify, orcpt, claimed } = param::rcpt(rest, offered, smtputf8)?;
    Ok(RcptCommand { path, notify, orcpt, claimed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(verb: Verb, argument: &str) -> Result<Command, Fault> {
        parse(verb, "x", argument, &Extensions::default(), false)
    }

    #[test]
    fn a_name_is_needed_and_need_not_be_a_domain() {
        let Ok(Command::Hello(hello)) = parsed(Verb::Ehlo, "my_pc") else { panic!() };
        assert_eq!((hello.name.as_str(), hello.domain), ("my_pc", None));
        let Ok(Command::Hello(hello)) = parsed(Verb::Helo, "[192.0.2.1]") else { panic!() };
        assert_eq!(hello.domain.unwrap().as_str(), "[192.0.2.1]");
        for bad in ["", "a b", "bücher.example"] {
            assert_eq!(parsed(Verb::Ehlo, bad), Err(Fault::BadHello));
        }
        assert_eq!(parsed(Verb::Ehlo, &"a".repeat(256)), Err(Fault::BadHello));
    }

    #[test]
    fn international_addresses_need_smtputf8() {
        assert_eq!(parsed(Verb::Mail, "FROM:<ü@x>"), Err(Fault::NeedsSmtpUtf8));
        assert!(parsed(Verb::Mail, "FROM:<ü@x> SMTPUTF8").is_ok());
        assert_eq!(parsed(Verb::Rcpt, "TO:<a@ü.example>"), Err(Fault::NeedsSmtpUtf8));
        assert!(parse(Verb::Rcpt, "RCPT", "TO:<a@ü.example>", &Extensions::default(), true).is_ok());
    }

    #[test]
    fn lines_are_printable_utf8() {
        for (line, fault) in [
            (&b"NOOP\0"[..], Fault::Control),
            (b"NO\rOP", Fault::Control),
            (b"NOOP\tx", Fault::Control),
            (b"NOOP \x7f", Fault::Control),
            ("NOOP \u{85}".as_bytes(), Fault::Control),
            (b"NOOP \xff", Fault::NotUtf8),
        ] {
            assert_eq!(text(line), Err(fault));
        }
    }

    #[test]
    fn verbs_without_arguments() {
        for verb in [Verb::Data, Verb::Rset, Verb::Quit] {
            assert_eq!(parsed(verb, "now"), Err(Fault::NoArgument));
        }
        assert_eq!(parsed(Verb::Vrfy, ""), Err(Fault::Argument));
    }
}
