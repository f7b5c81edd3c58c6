//! Credentials on the way out: which mechanism of SASL they are used with, as the client's machine asks.
//!
//! What would show a password or token is used under TLS alone. A certificate of ours goes with EXTERNAL.

use crate::sasl::client::{self, Login, Proof};
use crate::sasl::{Binding, Hidden, Mechanism};
use crate::smtp::client::{Authenticator, Credentials, Opening};
use std::fmt;

/// Octets of a nonce, before they are written in hexadecimal.
const NONCE: usize = 18;

/// An authenticator with these credentials. `binding` is what ties it to the connection's TLS.
pub(super) fn authenticator(credentials: &Credentials, binding: Binding) -> Box<dyn Authenticator> {
    let secret = Hidden::new(credentials.secret.as_str());
    let proof = match credentials.mechanism.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("XOAUTH2" | "OAUTHBEARER") => Proof::Token(secret),
        Some("EXTERNAL") => Proof::Certificate,
        _ => Proof::Password(secret),
    };
    let login = Login { user: credentials.user.clone(), authzid: None, proof };
    Box::new(Sasl { login, only: credentials.mechanism.clone(), binding, exchange: None })
}

struct Sasl {
    login: Login,
    /// The one mechanism that may be used, if only one may.
    only: Option<String>,
    binding: Binding,
    exchange: Option<Box<dyn client::Client>>,
}

impl Authenticator for Sasl {
    fn choose(&mut self, offered: &[String], secure: bool) -> Result<Opening, String> {
        let may = |name: &&str| self.only.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(name));
        let candidates: Vec<&str> = offered.iter().map(String::as_str).filter(may).collect();
        let chosen = client::choose(candidates, &self.login.proof, secure, &self.binding);
        let mechanism = chosen.ok_or_else(|| self.nothing_fits(offered, secure))?;
        let exchange = client::start(mechanism, &self.login, nonce()?, &self.binding).map_err(|e| e.to_string())?;
        let mut exchange =
            exchange.ok_or_else(|| format!("{} does not go with what we have to show", name(mechanism)))?;
        let initial = exchange.initial();
        self.exchange = Some(exchange);
        Ok(Opening { mechanism: name(mechanism).to_owned(), initial })
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String> {
        let exchange = self.exchange.as_mut().ok_or("no exchange has begun")?;
        exchange.respond(challenge).map_err(|fault| fault.to_string())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.exchange.as_mut().map_or(Ok(()), |exchange| exchange.finish()).map_err(|fault| fault.to_string())
    }
}

impl Sasl {
    fn nothing_fits(&self, offered: &[String], secure: bool) -> String {
        let ours = self.only.as_deref().unwrap_or("those that go with our credentials");
        let list = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
        let why = if secure { "" } else { "; without TLS none that shows the password is used" };
        format!("of the mechanisms that it offers ({list}) we can use none, wanted: {ours}{why}")
    }
}

fn name(mechanism: Mechanism) -> &'static str {
    mechanism.name()
}

fn nonce() -> Result<String, String> {
    let mut octets = [0; NONCE];
    getrandom::fill(&mut octets).map_err(|error| format!("the system gives no random octets: {error}"))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Without the secret.
impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sasl").field("user", &self.login.user).finish_non_exhaustive()
    }
}
