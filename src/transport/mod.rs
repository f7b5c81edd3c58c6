//! From an accepted message to its next hops.
//!
//! # Layout
//!
//! * [`queue`] keeps what is accepted and says what is due; `taken` is a message that somebody works on; [`operate`] is what an operator does to it.
//!   `pending` knows what is to be delivered where.
//! * [`pipeline`] lets a `pass` run over what is due: `sorting` resolves recipients with [`categorize`], `division` splits, [`route`] says where each goes,
//!   [`exchange`] finds the hosts of a domain, [`deliver`] tries one next hop, `settle` makes of it what is kept, and `record` writes that.
//!   A `dossier` is the message in all of this, and raises the events; `ears` raises those of a connection, and `link` is the connection as sinks know it.
//! * [`outcome`]: how a try ended, per recipient; `end`: what else can become of one.
//! * [`report`] composes what senders are told, `reporting` knows who is owed it.
//! * [`on_demand`]: what waits to be called for.
//! * [`traffic`] bounds and shapes all that goes out.
//! * [`retry`] says when to try again. `release` lets held messages go on. `align` keeps states with their recipients. `wishes`: what senders
//!   ask of the way.
//! * [`verify`]: whether a recipient exists at the next hop.

mod align;
pub mod categorize;
pub mod deliver;
mod division;
mod dossier;
mod ears;
mod end;
pub mod exchange;
mod link;
pub mod on_demand;
pub mod operate;
pub mod outcome;
mod pass;
mod pending;
pub mod pipeline;
pub mod queue;
mod record;
mod release;
pub mod report;
mod reporting;
pub mod retry;
pub mod route;
pub mod security;
mod settle;
mod sorting;
mod taken;
pub mod traffic;
pub mod verify;
mod wishes;

pub use operate::Operation;
pub use outcome::{Details, Outcome};
pub use queue::Queue;
pub use wishes::Request;
