//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the password itself is never sent, nor kept.

pub(super) mod client;
mod keys;
pub(super) mod message;
mod server;

pub use keys::{ITERATIONS_MAX, ITERATIONS_MIN, KEY_LEN, Keys, SALT_MAX};
pub(super) use server::ScramServer;

/// The longest nonce of a peer, in octets.
const NONCE_MAX: usize = 512;
