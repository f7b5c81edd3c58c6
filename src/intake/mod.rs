//! Where every door ends: the trace field, `transport.submit`, the commit, and what became of it all.
//!
//! A door hands over a transaction with its message and gets a [`Receipt`]. If that says accepted, the message is on
//! stable storage and its id may be told; if it says refused, nothing was kept but the ledger.

pub mod account;
pub mod addressing;
pub mod badmail;
pub mod compose;
pub mod generate;
pub mod history;
pub mod letter;
pub mod line_ends;
pub mod local;
mod received;
mod report;
mod rotated;
mod submit;
pub mod track;
pub mod visit;
mod wishes;

pub use account::{Account, RecipientAccount, State};
pub use badmail::Badmail;
pub use generate::{Brood, Nursery};
pub use history::History;
pub use received::Trace;
pub use report::Reported;
pub use submit::{Intake, Mark, Receipt, Submission};
pub(crate) use submit::{hold_at, settle};
pub use track::Step;
pub use visit::{Reports, Visit};
pub use wishes::set_priority;
