//! Whether what a client claims holds: sinks first, then the user file, certificates, or the endpoint that knows tokens.

use super::ask::Asker;
use super::ask_auth::TEMPORARY;
use crate::accounts::Account;
use crate::config::Secret;
use crate::event::{Answer as SinkAnswer, Credentials, Decision, Event, Focus, Identity, Login, Proof};
use crate::mail::{Glob, PeerCertificate, Reply};
use crate::sasl::{Claim, Hidden, prep};
use std::sync::Arc;

/// What came out.
pub(super) enum Verdict {
    /// It holds, and this is who the client is.
    Is(Identity),
    /// It does not.
    Refused(Refused),
    /// Nobody knows at present.
    Unknown(Reply),
    /// A sink wants the session closed.
    Gone(Reply),
}

/// A refusal.
pub(super) struct Refused {
    /// A sink's own reply.
    pub(super) reply: Option<Reply>,
    /// For the operator.
    pub(super) why: &'static str,
}

pub(super) fn refused(why: &'static str) -> Verdict {
    Verdict::Refused(Refused { reply: None, why })
}

impl Asker {
    /// Whether the claim holds.
    pub(super) async fn check(&mut self, claim: &Claim) -> Verdict {
        let mechanism = self.exchange.as_ref().map(|exchange| exchange.mechanism().to_owned()).unwrap_or_default();
        let proof = match claim {
            Claim::Password { password, .. } => Proof::Password(Secret::new(password.expose())),
            Claim::Token { token, .. } => Proof::Token(Secret::new(token.expose())),
            Claim::Proven { .. } | Claim::Principal { .. } => Proof::Proven,
            Claim::External { .. } => Proof::Certificate,
        };
        let (user, authzid) = (claim.user().map(ToOwned::to_owned), claim.authzid().map(ToOwned::to_owned));
        let credentials = Credentials { mechanism, user, authzid, proof };
        let decision = self.raise(Event::InAuth, Focus::Credentials(&credentials)).await;
        if let Some(verdict) = self.of_decision(decision) {
            return verdict;
        }
        match claim {
            Claim::Password { user, password, .. } => self.by_password(user, password, claim.authzid()).await,
            Claim::Proven { user, .. } => self.by_keys(user, claim.authzid()),
            Claim::External { authzid } => self.by_certificate(authzid.as_deref()),
            Claim::Principal { authzid, principal } => self.by_ticket(principal, authzid.as_deref()),
            Claim::Token { user, token } => self.by_token(user.as_deref(), token).await,
        }
    }

    /// What sinks made of it; nothing if they leave it to the server.
    pub(super) fn of_decision(&self, decision: Decision) -> Option<Verdict> {
        Some(match decision {
            Decision::Answer(SinkAnswer::Login(Login::Identity(identity))) if identity.is_sound() => {
                Verdict::Is(identity)
            }
            Decision::Answer(_) => {
                tracing::error!(session = %self.state.id, "a sink answered at in.auth with what can't be used: an identity without a proper name, or a challenge that does not belong there");
                Verdict::Unknown(TEMPORARY)
            }
            Decision::Reject(reply) => Verdict::Refused(Refused { reply: Some(reply), why: "a sink refuses" }),
            Decision::Defer(reply, _) => Verdict::Unknown(reply),
            Decision::Disconnect(reply) => Verdict::Gone(reply),
            Decision::Proceed | Decision::Discard | Decision::Hold { .. } => return None,
        })
    }

    async fn by_password(&self, user: &str, password: &Hidden, authzid: Option<&str>) -> Verdict {
        let Some(accounts) = self.snapshot.settings.auth.accounts.clone() else {
            return refused("there is no user file, and no sink let the user in");
        };
        let checked = self.server.logins.checker.check(accounts, user.to_owned(), password.clone()).await;
        match checked {
            Err(_) => {
                tracing::warn!(session = %self.state.id, "a login is put off: too many passwords are being checked");
                Verdict::Unknown(TEMPORARY)
            }
            Ok(checked) => match checked.user {
                Some(_) if authzid.is_some() => refused("the user may not act for another"),
                Some(user) => Verdict::Is(Identity::of(&*user)),
                None => refused("no such user, or the password is wrong"),
            },
        }
    }

    /// The proof was made with the user's keys: there is one.
    fn by_keys(&self, user: &str, authzid: Option<&str>) -> Verdict {
        match self.account(user) {
            Some(_) if authzid.is_some() => refused("the user may not act for another"),
            Some(account) => Verdict::Is(Identity::of(&*account.name)),
            None => refused("the user has gone meanwhile"),
        }
    }

    fn account(&self, name: &str) -> Option<&Account> {
        self.snapshot.settings.auth.accounts.as_ref()?.find(name).filter(|account| !account.disabled)
    }

    /// The certificate that the client has shown.
    pub(super) fn peer_certificate(&self) -> Option<&PeerCertificate> {
        self.origin.tls.as_ref()?.peer.as_ref()
    }

    /// A certificate is a user's if his line has its fingerprint, or if an authority vouches for it and it has his name.
    fn by_certificate(&self, authzid: Option<&str>) -> Verdict {
        let Some(peer) = self.peer_certificate() else { return refused("the client showed no certificate") };
        let fits = |account: &&Account| {
            let pinned = account.certificates.iter().any(|print| **print == *peer.fingerprint);
            pinned || (peer.verified && peer.identities().any(|name| name.eq_ignore_ascii_case(&account.name)))
        };
        let found = match authzid {
            Some(name) => self.account(name).filter(fits),
            None => {
                let names = peer.identities().filter(|_| peer.verified);
                let accounts = self.snapshot.settings.auth.accounts.as_ref();
                accounts.and_then(|accounts| accounts.of_certificate(&peer.fingerprint, names))
            }
        };
        found.map_or(refused("the certificate is of no user"), |account| Verdict::Is(Identity::of(&*account.name)))
    }

    async fn by_token(&self, user: Option<&str>, token: &Hidden) -> Verdict {
        let Some(endpoint) = &self.snapshot.settings.auth.introspection else {
            return refused("nobody knows tokens: there is no introspection endpoint, and no sink let the user in");
        };
        match self.server.logins.token(endpoint, token).await {
            Err(why) => {
                tracing::warn!(session = %self.state.id, url = endpoint.url, "the introspection endpoint can't tell: {why}");
                Verdict::Unknown(TEMPORARY)
            }
            Ok(None) => refused("the token is not active"),
            Ok(Some(name)) => match prep::name(&name) {
                Some(name) if user.is_none_or(|user| user.eq_ignore_ascii_case(&name)) => {
                    // As the user file has it, if it is there.
                    let known = self.account(&name).map(|account| account.name.to_string());
                    Verdict::Is(Identity::of(known.unwrap_or(name)))
                }
                _ => refused("the token is somebody else's"),
            },
        }
    }

    /// The sender addresses that a user may use, if anybody has said so.
    pub(super) fn senders_of(&self, identity: &Identity) -> Option<Arc<[Glob]>> {
        match &identity.senders {
            Some(list) => Some(list.iter().map(|text| Glob::new(text)).collect()),
            None => self.account(&identity.user)?.senders.as_deref().map(Into::into),
        }
    }
}
