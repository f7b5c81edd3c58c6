//! Who clients are: credentials as a guest sees them, and what it answers to them.

use super::state::{limit, trap};
use crate::event::{Credentials, Identity, Login, Proof};
use crate::sasl::{MESSAGE_MAX, NAME_MAX};
use mailsluice_wit::mailsluice::sink::types;

/// Sender addresses, or patterns of them, of one user.
const SENDERS_MAX: usize = 1000;
/// The longest of them, in octets.
const SENDER_MAX: usize = 1024;

/// Credentials, as a guest sees them. Secrets are among them: it is bound to `in.auth` to decide about them.
pub(super) fn credentials(presented: &Credentials) -> types::Credentials {
    let Credentials { mechanism, user, authzid, proof } = presented;
    types::Credentials {
        mechanism: mechanism.clone(),
        user: user.clone(),
        authzid: authzid.clone(),
        proof: match proof {
            Proof::Password(secret) => types::Proof::Password(secret.expose().to_owned()),
            Proof::Token(secret) => types::Proof::Token(secret.expose().to_owned()),
            Proof::Proven => types::Proof::Proven,
            Proof::Certificate => types::Proof::Certificate,
            Proof::Step { number, octets } => {
                let octets = octets.as_ref().map(|octets| octets.to_vec());
                types::Proof::Step(types::AuthStep { number: *number, octets })
            }
        },
    }
}

/// Who a client is, as a guest says.
pub(super) fn identity(said: types::Identity) -> wasmtime::Result<Login> {
    let identity = Identity { user: said.user, senders: said.senders };
    if !identity.is_sound() {
        return Err(trap(format!("the user has to be 1 to {NAME_MAX} octets without control characters")));
    }
    for sender in identity.senders.iter().flatten() {
        if sender.len() > SENDER_MAX {
            let text = format!("a sender address has {} octets, and {SENDER_MAX} are allowed", sender.len());
            return Err(limit(text));
        }
    }
    match identity.senders.as_ref().map(Vec::len) {
        Some(count) if count > SENDERS_MAX => {
            Err(limit(format!("the user has {count} sender addresses, and {SENDERS_MAX} are allowed")))
        }
        _ => Ok(Login::Identity(identity)),
    }
}

/// A challenge of a claimed mechanism.
pub(super) fn challenge(octets: Vec<u8>) -> wasmtime::Result<Login> {
    if octets.len() > MESSAGE_MAX {
        return Err(limit(format!("the challenge has {} octets, and {MESSAGE_MAX} are allowed", octets.len())));
    }
    Ok(Login::Challenge(octets.into()))
}
