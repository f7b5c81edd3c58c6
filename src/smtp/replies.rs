//! The machine's own replies: codes, statuses and texts (RFC 5321 4.2, RFC 3463).
//!
//! The greeting, the replies to HELO, EHLO and LHLO, and 354 carry no status (RFC 2034 4).

use crate::mail::{EnhancedCode, Reply};

const fn own(code: u16, class: u8, subject: u16, detail: u16, text: &'static str) -> Reply {
    Reply::new(code, EnhancedCode(class, subject, detail), text)
}

/// MAIL accepted.
pub const SENDER_OK: Reply = own(250, 2, 1, 0, "Sender ok");
/// RCPT accepted.
pub const RECIPIENT_OK: Reply = own(250, 2, 1, 5, "Recipient ok");
/// Message accepted, where the driver has no text of its own.
pub const MESSAGE_OK: Reply = own(250, 2, 0, 0, "Message accepted");
/// RSET.
pub const RESET: Reply = own(250, 2, 0, 0, "Reset; start again with MAIL");
/// NOOP.
pub const NOOP: Reply = own(250, 2, 0, 0, "Ok");
/// QUIT.
pub const BYE: Reply = own(221, 2, 0, 0, "Bye");
/// VRFY and EXPN, where nobody knows better.
pub const CAN_NOT_VERIFY: Reply = own(252, 2, 0, 0, "Can't verify; send the message and see");

pub(crate) const TOO_MANY_ERRORS: Reply = own(421, 4, 7, 0, "Too many errors; closing");
pub(crate) const TOO_MANY_COMMANDS: Reply = own(421, 4, 7, 0, "Too many commands without a message; closing");
pub(crate) const TOO_EARLY: Reply = own(554, 5, 5, 0, "Talked before the greeting; wait for it; closing");
pub(crate) const NOT_SMTP: Reply = own(554, 5, 5, 1, "This is SMTP, not HTTP; closing");
pub(crate) const NOT_TLS: Reply = own(554, 5, 5, 1, "No TLS on this port before STARTTLS; closing");

pub(crate) const BARE_LF: Reply = own(500, 5, 5, 2, "Line ends in LF alone; end it with CR LF");
pub(crate) const CONTROL: Reply = own(500, 5, 5, 2, "Control character in the line; send printable text");
pub(crate) const NOT_UTF8: Reply = own(500, 5, 5, 2, "Line is not UTF-8; send ASCII, or UTF-8 with SMTPUTF8");
pub(crate) const UNKNOWN_VERB: Reply = own(500, 5, 5, 2, "Command not known; see HELP");
/// A verb that is known and not offered.
pub const NOT_OFFERED: Reply = own(502, 5, 5, 1, "Command not offered here; see the reply to EHLO");
pub(crate) const NO_ARGUMENT: Reply = own(501, 5, 5, 4, "Command takes no argument; send it alone");
pub(crate) const ARGUMENT: Reply = own(501, 5, 5, 4, "Command needs an argument; add it after a space");
pub(crate) const NO_FROM: Reply = own(501, 5, 5, 4, "Say MAIL FROM:<address>");
pub(crate) const NO_TO: Reply = own(501, 5, 5, 4, "Say RCPT TO:<address>");
pub(crate) const NEEDS_SMTPUTF8: Reply = own(553, 5, 6, 7, "Address has non-ASCII characters; say SMTPUTF8 with MAIL");
pub(crate) const BAD_PARAM: Reply = own(501, 5, 5, 4, "Parameters are KEYWORD or KEYWORD=value, parted by spaces");

pub(crate) const SESSION_REFUSED: Reply = own(503, 5, 5, 1, "No mail from you here; only QUIT is left");
pub(crate) const HELLO_FIRST: Reply = own(503, 5, 5, 1, "Say EHLO first");
pub(crate) const MAIL_FIRST: Reply = own(503, 5, 5, 1, "MAIL first");
pub(crate) const NESTED_MAIL: Reply = own(503, 5, 5, 1, "Transaction is open; finish it or send RSET");
pub(crate) const NO_RECIPIENTS: Reply = own(503, 5, 5, 1, "No valid recipients; RCPT first");
pub(crate) const BINARY_NEEDS_BDAT: Reply = own(503, 5, 5, 1, "BODY=BINARYMIME needs BDAT; DATA can't carry it");
pub(crate) const BDAT_OPEN: Reply = own(503, 5, 5, 1, "BDAT has begun; finish with BDAT LAST or send RSET");
pub(crate) const BDAT_SIZE: Reply =
    own(501, 5, 5, 4, "Say BDAT and a size in octets; can't tell where the chunk ends; closing");
pub(crate) const BDAT_TAIL: Reply = own(501, 5, 5, 4, "Nothing but LAST may follow the size of BDAT");
pub(crate) const TOO_MANY_RECIPIENTS: Reply =
    own(452, 4, 5, 3, "Too many recipients; send to the others in another transaction");

pub(crate) const BODY_BARE_CR: Reply = own(550, 5, 6, 0, "Message has a CR without LF; lines end with CR LF; closing");
pub(crate) const BODY_BARE_LF: Reply = own(550, 5, 6, 0, "Message has a LF without CR; lines end with CR LF; closing");
pub(crate) const BODY_NUL: Reply = own(550, 5, 6, 0, "Message has a NUL; encode it (RFC 2045); closing");
pub(crate) const HEADER_TOO_BIG: Reply = own(552, 5, 3, 4, "Header too big; send fewer or shorter fields");
pub(crate) const TOO_MANY_HOPS: Reply = own(554, 5, 4, 6, "Too many Received fields: a mail loop?");
pub(crate) const NO_DECISION: Reply = own(451, 4, 3, 0, "No decision for this recipient; try again later");

/// Over the size limit, declared or reached (RFC 1870 6.1 and 6.3).
pub const TOO_BIG: Reply = own(552, 5, 3, 4, "Message too big; send a smaller one");

pub(crate) const BAD_BASE64: Reply = own(501, 5, 5, 2, "Response is not base64; encode it");
pub(crate) const AUTH_CANCELLED: Reply = own(501, 5, 7, 0, "Authentication cancelled");
pub(crate) const AUTH_TOO_LONG: Reply = own(500, 5, 5, 6, "Line of the authentication exchange is too long");
pub(crate) const AUTH_AGAIN: Reply = own(503, 5, 5, 1, "You are authenticated already");
/// AUTH accepted, where the driver has no text of its own.
pub const AUTHENTICATED: Reply = own(235, 2, 7, 0, "Authenticated");
/// A claimed verb asked for more octets than it can have.
pub(crate) const TOO_MUCH: Reply = own(552, 5, 3, 4, "Too many octets for this command");
pub(crate) const AUTH_REQUIRED: Reply = own(530, 5, 7, 0, "Authentication required");
pub(crate) const NO_MECHANISM: Reply = own(504, 5, 5, 4, "Mechanism not offered; see the reply to EHLO");
/// The mechanism is to be had under TLS alone (RFC 4954 6).
pub(crate) const MECHANISM_NEEDS_TLS: Reply = own(538, 5, 7, 11, "Mechanism needs TLS; say STARTTLS first");
/// STARTTLS accepted (RFC 3207 4).
pub(crate) const START_TLS: Reply = own(220, 2, 0, 0, "Go ahead with TLS");
pub(crate) const TLS_ALREADY: Reply = own(503, 5, 5, 1, "TLS is active already");
pub(crate) const TLS_REQUIRED: Reply = own(530, 5, 7, 0, "Say STARTTLS first");
/// Octets came behind a command that has to be the last before its reply (RFC 3207 4.2, RFC 2645 5).
pub(crate) const NOT_THE_LAST: Reply = own(503, 5, 5, 1, "Nothing may follow this command before its reply; closing");

/// 354: the client may send the message.
pub(crate) fn start_mail() -> Reply {
    Reply::plain(354, "Send the message; end it with CR LF . CR LF")
}

/// A chunk of BDAT was taken.
pub(crate) fn octets_received(size: u64) -> Reply {
    Reply::foreign(250, Some(EnhancedCode(2, 0, 0)), &format!("{size} octets received"))
}

/// HELO, EHLO or LHLO without a usable name.
pub(crate) fn bad_hello() -> Reply {
    Reply::plain(501, "Give your host name or address literal in ASCII, and nothing else")
}
