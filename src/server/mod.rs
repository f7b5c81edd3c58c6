//! Inbound I/O: listeners, connections, and the questions that the protocol machine asks.
//!
//! # Layout
//!
//! * [`listener`] accepts and counts, [`gate`] keeps the counts.
//! * [`connection`] reads and writes octets and drives the machine, [`pace`] knows how long it may take.
//! * [`ask`] turns the machine's questions into guards and events, `ask_mail` and `ask_command` those about a
//!   transaction and about other verbs, `verify` those to next hops; `answer` maps decisions to answers; [`mail`] is the transaction while it is open.

mod answer;
mod ask;
mod ask_command;
mod ask_mail;
mod connection;
mod gate;
mod guard;
pub mod listener;
mod mail;
mod pace;
mod peek;
mod verify;

pub use gate::Gate;
pub use guard::Room;
pub use listener::{Server, run};
