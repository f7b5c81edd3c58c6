//! TLS: rustls with aws-lc-rs, and nothing else.
//!
//! Every configuration is given the one provider explicitly; nothing is installed for the process, so that no crate can bring
//! another one in behind our back. TLS 1.2 and 1.3; nothing older exists here.
//!
//! # Layout
//! * [`provider`]: the cryptography.
//! * [`certificate`]: what is read out of a certificate. `pem`, `key`, `pair`, `authorities`: files, and what is wrong with them.
//! * [`client`]: what a connection that we open has to prove, and its handshake.
//! * [`server`]: what a listener has in force. `store`: which certificate is shown. `clients`: what clients may show.
//! * `kept`: certificates that the server has fetched. [`challenge`]: what it shows to who issues them. `failure`: why a handshake failed.

mod authorities;
pub mod certificate;
pub mod challenge;
pub mod client;
mod clients;
mod failure;
mod kept;
mod key;
mod pair;
mod pem;
mod provider;
pub mod server;
mod store;
mod version;

pub use challenge::Challenges;
pub use failure::failure;
pub use kept::Kept;
pub use provider::provider;
pub use server::{Secured, Server, check};
