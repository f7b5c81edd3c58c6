//! SASL (RFC 4422): the mechanisms of both sides, as machines that do no input or output.
//!
//! A mechanism takes and gives octets, already without base64. It knows no user: what a client claims is handed out as a
//! [`Claim`], and whoever drives the machine finds out whether it holds. Every length is bounded by [`MESSAGE_MAX`] and the
//! limits beside it. Passwords and tokens are [`Hidden`]: nothing prints them, and their memory is wiped.
//!
//! The mechanisms are our own. Of rsasl 2.3.1, which was read for this, the SCRAM server tells an unknown user from a wrong
//! password, leaves escaped names as they are and compares keys in a time that depends on them; and its callbacks can't wait.
//!
//! # Layout
//! * [`mechanism`]: the names; [`server`]: the machine's steps and [`server::start`]; [`claim`]: what a client claims
//! * the server's side: `plain`, `login`, `external`, `oauth`, [`gssapi`], and [`scram`] with its keys and messages
//! * [`client`]: the client's side; [`prep`]: SASLprep

pub mod claim;
pub mod client;
mod external;
pub mod gssapi;
mod hidden;
mod login;
pub mod mechanism;
mod oauth;
mod plain;
pub mod prep;
pub mod scram;
pub mod server;

pub use claim::Claim;
pub use hidden::Hidden;
pub use mechanism::Mechanism;
pub use server::{Binding, Failure, Server, Setup, Step};

/// The largest message of a mechanism, in octets; with base64 it fits the 12288 octets of a line (RFC 4954 4).
pub const MESSAGE_MAX: usize = 9216;
/// The longest name of a user, in octets.
pub const NAME_MAX: usize = 255;
/// The longest password, in octets. Hashing takes longer for longer ones.
pub const PASSWORD_MAX: usize = 1024;
