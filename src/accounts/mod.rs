//! Accounts: the users of the user file, their passwords, and how often one may guess.
//!
//! # Layout
//! * [`table`]: all users, and whether what a client claims holds; [`account`]: one of them
//! * [`read`]: the user file's lines; [`hash`]: the kinds of hashes
//! * [`checker`]: checks passwords off the event loop; [`lockout`]: counts failures by user and network
//! * [`kerberos`]: tickets, keytabs, and whose they are
//! * [`network`]: a client's neighbourhood

pub mod account;
pub mod checker;
pub mod hash;
pub mod kerberos;
pub mod lockout;
pub mod network;
pub mod read;
pub mod table;

pub use account::Account;
pub use checker::{Busy, Checker};
pub use hash::Hash;
pub use lockout::{Locked, Lockout, Rules, Ticket};
pub use network::Network;
pub use table::Accounts;
