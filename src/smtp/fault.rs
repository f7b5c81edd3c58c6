//! What can be wrong with a command, and the one place that says it on the wire.
//!
//! Every text tells the human at the other end what to do. None repeats octets that the client sent, apart from
//! names of parameters, which the grammar has checked.

use super::replies;
use crate::mail::{AddressError, EnhancedCode, Reply};

/// Whose address is meant: the statuses differ (RFC 3463 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathOf {
    /// The reverse-path of MAIL.
    Sender,
    /// The forward-path of RCPT.
    Recipient,
}

/// A client's mistake in one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line that ends in LF alone.
    BareLf,
    /// A line over this many octets.
    LineTooLong(usize),
    /// A control character in a line, bare CR and NUL included.
    Control,
    /// Octets that are not UTF-8.
    NotUtf8,
    /// A verb that nobody knows.
    UnknownVerb,
    /// A verb that is known but not offered here.
    NotOffered,
    /// HELO, EHLO or LHLO without a usable name.
    BadHello,
    /// An argument where none may stand.
    NoArgument,
    /// No argument where one must stand.
    Argument,
    /// MAIL or RCPT without `FROM:` or `TO:`.
    NoPath(PathOf),
    /// A path without angle brackets.
    NoBrackets(PathOf),
    /// A path over 256 octets.
    PathTooLong(PathOf),
    /// A source route that is none.
    BadRoute(PathOf),
    /// An address that is none.
    BadAddress(PathOf, AddressError),
    /// Text after `>` that no space parts from it.
    AfterPath(PathOf),
    /// An internationalised address, but no SMTPUTF8 (RFC 6531 3.5).
    NeedsSmtpUtf8,
    /// A parameter that is no `KEYWORD` or `KEYWORD=value`.
    BadParam,
    /// The same parameter twice.
    RepeatedParam(String),
    /// HOLDFOR and HOLDUNTIL together (RFC 4865 4).
    TwoHolds,
    /// A parameter that is not known here.
    UnknownParam(String),
    /// A parameter with a value that it can't have.
    BadValue(String),
    /// A response that is no base64 (RFC 4954 4).
    BadBase64,
    /// BDAT with text that is not `LAST` after a readable size.
    BdatTail,
}

impl Fault {
    /// What the client is told.
    pub fn reply(&self) -> Reply {
        match self {
            Self::BareLf => replies::BARE_LF,
            Self::LineTooLong(limit) => {
                told(500, (5, 5, 2), &format!("Line longer than {limit} octets; send a shorter one"))
            }
            Self::Control => replies::CONTROL,
            Self::NotUtf8 => replies::NOT_UTF8,
            Self::UnknownVerb => replies::UNKNOWN_VERB,
            Self::NotOffered => replies::NOT_OFFERED,
            Self::BadHello => replies::bad_hello(),
            Self::NoArgument => replies::NO_ARGUMENT,
            Self::Argument => replies::ARGUMENT,
            Self::NoPath(PathOf::Sender) => replies::NO_FROM,
            Self::NoPath(PathOf::Recipient) => replies::NO_TO,
            Self::NoBrackets(of) => address(*of, "put the address in angle brackets, as <user@example.com>"),
            Self::PathTooLong(of) => address(*of, "the path is longer than 256 octets"),
            Self::BadRoute(of) => address(*of, "the source route is not valid; leave it out"),
            Self::BadAddress(of, error) => address(*of, &error.to_string()),
            Self::AfterPath(of) => address(*of, "a space must part the path from what follows"),
            Self::NeedsSmtpUtf8 => replies::NEEDS_SMTPUTF8,
            Self::BadParam => replies::BAD_PARAM,
            Self::RepeatedParam(name) => told(501, (5, 5, 4), &format!("{name} given twice; give it once")),
            Self::TwoHolds => told(501, (5, 5, 4), "HOLDFOR and HOLDUNTIL given together; give one of them"),
            Self::UnknownParam(name) => {
                told(555, (5, 5, 4), &format!("{name} is not a parameter known here; send the command without it"))
            }
            Self::BadValue(name) => told(501, (5, 5, 4), &format!("{name} can't have this value")),
            Self::BadBase64 => replies::BAD_BASE64,
            Self::BdatTail => replies::BDAT_TAIL,
        }
    }
}

fn address(of: PathOf, what: &str) -> Reply {
    match of {
        PathOf::Sender => told(501, (5, 1, 7), &format!("Bad sender address: {what}")),
        PathOf::Recipient => told(501, (5, 1, 3), &format!("Bad recipient address: {what}")),
    }
}

fn told(code: u16, (class, subject, detail): (u8, u16, u16), text: &str) -> Reply {
    Reply::foreign(code, Some(EnhancedCode(class, subject, detail)), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_tell_sender_from_recipient() {
        let fault = |of| Fault::BadAddress(of, AddressError::EmptyLocal).reply().to_string();
        assert_eq!(fault(PathOf::Sender), "501 5.1.7 Bad sender address: the local part is empty");
        assert_eq!(fault(PathOf::Recipient), "501 5.1.3 Bad recipient address: the local part is empty");
    }

    #[test]
    fn parameters_are_named() {
        assert!(Fault::UnknownParam("XFOO".into()).reply().to_string().starts_with("555 5.5.4 XFOO "));
        assert!(Fault::RepeatedParam("SIZE".into()).reply().to_string().starts_with("501 5.5.4 SIZE "));
    }
}
