//! The client's side: what we answer when a server asks us who we are.
//!
//! The driver sends `AUTH NAME` with [`Client::initial`], decodes each 334 and sends what [`Client::respond`] makes of it, or
//! `*` if that fails; after 235 it calls [`Client::finish`], and does not go on if that fails.

use super::mechanism::Mechanism;
use super::scram::client::ScramClient;
use super::{Binding, Hidden};
use std::fmt;

/// Who we are to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Our name there. Empty if a certificate says it.
    pub user: String,
    /// Whom to be taken for, if not for the user.
    pub authzid: Option<String>,
    /// How to show it.
    pub proof: Proof,
}

/// How we show who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// The certificate of our side of the TLS connection: EXTERNAL.
    #[default]
    Certificate,
    /// A password: SCRAM, PLAIN, LOGIN.
    Password(Hidden),
    /// A bearer token: OAUTHBEARER, XOAUTH2.
    Token(Hidden),
}

/// Why an exchange can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Our own name or password can't be sent.
    Unfit,
    /// The server did what it should not.
    Server(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit => f.write_str("the user name or password has characters that it may not have"),
            Self::Server(why) => write!(f, "the server can't be trusted: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// One exchange.
pub trait Client: Send {
    /// What goes with the command. Nothing: the server asks first. Empty: `=` is sent.
    fn initial(&mut self) -> Option<Vec<u8>>;

    /// The response to a challenge.
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Fault>;

    /// The server has said that all is well; whether it may.
    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// The best of the offered mechanisms for what we have to show. Those that show the password or token only if `secure`.
pub fn choose<'a>(
    offered: impl IntoIterator<Item = &'a str>,
    proof: &Proof,
    secure: bool,
    binding: &Binding,
) -> Option<Mechanism> {
    use Mechanism::{External, Login, OauthBearer, Plain, ScramSha256, ScramSha256Plus, Xoauth2};
    let usable: &[Mechanism] = match proof {
        Proof::Certificate => &[External],
        Proof::Password(_) => &[ScramSha256Plus, ScramSha256, Plain, Login],
        Proof::Token(_) => &[OauthBearer, Xoauth2],
    };
    let offered: Vec<Mechanism> = offered.into_iter().filter_map(Mechanism::named).collect();
    let fits = |m: &Mechanism| {
        offered.contains(m) && (secure || !m.is_clear()) && (*m != ScramSha256Plus || !binding.is_empty())
    };
    usable.iter().copied().find(fits)
}

/// The machine of a mechanism. `nonce` is as in [`Setup`](super::Setup). Nothing if mechanism and proof don't fit.
pub fn start(
    mechanism: Mechanism,
    login: &Login,
    nonce: String,
    binding: &Binding,
) -> Result<Option<Box<dyn Client>>, Fault> {
    let authzid = login.authzid.as_deref();
    Ok(Some(match (mechanism, &login.proof) {
        (Mechanism::Plain, Proof::Password(password)) => {
            once(Hidden::new(format!("{}\0{}\0{}", authzid.unwrap_or_default(), login.user, password.expose())))
        }
        (Mechanism::Login, Proof::Password(password)) => {
            Box::new(Asked(vec![password.clone(), Hidden::new(login.user.as_str())]))
        }
        (Mechanism::ScramSha256, Proof::Password(password)) => {
            Box::new(ScramClient::new(&login.user, password, authzid, nonce, None)?)
        }
        (Mechanism::ScramSha256Plus, Proof::Password(password)) => {
            let Some(bound) = bound(binding) else { return Ok(None) };
            Box::new(ScramClient::new(&login.user, password, authzid, nonce, Some(bound))?)
        }
        (Mechanism::External, Proof::Certificate) => once(Hidden::new(authzid.unwrap_or(&login.user))),
        (Mechanism::Xoauth2, Proof::Token(token)) => {
            once(Hidden::new(format!("user={}\u{1}auth=Bearer {}\u{1}\u{1}", login.user, token.expose())))
        }
        (Mechanism::OauthBearer, Proof::Token(token)) => {
            let user = super::scram::message::escape(&login.user);
            let token = token.expose();
            once(Hidden::new(format!("n,a={user},\u{1}auth=Bearer {token}\u{1}\u{1}")))
        }
        _ => return Ok(None),
    }))
}

fn bound(binding: &Binding) -> Option<(&'static str, &[u8])> {
    ["tls-exporter", "tls-server-end-point"].into_iter().find_map(|kind| Some((kind, binding.data(kind)?)))
}

fn once(message: Hidden) -> Box<dyn Client> {
    Box::new(Once(Some(message)))
}

/// All is in the initial response. A challenge after it is an error that the server explains (RFC 7628 3.2.3): it is
/// answered with nothing, and the reply follows.
struct Once(Option<Hidden>);

impl Client for Once {
    fn initial(&mut self) -> Option<Vec<u8>> {
        self.0.take().map(|message| message.expose().as_bytes().to_vec())
    }

    fn respond(&mut self, _: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(self.initial().unwrap_or_default())
    }
}

/// LOGIN: whatever the prompts are, the name is asked first, then the password.
struct Asked(Vec<Hidden>);

impl Client for Asked {
    fn initial(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn respond(&mut self, _: &[u8]) -> Result<Vec<u8>, Fault> {
        let answer = self.0.pop().ok_or(Fault::Server("it asked more than name and password"))?;
        Ok(answer.expose().as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests;
