//! One user.

use super::hash::Hash;
use crate::mail::Glob;
use crate::sasl::scram::Keys;
use std::sync::Arc;

/// One user of the user file.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// As it stands in the file: what rules see as `auth`.
    pub name: Arc<str>,
    /// The hash of the password.
    pub hash: Option<Hash>,
    /// What SCRAM needs to know of the password.
    pub keys: Option<Box<Keys>>,
    /// SHA-256 of certificates that are as good as a password, as 64 hexadecimal digits.
    pub certificates: Vec<Arc<str>>,
    /// Whether the user may not come in at present: `!`.
    pub disabled: bool,
    /// The sender addresses that the user may use. Nothing: those of his own name.
    pub senders: Option<Vec<Glob>>,
}

impl Account {
    /// A user of whom nothing is known yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), hash: None, keys: None, certificates: Vec::new(), disabled: false, senders: None }
    }

    /// Whether a password can be checked.
    pub fn has_password(&self) -> bool {
        !self.disabled && (self.hash.is_some() || self.keys.is_some())
    }

    /// Whether this prepared password is the one. Blocks for as long as hash or keys cost.
    pub fn is_of(&self, password: &str) -> bool {
        match (&self.hash, &self.keys) {
            (Some(hash), _) => hash.is_of(password),
            (None, Some(keys)) => keys.are_of(password),
            (None, None) => false,
        }
    }
}
