//! The order of commands (RFC 5321 4.1.4, RFC 3030 2, RFC 2033 4.2): one table.

use crate::mail::Reply;
use crate::smtp::replies;
use crate::smtp::verb::Verb;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Refused at the greeting.
    Refused,
    /// Greeted, no HELO yet.
    Connected,
    /// No transaction.
    Ready,
    /// MAIL was accepted, no RCPT yet.
    Mail,
    /// A recipient was accepted.
    Rcpt,
    /// The same, with BODY=BINARYMIME.
    Binary,
    /// A BDAT was accepted, the last is still to come.
    Chunks,
}

/// What the table says: `None` is yes.
type Row = [Option<&'static Reply>; 7];

const ANY: Option<&Reply> = None;
const NO: Option<&Reply> = Some(&replies::SESSION_REFUSED);
const HI: Option<&Reply> = Some(&replies::HELLO_FIRST);
const MA: Option<&Reply> = Some(&replies::MAIL_FIRST);
const RC: Option<&Reply> = Some(&replies::NO_RECIPIENTS);
const NE: Option<&Reply> = Some(&replies::NESTED_MAIL);
const BI: Option<&Reply> = Some(&replies::BINARY_NEEDS_BDAT);
const BD: Option<&Reply> = Some(&replies::BDAT_OPEN);

//                  Refused Connected Ready Mail  Rcpt  Binary Chunks
const QUIT: Row = [ANY, ANY, ANY, ANY, ANY, ANY, ANY];
const MAIL: Row = [NO, HI, ANY, NE, NE, NE, NE];
const RCPT: Row = [NO, HI, MA, ANY, ANY, ANY, BD];
const DATA: Row = [NO, HI, MA, RC, ANY, BI, BD];
const BDAT: Row = [NO, HI, MA, RC, ANY, ANY, ANY];
/// Who the client is can't change in the middle of a transaction (XCLIENT_README, XFORWARD_README).
const PEER: Row = [NO, ANY, ANY, NE, NE, NE, NE];
/// STARTTLS and AUTH; `standing` has more on them.
const EXTENDED: Row = [NO, HI, ANY, NE, NE, NE, NE];
/// HELO and its kin end a transaction; RSET, NOOP, HELP, VRFY, EXPN are right at any time.
const REST: Row = [NO, ANY, ANY, ANY, ANY, ANY, ANY];

/// Whether it is the verb's turn; if not, what the client is told.
pub(super) fn check(verb: Verb, place: Place) -> Result<(), &'static Reply> {
    let row = match verb {
        Verb::Quit => QUIT,
        Verb::Mail => MAIL,
        Verb::Rcpt => RCPT,
        Verb::Data => DATA,
        Verb::Bdat => BDAT,
        Verb::Xclient | Verb::Xforward => PEER,
        Verb::StartTls | Verb::Auth => EXTENDED,
        _ => REST,
    };
    row[place as usize].map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_needs_a_recipient_and_the_recipient_a_sender() {
        use Place::*;
        let allowed = |verb| {
            let places = [Refused, Connected, Ready, Mail, Rcpt, Binary, Chunks];
            places.into_iter().filter(|&p| check(verb, p).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(allowed(Verb::Mail), [Ready]);
        assert_eq!(allowed(Verb::Rcpt), [Mail, Rcpt, Binary]);
        assert_eq!(allowed(Verb::Data), [Rcpt]);
        assert_eq!(allowed(Verb::Bdat), [Rcpt, Binary, Chunks]);
        assert_eq!(allowed(Verb::Xclient), [Connected, Ready]);
        assert_eq!(allowed(Verb::Ehlo), [Connected, Ready, Mail, Rcpt, Binary, Chunks]);
        assert_eq!(allowed(Verb::Quit).len(), 7);
    }
}
