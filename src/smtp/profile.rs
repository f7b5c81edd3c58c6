//! How one kind of session presents itself: names, offers, limits. Shared by all sessions of a listener.

use super::extension::Extensions;
use super::limits::Limits;
use super::verb::Verb;
use crate::mail::Reply;

/// Everything that a session needs to know of its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The server's name, as in the greeting.
    pub hostname: String,
    /// LMTP (RFC 2033) instead of SMTP.
    pub lmtp: bool,
    /// What the reply to EHLO offers, and what sinks claim.
    pub extensions: Extensions,
    /// VRFY is asked and advertised; else it is answered with 252.
    pub vrfy: bool,
    /// EXPN is asked; else it is answered with 502.
    pub expn: bool,
    /// The limits of a session.
    pub limits: Limits,
}

impl Profile {
    /// An SMTP server of this name with defaults.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            lmtp: false,
            extensions: Extensions::default(),
            vrfy: false,
            expn: false,
            limits: Limits::default(),
        }
    }

    /// 220 (RFC 5321 4.3.1).
    pub fn greeting(&self) -> Reply {
        let protocol = if self.lmtp { "LMTP" } else { "ESMTP" };
        Reply::plain(220, format!("{} {protocol} Mailsluice", self.hostname))
    }

    /// The reply to HELO: the name alone.
    pub fn helo(&self) -> Reply {
        Reply::plain(250, self.hostname.clone())
    }

    /// The reply to EHLO or LHLO: the name and a line for each offer.
    pub fn ehlo(&self) -> Reply {
        let mut text = self.hostname.clone();
        let mut line = |keyword: &str, argument: Option<&str>| {
            text.push('\n');
            text.push_str(keyword);
            if let Some(argument) = argument {
                text.push(' ');
                text.push_str(argument);
            }
        };
        let size = self.limits.message_size.to_string();
        for (keyword, argument) in self.extensions.keywords() {
            line(keyword, if keyword == "SIZE" { Some(&size) } else { argument });
        }
        for (on, keyword) in [(self.vrfy, "VRFY"), (self.expn, "EXPN")] {
            if on && !self.extensions.offers(keyword) {
                line(keyword, None);
            }
        }
        Reply::plain(250, text)
    }

    /// Whether the verb of this name is spoken here at all.
    pub(crate) fn speaks(&self, verb: Verb, name: &str) -> bool {
        match verb {
            Verb::Bdat => self.extensions.offers("CHUNKING"),
            Verb::Expn => self.expn,
            Verb::Etrn | Verb::Atrn | Verb::Turn => self.extensions.claims_verb(name),
            Verb::StartTls | Verb::Auth => false,
            _ => true,
        }
    }

    /// Whether the verb belongs to the other protocol: LHLO is none in SMTP, HELO and EHLO are none in LMTP (RFC 2033 4.1).
    pub(crate) fn is_foreign(&self, verb: Verb) -> bool {
        match verb {
            Verb::Lhlo => !self.lmtp,
            Verb::Helo | Verb::Ehlo => self.lmtp,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offers_in_their_order() {
        let mut profile = Profile::new("mx.example.com");
        profile.limits.message_size = 1000;
        profile.extensions.set_keyword("XFOO", Some("1 2")).unwrap();
        let text = "mx.example.com\nPIPELINING\nSIZE 1000\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nCHUNKING\nBINARYMIME\nDSN\nHELP\nXFOO 1 2";
        assert_eq!(profile.ehlo(), Reply::plain(250, text));
        profile.vrfy = true;
        assert!(profile.ehlo().text().ends_with("\nVRFY"));
    }

    #[test]
    fn the_other_protocol_is_foreign() {
        let mut profile = Profile::new("x");
        assert!(profile.is_foreign(Verb::Lhlo) && !profile.is_foreign(Verb::Ehlo));
        profile.lmtp = true;
        assert!(!profile.is_foreign(Verb::Lhlo) && profile.is_foreign(Verb::Helo));
        assert!(profile.greeting().text().ends_with("LMTP Mailsluice"));
    }
}
