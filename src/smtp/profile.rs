//! How one kind of session presents itself: names, offers, limits. Shared by all sessions of a listener.

use super::extension::Extensions;
use super::limits::Limits;
use super::offer::{AuthOffer, TlsOffer};
use super::verb::Verb;
use crate::mail::{EnhancedCode, Reply};

/// Verbs on a line of the reply to HELP.
const HELP_WORDS: usize = 8;

/// The keyword that is offered in encrypted sessions alone.
const REQUIRETLS: &str = "REQUIRETLS";

/// Everything that a session needs to know of its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The server's name, as in the greeting.
    pub hostname: String,
    /// LMTP (RFC 2033) instead of SMTP.
    pub lmtp: bool,
    /// What the reply to EHLO offers, and what sinks claim.
    pub extensions: Extensions,
    /// STARTTLS.
    pub tls: TlsOffer,
    /// AUTH.
    pub auth: AuthOffer,
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
            tls: TlsOffer::None,
            auth: AuthOffer::default(),
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

    /// The reply to EHLO or LHLO: the name and a line for each offer that stands while the session is encrypted and authenticated,
    /// or is not.
    pub fn ehlo(&self, secure: bool, authenticated: bool) -> Reply {
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
        // RFC 9422: of its limits only this one is ours. A session may have any number of messages.
        let limits = format!("RCPTMAX={}", self.limits.recipients);
        // REQUIRETLS is of use once there is TLS (RFC 8689 2).
        for (keyword, argument) in self.extensions.keywords().filter(|(keyword, _)| secure || *keyword != REQUIRETLS) {
            let own = match keyword {
                "SIZE" => Some(size.as_str()),
                "LIMITS" => Some(limits.as_str()),
                _ => argument,
            };
            line(keyword, own);
        }
        if self.tls != TlsOffer::None && !secure {
            line("STARTTLS", None);
        }
        let mechanisms = self.auth.usable(secure);
        if !mechanisms.is_empty() && !authenticated {
            line("AUTH", Some(&mechanisms));
            if self.auth.old_spelling {
                line(&format!("AUTH={mechanisms}"), None);
            }
        }
        for (on, keyword) in [(self.vrfy, "VRFY"), (self.expn, "EXPN")] {
            if on && !self.extensions.offers(keyword) {
                line(keyword, None);
            }
        }
        Reply::plain(250, text)
    }

    /// The reply to HELP (RFC 5321 4.1.1.8): the verbs that this session is offered.
    pub fn help(&self, secure: bool, authenticated: bool) -> Reply {
        let offered = |&(verb, name): &(Verb, &str)| match verb {
            _ if self.is_foreign(verb) || !self.speaks(verb, name) => false,
            Verb::StartTls => !secure,
            Verb::Auth => !authenticated && !self.auth.usable(secure).is_empty(),
            // Spoken, but not by everybody.
            Verb::Xclient | Verb::Xforward => self.extensions.offers(name),
            Verb::Vrfy => self.vrfy,
            _ => true,
        };
        let claimed = self.extensions.claimed_verbs().filter(|name| Verb::named(name).is_none());
        let names: Vec<&str> = Verb::all().filter(offered).map(|(_, name)| name).chain(claimed).collect();
        let mut lines = vec!["Commands of this server:".to_owned()];
        lines.extend(names.chunks(HELP_WORDS).map(|words| format!("  {}", words.join(" "))));
        lines.push("RFC 5321 says how to use them; see the reply to EHLO for more".to_owned());
        Reply::foreign(214, Some(EnhancedCode(2, 0, 0)), &lines.join("\n"))
    }

    /// Whether the verb of this name is spoken here at all.
    pub(crate) fn speaks(&self, verb: Verb, name: &str) -> bool {
        match verb {
            Verb::Bdat => self.extensions.offers("CHUNKING"),
            Verb::Expn => self.expn,
            Verb::Help => self.extensions.offers("HELP"),
            Verb::Xclient | Verb::Xforward => self.extensions.speaks_own(name),
            Verb::Etrn | Verb::Atrn | Verb::Turn => self.extensions.claims_verb(name),
            Verb::StartTls => self.tls != TlsOffer::None,
            Verb::Auth => !self.auth.mechanisms.is_empty(),
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
    use crate::smtp::AuthMechanism;

    #[test]
    fn the_offers_in_their_order() {
        let mut profile = Profile::new("mx.example.com");
        profile.limits.message_size = 1000;
        profile.extensions.set_keyword("XFOO", Some("1 2")).unwrap();
        let text = "mx.example.com\nPIPELINING\nSIZE 1000\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nCHUNKING\nBINARYMIME\nDSN\nLIMITS RCPTMAX=1000\nHELP\nXFOO 1 2";
        assert_eq!(profile.ehlo(false, false), Reply::plain(250, text));
        profile.vrfy = true;
        assert!(profile.ehlo(false, false).text().ends_with("\nVRFY"));
    }

    #[test]
    fn what_has_been_done_is_offered_no_more() {
        let mut profile = Profile::new("x");
        profile.tls = TlsOffer::Offered;
        let mechanism = |name: &str, needs_tls| AuthMechanism { name: name.into(), needs_tls };
        profile.auth.mechanisms = vec![mechanism("PLAIN", true), mechanism("SCRAM-SHA-256", false)];
        let offers = |secure, authenticated| {
            let reply = profile.ehlo(secure, authenticated);
            let lines = reply.text().lines().filter(|l| l.starts_with("STARTTLS") || l.starts_with("AUTH"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(offers(false, false), ["STARTTLS", "AUTH SCRAM-SHA-256"]);
        assert_eq!(offers(true, false), ["AUTH PLAIN SCRAM-SHA-256"]);
        assert_eq!(offers(true, true), [""; 0]);
        assert_eq!(offers(false, true), ["STARTTLS"]);
        profile.auth.old_spelling = true;
        assert!(profile.ehlo(true, false).text().ends_with("AUTH PLAIN SCRAM-SHA-256\nAUTH=PLAIN SCRAM-SHA-256"));
    }

    #[test]
    fn help_names_what_this_session_is_offered() {
        let mut profile = Profile::new("x");
        let has = |profile: &Profile, secure, authenticated, verb: &str| {
            profile.help(secure, authenticated).text().split_whitespace().any(|word| word == verb)
        };
        for (verb, there) in [("MAIL", true), ("BDAT", true), ("LHLO", false), ("STARTTLS", false), ("VRFY", false)] {
            assert_eq!(has(&profile, false, false, verb), there, "{verb}");
        }
        profile.tls = TlsOffer::Offered;
        profile.auth.mechanisms = vec![AuthMechanism { name: "PLAIN".into(), needs_tls: true }];
        profile.extensions.claim_verb("XFOO").unwrap();
        profile.extensions.claim_verb("ETRN").unwrap();
        profile.extensions.speak_xclient();
        profile.vrfy = true;
        profile.extensions.remove_keyword("CHUNKING");
        let named = |secure, authenticated, verb: &str| has(&profile, secure, authenticated, verb);
        assert!(named(false, false, "STARTTLS") && !named(true, false, "STARTTLS"));
        assert!(!named(false, false, "AUTH") && named(true, false, "AUTH") && !named(true, true, "AUTH"));
        assert!(named(false, false, "XFOO") && named(false, false, "ETRN") && named(false, false, "VRFY"));
        assert!(!named(false, false, "BDAT") && !named(false, false, "XCLIENT"));
        assert!(profile.help(false, false).text().lines().all(|line| line.len() < 80));
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
