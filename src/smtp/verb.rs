//! The verbs of SMTP and LMTP: one table.
//!
//! Says which verb a line begins with. Whether it is offered, and whether it is its turn, others say
//! (`profile` and `session/order`).

/// A verb that the grammar knows, or one that a sink has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// RFC 5321 4.1.1.1.
    Helo,
    /// RFC 5321 4.1.1.1.
    Ehlo,
    /// RFC 2033 4.1.
    Lhlo,
    /// RFC 5321 4.1.1.2.
    Mail,
    /// RFC 5321 4.1.1.3.
    Rcpt,
    /// RFC 5321 4.1.1.4.
    Data,
    /// RFC 3030 2.
    Bdat,
    /// RFC 5321 4.1.1.5.
    Rset,
    /// RFC 5321 4.1.1.9.
    Noop,
    /// RFC 5321 4.1.1.10.
    Quit,
    /// RFC 5321 4.1.1.8.
    Help,
    /// RFC 5321 4.1.1.6.
    Vrfy,
    /// RFC 5321 4.1.1.7.
    Expn,
    /// RFC 1985.
    Etrn,
    /// RFC 2645.
    Atrn,
    /// RFC 821, obsolete.
    Turn,
    /// RFC 3207.
    StartTls,
    /// RFC 4954.
    Auth,
    /// Postfix's XCLIENT_README.
    Xclient,
    /// Postfix's XFORWARD_README.
    Xforward,
    /// A verb outside of this table that a sink has claimed.
    Claimed,
}

struct Entry {
    name: &'static str,
    verb: Verb,
    /// Counts as a command without a message.
    idle: bool,
}

const fn entry(name: &'static str, verb: Verb, idle: bool) -> Entry {
    Entry { name, verb, idle }
}

/// In the order in which lines are compared, the frequent ones first.
const TABLE: [Entry; 20] = [
    entry("RCPT", Verb::Rcpt, false),
    entry("MAIL", Verb::Mail, true),
    entry("DATA", Verb::Data, false),
    entry("BDAT", Verb::Bdat, false),
    entry("EHLO", Verb::Ehlo, true),
    entry("QUIT", Verb::Quit, false),
    entry("RSET", Verb::Rset, true),
    entry("NOOP", Verb::Noop, true),
    entry("HELO", Verb::Helo, true),
    entry("LHLO", Verb::Lhlo, true),
    entry("STARTTLS", Verb::StartTls, true),
    entry("AUTH", Verb::Auth, true),
    entry("VRFY", Verb::Vrfy, true),
    entry("EXPN", Verb::Expn, true),
    entry("HELP", Verb::Help, true),
    entry("ETRN", Verb::Etrn, true),
    entry("ATRN", Verb::Atrn, true),
    entry("TURN", Verb::Turn, true),
    entry("XCLIENT", Verb::Xclient, true),
    entry("XFORWARD", Verb::Xforward, true),
];

/// First words of HTTP requests. SMTP has no verb of these names and a sink can't claim one.
const HTTP: [&str; 7] = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE"];

impl Verb {
    /// The verb of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|e| e.name.eq_ignore_ascii_case(name)).map(|e| e.verb)
    }

    /// Its name in upper case, if the table has it.
    pub(crate) fn name(self) -> Option<&'static str> {
        TABLE.iter().find(|e| e.verb == self).map(|e| e.name)
    }

    /// Whether it counts as a command without a message.
    pub(crate) fn is_idle(self) -> bool {
        TABLE.iter().find(|e| e.verb == self).is_none_or(|e| e.idle)
    }

    /// Whether it is a sink that answers it.
    pub fn is_claimed(self) -> bool {
        self == Self::Claimed || self.may_be_claimed()
    }

    /// Whether a sink may claim it although the table has it: verbs that the server itself never answers.
    pub(crate) fn may_be_claimed(self) -> bool {
        matches!(self, Self::Etrn | Self::Atrn | Self::Turn)
    }

    /// Whether only a proxy that is trusted may say it.
    pub(crate) fn is_of_proxies(self) -> bool {
        matches!(self, Self::Xclient | Self::Xforward)
    }

    /// All that the table has, with their names.
    pub(crate) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        TABLE.iter().map(|e| (e.verb, e.name))
    }
}

/// Parts a line at its first space: the verb and its argument without the spaces around it.
pub fn split(line: &str) -> (&str, &str) {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    (verb, argument.trim_matches(' '))
}

/// Whether the verb begins an HTTP request.
pub(crate) fn is_http(verb: &str) -> bool {
    HTTP.iter().any(|h| h.eq_ignore_ascii_case(verb))
}

/// Whether the line is an HTTP request, whatever its verb.
pub(crate) fn is_http_line(line: &str) -> bool {
    let version = line.len().checked_sub(8).and_then(|at| line.get(at..)).unwrap_or_default();
    is_http(split(line).0) || (version.starts_with("HTTP/1.") && version.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_any_spaces() {
        assert_eq!(split("mail FROM:<a@b>  "), ("mail", "FROM:<a@b>"));
        assert_eq!(split("RSET"), ("RSET", ""));
        assert_eq!(split(" RSET"), ("", "RSET"));
        assert_eq!(Verb::named("StartTLS"), Some(Verb::StartTls));
        assert_eq!(Verb::named(""), None);
        assert_eq!(Verb::named("MAILS"), None);
    }

    #[test]
    fn every_verb_stands_once() {
        for (i, e) in TABLE.iter().enumerate() {
            assert!(!TABLE[..i].iter().any(|f| f.name == e.name || f.verb == e.verb), "{}", e.name);
        }
    }

    #[test]
    fn http_is_told_by_verb_or_version() {
        for http in ["GET / HTTP/1.1", "post /", "PATCH / HTTP/1.0", "CONNECT x:25 HTTP/1.1"] {
            assert!(is_http_line(http), "{http}");
        }
        for smtp in ["EHLO get", "NOOP HTTP/1.", "HTTP/1.", "NOOP HTTP/2", "é HTTP", ""] {
            assert!(!is_http_line(smtp), "{smtp}");
        }
    }
}
