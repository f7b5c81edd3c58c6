//! Claimed verbs: what a sink adds to the protocol, and for whom.
//!
//! A verb has conditions. The server holds a session against them before any sink sees what follows the verb, and announces the
//! keyword only to sessions for which they hold. To everybody else the verb does not exist, unless it is announced
//! [early](VerbClaim::early): then whoever has not met its conditions yet is told what is missing.

use crate::mail::glob::Glob;
use crate::mail::{EnhancedCode, Origin, Reply};
use ipnet::IpNet;
use std::net::IpAddr;

/// TLS is missing (RFC 3207 4).
const TLS_FIRST: Reply = Reply::new(530, EnhancedCode(5, 7, 0), "Must issue a STARTTLS command first");
/// Authentication is missing (RFC 4954 6).
const AUTH_FIRST: Reply = Reply::new(530, EnhancedCode(5, 7, 0), "Authentication required");
const NOT_YOU: Reply = Reply::new(550, EnhancedCode(5, 7, 1), "Not for you, by local policy");

/// A verb that a sink claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerbClaim {
    /// The verb, in upper case: raised as `in.command`.
    pub verb: String,
    /// The EHLO keyword that announces it, with its arguments.
    pub keyword: Option<String>,
    /// Who may use it.
    pub conditions: Conditions,
    /// Announced also to those who do not meet the conditions yet.
    pub early: bool,
    /// What those are told who are known and not meant, if the verb is announced early. Default: 550 5.7.1.
    pub refusal: Option<Reply>,
}

/// What must hold before what follows a verb is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Only under TLS.
    pub tls: bool,
    /// Only to users who have authenticated, and whose name is one of these. Empty: users are not asked for.
    pub users: Vec<Glob>,
    /// Or only to clients of these networks, authenticated or not. Empty: clients are not asked for.
    pub clients: Vec<IpNet>,
}

/// How a session stands to the conditions of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// They hold.
    Yes,
    /// TLS is missing.
    NeedsTls,
    /// Authentication is missing.
    NeedsAuth,
    /// The client is known, and not meant.
    No,
}

impl VerbClaim {
    /// A verb for everybody, without a keyword.
    pub fn new(verb: &str) -> Self {
        let conditions = Conditions::default();
        Self { verb: verb.to_ascii_uppercase(), keyword: None, conditions, early: false, refusal: None }
    }

    /// The same, announced by a keyword.
    #[must_use]
    pub fn announced(self, keyword: impl Into<String>) -> Self {
        Self { keyword: Some(keyword.into()), ..self }
    }

    /// The same, for whom these hold.
    #[must_use]
    pub fn under(self, conditions: Conditions) -> Self {
        Self { conditions, ..self }
    }

    /// The same, announced also to those who do not meet the conditions yet.
    #[must_use]
    pub fn early(self, refusal: Reply) -> Self {
        Self { early: true, refusal: Some(refusal), ..self }
    }

    /// The keyword's name.
    pub fn keyword_name(&self) -> Option<&str> {
        self.keyword.as_deref().map(|keyword| keyword.split_once(' ').map_or(keyword, |(name, _)| name))
    }

    /// What a session is told that does not meet the conditions; none if it does, or if the verb does not exist for it.
    pub fn refuse(&self, met: Met) -> Option<Reply> {
        let reply = match met {
            Met::Yes => return None,
            Met::NeedsTls => TLS_FIRST,
            Met::NeedsAuth => AUTH_FIRST,
            Met::No => self.refusal.clone().unwrap_or(NOT_YOU),
        };
        self.early.then_some(reply)
    }
}

impl From<&str> for VerbClaim {
    fn from(verb: &str) -> Self {
        Self::new(verb)
    }
}

impl From<String> for VerbClaim {
    fn from(verb: String) -> Self {
        Self::new(&verb)
    }
}

impl Conditions {
    /// Whether they hold for a session that came from there.
    pub fn met(&self, origin: &Origin) -> Met {
        if self.tls && origin.tls.is_none() {
            return Met::NeedsTls;
        }
        if self.users.is_empty() && self.clients.is_empty() {
            return Met::Yes;
        }
        if origin.client.is_some_and(|client| self.has_client(client)) {
            return Met::Yes;
        }
        match &origin.auth {
            _ if self.users.is_empty() => Met::No,
            None => Met::NeedsAuth,
            Some(user) if self.users.iter().any(|glob| glob.matches(user)) => Met::Yes,
            Some(_) => Met::No,
        }
    }

    fn has_client(&self, client: IpAddr) -> bool {
        self.clients.iter().any(|net| net.contains(&client.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Door;

    fn origin(client: &str, user: Option<&str>) -> Origin {
        let mut origin = Origin::door(Door::Smtp);
        origin.client = client.parse().ok();
        origin.auth = user.map(Into::into);
        origin
    }

    #[test]
    fn a_client_of_the_list_or_a_user_of_the_list() {
        let conditions =
            Conditions { tls: false, users: vec![Glob::new("site-*")], clients: vec!["192.0.2.0/24".parse().unwrap()] };
        assert_eq!(conditions.met(&origin("192.0.2.9", None)), Met::Yes);
        assert_eq!(conditions.met(&origin("::ffff:192.0.2.9", None)), Met::Yes);
        assert_eq!(conditions.met(&origin("198.51.100.1", None)), Met::NeedsAuth);
        assert_eq!(conditions.met(&origin("198.51.100.1", Some("site-7"))), Met::Yes);
        assert_eq!(conditions.met(&origin("198.51.100.1", Some("mallory"))), Met::No);
        let clients = Conditions { users: Vec::new(), ..conditions.clone() };
        assert_eq!(clients.met(&origin("198.51.100.1", Some("site-7"))), Met::No);
        let tls = Conditions { tls: true, ..Conditions::default() };
        assert_eq!(tls.met(&origin("192.0.2.9", Some("x"))), Met::NeedsTls);
        assert_eq!(Conditions::default().met(&origin("192.0.2.9", None)), Met::Yes);
    }

    #[test]
    fn only_who_has_heard_of_a_verb_is_told_what_is_missing() {
        let claim = VerbClaim::new("xfoo").announced("XFOO a b");
        assert_eq!((claim.verb.as_str(), claim.keyword_name()), ("XFOO", Some("XFOO")));
        assert_eq!(claim.refuse(Met::NeedsAuth), None);
        let early = claim.early(NOT_YOU);
        assert_eq!(early.refuse(Met::NeedsAuth).map(|r| r.code()), Some(530));
        assert_eq!(early.refuse(Met::No), Some(NOT_YOU));
        assert_eq!(early.refuse(Met::Yes), None);
    }
}
