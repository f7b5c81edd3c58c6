//! Inbound I/O: listeners, connections, and the questions that the protocol machine asks.
//!
//! # Layout
//!
//! * [`listener`] accepts and counts, [`gate`] keeps the counts, [`proxy`] reads the headers of proxies, `arrival` says who is
//!   behind a connection.
//! * [`connection`] reads and writes octets and drives the machine, [`pace`] knows how long it may take.
//! * [`wire`] is the stream, encrypted or not; [`secure`] what a handshake means for the session, and [`handshakes`] counts them.
//! * [`ask`] turns the machine's questions into guards and events, `ask_mail` and `ask_command` those about a
//!   transaction and about other verbs, `verify` those to next hops, `wishes` grants what clients ask of the way,
//!   `ask_xclient` hears what proxies say of their clients, whom `trust` knows; `submission` is for its role;
//!   `ask_auth` lets users in, as `login` decides with what [`logins`] has for all connections, `tickets` those of Kerberos; `answer` maps
//!   decisions to answers; [`mail`] is the transaction while it is open.

mod answer;
mod arrival;
mod ask;
mod ask_auth;
mod ask_claimed;
mod ask_command;
mod ask_mail;
mod ask_xclient;
mod connection;
mod gate;
mod guard;
mod handshakes;
pub mod listener;
mod login;
mod logins;
mod mail;
mod pace;
mod peek;
pub mod proxy;
mod secure;
mod submission;
mod tickets;
mod trust;
mod verify;
mod wire;
mod wishes;

pub use gate::Gate;
pub use guard::Room;
pub use handshakes::Handshakes;
pub use listener::{Server, run};
pub use logins::Logins;
