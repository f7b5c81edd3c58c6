//! From an accepted message to its next hops.
//!
//! # Layout
//!
//! * [`queue`] keeps what is accepted and says what is due; `taken` is a message that somebody works on; [`operate`] is what an operator does to it.
//! * [`pipeline`] runs a pass: [`categorize`], [`route`], `deliver`, and records what came of it.
//! * `turns` bounds the connections to one host.
//! * [`retry`] says when to try again. `release` lets held messages go on.
//! * [`outcome`]: how a try ended, per recipient. [`deliver`]: one try at one next hop.

pub mod categorize;
pub mod deliver;
pub mod operate;
pub mod outcome;
pub mod pipeline;
pub mod queue;
mod record;
mod release;
pub mod retry;
pub mod route;
mod taken;
mod turns;

pub use operate::Operation;
pub use outcome::{Details, Outcome};
pub use queue::Queue;
