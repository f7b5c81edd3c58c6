//! What a sink adds to the protocol, and for whom.

use crate::Reply;

/// What a sink adds to the protocol. Asked once, when the sink is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Verbs, raised as `in.command`.
    pub verbs: Vec<VerbClaim>,
    /// Parameters of MAIL.
    pub mail_params: Vec<String>,
    /// Parameters of RCPT.
    pub rcpt_params: Vec<String>,
    /// SASL mechanisms, each step of which is raised as `in.auth`.
    pub auth_mechanisms: Vec<String>,
    /// EHLO keywords, with their arguments.
    pub keywords: Vec<String>,
}

/// A verb of the sink's own. To those for whom its conditions do not hold it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerbClaim {
    /// The verb.
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
    /// Only to users who have authenticated, and whose name is one of these, or matches one: `*` is any run of characters.
    /// Empty: users are not asked for.
    pub users: Vec<String>,
    /// Or only to clients of these networks, such as `192.0.2.0/24`, authenticated or not. Empty: clients are not asked for.
    pub clients: Vec<String>,
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
