//! Why there is no host to try: the replies, and whether they are final.

use super::notes::Notes;
use crate::mail::{EnhancedCode, Reply, one_line};
use crate::transport::outcome::{Details, Outcome};

// RFC 7504 4 and RFC 7505 4.1.
const NULL_MX: Reply = Reply::new(556, EnhancedCode(5, 1, 10), "The domain does not accept mail");
const NOT_A_DOMAIN: Reply = Reply::new(550, EnhancedCode(5, 1, 2), "That is no domain that mail can be sent to");
const NO_SUCH_DOMAIN: Reply =
    Reply::new(550, EnhancedCode(5, 1, 2), "The domain has neither a mail exchanger nor an address");
const NOWHERE: Reply =
    Reply::new(550, EnhancedCode(5, 4, 4), "The domain's mail exchangers can't be reached by anybody");
const COMES_BACK: Reply = Reply::new(554, EnhancedCode(5, 4, 6), "Mail to this domain would come back to this server");
const UNKNOWN: Reply = Reply::new(451, EnhancedCode(4, 4, 3), "The DNS gives no answer about this domain at present");

/// There is no host to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoExchange {
    /// For good: the domain takes no mail (5.1.10), is none (5.1.2), names no host that can be reached (5.4.4), or names this
    /// server, which does not take its mail (5.4.6).
    Failed(Details),
    /// For now: the DNS has not answered (4.4.3).
    Deferred(Details),
}

impl NoExchange {
    pub(super) fn null_mx() -> Self {
        Self::failed(NULL_MX, "it has a null MX (RFC 7505)".to_owned())
    }

    pub(super) fn not_a_domain(why: &str) -> Self {
        Self::failed(NOT_A_DOMAIN, why.to_owned())
    }

    pub(super) fn no_such_domain(notes: &Notes) -> Self {
        Self::failed(NO_SUCH_DOMAIN, notes.to_string())
    }

    pub(super) fn nowhere(notes: &Notes) -> Self {
        Self::failed(NOWHERE, notes.to_string())
    }

    pub(super) fn comes_back(notes: &Notes) -> Self {
        let help = "if this server is to take its mail, name the domain in `domains.local`, else give it a [[route]]";
        Self::failed(COMES_BACK, format!("{notes}; {help}"))
    }

    pub(super) fn unknown(why: String) -> Self {
        Self::Deferred(Details::ours(UNKNOWN, one_line(why)))
    }

    fn failed(reply: Reply, note: String) -> Self {
        Self::Failed(Details::ours(reply, one_line(note)))
    }
}

/// As the outcome of a try.
impl From<NoExchange> for Outcome {
    fn from(none: NoExchange) -> Self {
        match none {
            NoExchange::Failed(details) => Self::Failed(details),
            NoExchange::Deferred(details) => Self::Deferred(details),
        }
    }
}
