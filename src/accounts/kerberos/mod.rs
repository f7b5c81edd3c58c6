//! Kerberos, as far as AUTH GSSAPI needs it: who a ticket is of, and whose keys a keytab has.
//!
//! The library that computes stands behind [`Acceptor`], and is part of programs built with the feature `gssapi` only. Whatever
//! it does may block; [`Checker`](super::Checker) does it off the event loop.
//!
//! # Layout
//! * [`keytab`]: the file of a service's keys; [`principal`]: a client's name and which user has it
//! * `library`: the system's Kerberos

pub mod keytab;
#[cfg(feature = "gssapi")]
pub mod library;
pub mod principal;

use crate::sasl::gssapi::{Ask, Told};
use std::ffi::OsString;
use std::path::Path;

/// Opens security contexts.
pub trait Acceptor: Send + Sync {
    /// One for a client that has not shown a ticket yet. Blocks. The error says to the operator what is wrong here.
    fn open(&self, keys: &Service) -> Result<Box<dyn Context>, String>;
}

/// A security context in the making.
pub trait Context: Send + Sync {
    /// Answers. Blocks. What is wrong with what the client sent is [`Told::Refused`], and told to the log here.
    fn tell(&mut self, ask: Ask) -> Told;
}

/// As which service tickets are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Where its keys are, as an absolute path.
    pub keytab: std::path::PathBuf,
    /// `smtp@host`. Nothing: under whatever name of `smtp` the keytab has keys for.
    pub name: Option<String>,
}

/// The environment variable by which Kerberos finds its keys.
pub const VARIABLE: &str = "KRB5_KTNAME";

/// What that variable has to be for a keytab.
pub fn value(keytab: &Path) -> OsString {
    let mut value = OsString::from("FILE:");
    value.push(keytab);
    value
}
