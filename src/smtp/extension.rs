//! What a server offers in its reply to EHLO, and what sinks claim (RFC 5321 2.2).
//!
//! A list of keywords in the order of the reply, and the verbs and parameters beyond the server's own. Removing a
//! keyword removes the extension: its verbs and parameters are no longer read.

use super::param::is_keyword;
use super::verb::{self, Verb};
use std::fmt;

/// Keywords that the server itself brings.
pub(super) const OWN: [&str; 10] = [
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "LIMITS",
    "HELP",
];
/// Parameters that the server reads itself.
const OWN_PARAMS: [&str; 13] = [
    "SIZE",
    "BODY",
    "SMTPUTF8",
    "RET",
    "ENVID",
    "NOTIFY",
    "ORCPT",
    "AUTH",
    "HOLDFOR",
    "HOLDUNTIL",
    "BY",
    "MT-PRIORITY",
    "REQUIRETLS",
];

/// Why a sink can't have a keyword, verb or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadClaim {
    /// Letters, digits and hyphens, at most 64, and no hyphen first. An argument is printable ASCII.
    Malformed(String),
    /// The server reads it itself, or it belongs to another protocol.
    Taken(String),
}

impl fmt::Display for BadClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(name) => {
                write!(f, "`{}` is not a keyword: use letters, digits and hyphens", name.escape_debug())
            }
            Self::Taken(name) => write!(f, "`{name}` is the server's own and can't be claimed"),
        }
    }
}

impl std::error::Error for BadClaim {}

/// The offers of one server. Names are kept in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extensions {
    keywords: Vec<(String, Option<String>)>,
    verbs: Vec<String>,
    /// Verbs of the server's own that are spoken only where a listener has them.
    own_verbs: Vec<&'static str>,
    mail: Vec<String>,
    rcpt: Vec<String>,
    /// AUTH of MAIL is read.
    auth: bool,
}

impl Default for Extensions {
    /// All that the server brings.
    fn default() -> Self {
        let keywords = OWN.iter().map(|&k| (k.to_owned(), None)).collect();
        Self { keywords, verbs: Vec::new(), own_verbs: Vec::new(), mail: Vec::new(), rcpt: Vec::new(), auth: false }
    }
}

impl Extensions {
    /// Whether the keyword is offered.
    pub fn offers(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|(k, _)| k.eq_ignore_ascii_case(keyword))
    }

    /// Adds a keyword, or changes its argument. SIZE has its argument from the limits. `NAME=VALUE`, as old clients want it, is a keyword
    /// of its own.
    pub fn set_keyword(&mut self, keyword: &str, argument: Option<&str>) -> Result<(), BadClaim> {
        let printable =
            argument.is_none_or(|a| !a.is_empty() && a.len() <= 400 && a.bytes().all(|b| matches!(b, b' '..=b'~')));
        if !printable {
            return Err(BadClaim::Malformed(argument.unwrap_or_default().to_owned()));
        }
        let keyword = match keyword.split_once('=') {
            Some((name, value)) => format!("{}={}", well_formed(name)?, well_formed(value)?),
            None => well_formed(keyword)?,
        };
        let argument = argument.map(str::to_owned);
        match self.keywords.iter_mut().find(|(k, _)| *k == keyword) {
            Some(known) => known.1 = argument,
            None => self.keywords.push((keyword, argument)),
        }
        Ok(())
    }

    /// Removes a keyword and with it the extension. BINARYMIME goes with CHUNKING, which it needs (RFC 3030 3).
    pub fn remove_keyword(&mut self, keyword: &str) {
        self.keywords.retain(|(k, _)| !k.eq_ignore_ascii_case(keyword));
        if !self.offers("CHUNKING") {
            self.keywords.retain(|(k, _)| k != "BINARYMIME");
        }
    }

    /// Speaks XCLIENT. Whether it is announced, [`Self::set_keyword`] says.
    pub fn speak_xclient(&mut self) {
        self.own_verbs.push("XCLIENT");
    }

    /// Speaks XFORWARD. Whether it is announced, [`Self::set_keyword`] says.
    pub fn speak_xforward(&mut self) {
        self.own_verbs.push("XFORWARD");
    }

    /// Whether it is one of the server's own verbs that are spoken here.
    pub(super) fn speaks_own(&self, name: &str) -> bool {
        self.own_verbs.iter().any(|v| v.eq_ignore_ascii_case(name))
    }

    /// The verbs that sinks claim.
    pub(super) fn claimed_verbs(&self) -> impl Iterator<Item = &str> {
        self.verbs.iter().map(String::as_str)
    }

    /// Has the verb asked as a command. Claims of the same name by several sinks are one.
    pub fn claim_verb(&mut self, name: &str) -> Result<(), BadClaim> {
        let taken = Verb::named(name).is_some_and(|v| !v.may_be_claimed()) || verb::is_http(name);
        claim(&mut self.verbs, name, taken)
    }

    /// Has the verb be unknown again.
    pub fn remove_verb(&mut self, name: &str) {
        self.verbs.retain(|v| !v.eq_ignore_ascii_case(name));
    }

    /// Lets the parameter stand with MAIL.
    pub fn claim_mail(&mut self, keyword: &str) -> Result<(), BadClaim> {
        claim(&mut self.mail, keyword, is_own_param(keyword))
    }

    /// Lets the parameter stand with RCPT.
    pub fn claim_rcpt(&mut self, keyword: &str) -> Result<(), BadClaim> {
        claim(&mut self.rcpt, keyword, is_own_param(keyword))
    }

    /// Whether a sink claims the verb.
    pub fn claims_verb(&self, name: &str) -> bool {
        self.verbs.iter().any(|v| v.eq_ignore_ascii_case(name))
    }

    /// Whether a sink claims the parameter of MAIL.
    pub fn claims_mail(&self, keyword: &str) -> bool {
        self.mail.iter().any(|p| p.eq_ignore_ascii_case(keyword))
    }

    /// Whether a sink claims the parameter of RCPT.
    pub fn claims_rcpt(&self, keyword: &str) -> bool {
        self.rcpt.iter().any(|p| p.eq_ignore_ascii_case(keyword))
    }

    /// Has the parameter AUTH of MAIL read, or not: where AUTH is offered (RFC 4954 5).
    pub fn read_auth(&mut self, on: bool) {
        self.auth = on;
    }

    /// Whether MAIL may have the parameter AUTH.
    pub fn reads_auth(&self) -> bool {
        self.auth
    }

    /// Keywords and arguments in the order of the reply.
    pub fn keywords(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.keywords.iter().map(|(keyword, argument)| (keyword.as_str(), argument.as_deref()))
    }
}

fn claim(list: &mut Vec<String>, name: &str, taken: bool) -> Result<(), BadClaim> {
    let name = well_formed(name)?;
    if taken {
        return Err(BadClaim::Taken(name));
    }
    if !list.contains(&name) {
        list.push(name);
    }
    Ok(())
}

fn is_own_param(keyword: &str) -> bool {
    OWN_PARAMS.iter().any(|p| p.eq_ignore_ascii_case(keyword))
}

fn well_formed(name: &str) -> Result<String, BadClaim> {
    if is_keyword(name) { Ok(name.to_ascii_uppercase()) } else { Err(BadClaim::Malformed(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_checked() {
        let mut e = Extensions::default();
        for taken in ["mail", "BDAT", "STARTTLS", "Auth", "GET"] {
            assert_eq!(e.claim_verb(taken), Err(BadClaim::Taken(taken.to_ascii_uppercase())));
        }
        for good in ["ETRN", "xhello", "XHELLO"] {
            assert_eq!(e.claim_verb(good), Ok(()));
        }
        assert_eq!(e.verbs, ["ETRN", "XHELLO"]);
        assert_eq!(e.claim_mail("size"), Err(BadClaim::Taken("SIZE".into())));
        assert!(matches!(e.claim_rcpt("X\r\n250 Y"), Err(BadClaim::Malformed(_))));
        assert!(matches!(e.claim_rcpt(""), Err(BadClaim::Malformed(_))));
    }

    #[test]
    fn keywords_come_and_go() {
        let mut e = Extensions::default();
        e.set_keyword("xfoo", Some("a b")).unwrap();
        e.set_keyword("XFOO", None).unwrap();
        e.remove_keyword("size");
        assert!(e.offers("xFoo") && !e.offers("SIZE"));
        assert_eq!(e.keywords().last(), Some(("XFOO", None)));
        assert!(e.set_keyword("XFOO", Some("a\r\n250 EVIL")).is_err());
        e.remove_keyword("chunking");
        assert!(!e.offers("BINARYMIME"), "it needs CHUNKING");
    }
}
