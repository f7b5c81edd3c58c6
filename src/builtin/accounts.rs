//! Whose mail an authenticated user may call for: the configuration of `atrn` and `turn`, and what both of them answer.

use super::scopes::ScopeText;
use crate::event::glob::Glob;
use crate::event::host::{QueueOf, Scope};
use crate::event::{CommandAnswer, Conditions, Scene};
use crate::mail::{EnhancedCode, Reply};
use serde::Deserialize;

const HELLO_FIRST: Reply = Reply::new(503, EnhancedCode(5, 5, 1), "Say EHLO first");
const IN_MAIL: Reply = Reply::new(503, EnhancedCode(5, 5, 1), "Transaction is open; finish it or send RSET");
/// What a user is told who calls for what is not his (RFC 2645 5.2.1).
pub(super) const REFUSED: Reply = Reply::new(450, EnhancedCode(4, 7, 1), "ATRN request refused");
const NOT_NOW: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "Unable to process the request now");
const NO_MAIL: Reply = Reply::new(453, EnhancedCode(4, 5, 0), "You have no mail");
const TURNING: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "OK now reversing the connection");

/// `[[sink.config.account]]`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AccountConfig {
    /// The user as he authenticates.
    user: String,
    /// The domains that are his.
    domains: Vec<ScopeText>,
}

/// The accounts, and the queue that holds their mail.
pub(super) struct Accounts {
    queue: QueueOf,
    all: Vec<(String, Vec<Scope>)>,
}

impl Accounts {
    /// Checks them.
    pub(super) fn new(accounts: Vec<AccountConfig>, queue: Option<QueueOf>) -> Result<Self, String> {
        let queue = queue.ok_or("it needs the queue: write `[sink.allow]` with `queue = true`")?;
        if accounts.is_empty() {
            return Err(
                "nobody could call for mail: give it `account`, a list of tables with `user` and `domains`".into()
            );
        }
        let mut all: Vec<(String, Vec<Scope>)> = Vec::new();
        for AccountConfig { user, domains } in accounts {
            if user.is_empty() || user.contains(['*', '?']) {
                return Err(format!("`{user}` is not the name of one user: an account is one user's"));
            }
            if domains.is_empty() {
                return Err(format!("the account of `{user}` has no `domains`"));
            }
            if all.iter().any(|(other, _)| *other == user) {
                return Err(format!("there are two accounts of `{user}`: keep one, with the domains of both"));
            }
            all.push((user, domains.into_iter().map(|scope| scope.0).collect()));
        }
        Ok(Self { queue, all })
    }

    /// Only to these users.
    pub(super) fn conditions(&self, tls: bool) -> Conditions {
        Conditions { tls, users: self.all.iter().map(|(user, _)| Glob::new(user)).collect(), clients: Vec::new() }
    }

    /// What the user's domains are.
    pub(super) fn of(&self, scene: &Scene<'_>) -> Option<&[Scope]> {
        let user = scene.origin.auth.as_deref()?;
        self.all.iter().find(|(name, _)| name == user).map(|(_, scopes)| scopes.as_slice())
    }

    /// Turns the connection, if something waits for these domains.
    pub(super) fn call(&self, scopes: &[Scope], scene: &Scene<'_>) -> CommandAnswer {
        if scene.origin.helo.is_none() {
            return HELLO_FIRST.into();
        }
        if scene.transaction.is_some() {
            return IN_MAIL.into();
        }
        match self.queue.get().map(|queue| queue.waiting(scopes)) {
            Ok(0) => NO_MAIL.into(),
            Ok(_) => CommandAnswer::Turn { reply: TURNING, domains: scopes.iter().map(Scope::to_string).collect() },
            Err(fault) => {
                tracing::warn!("mail is called for, and the queue is not there: {fault}");
                NOT_NOW.into()
            }
        }
    }
}
