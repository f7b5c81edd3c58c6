//! The spool: the durable store of accepted messages.
//!
//! [`Spool`] is the contract and says when 250 may be said; [`SegmentLog`] keeps it on disk, [`MemorySpool`] in memory
//! for tests. The room knows messages and nothing of events, queues or sessions. Locking the directory against a second
//! process is the caller's.
//!
//! # On disk
//!
//! ```text
//! spool/log/<number>-<marker>.seg1   segments, in the order of their numbers; each a run of frames
//! spool/blobs/<name>                 octets of large messages, each named by the records that need it
//! spool/drafts/<name>                octets being received; nothing durable, swept at start
//! spool/quarantine/                  what recovery could not read
//! ```
//!
//! # Durable states, and the operation that commits each
//!
//! | state | committed by |
//! | --- | --- |
//! | a segment is there, empty | sync of its zeros, then of `log/` (`segment`) |
//! | a large message's octets are there | sync of the draft, rename to `blobs/`, sync of `blobs/` (`draft`); they count for nothing until a record names them |
//! | a batch is in force: accepted, changed, ended | sync of its segment, once for all batches of a group (`committer`). All frames of a batch are there or it is void |
//! | a batch is refused though some of it may have been written | sync of an `Abort` in a newer segment (`trouble`) |
//! | a message has moved | sync of its `Carry`, which takes the place of all frames before it (`carry`) |
//! | a segment is gone | its removal, then sync of `log/`, strictly from the oldest on (`keeper`) |
//! | a segment is sealed | sync of its index; no promise rests on it, without it the segment is scanned (`segment`, `scan`) |
//!
//! A batch that was never acknowledged may be in force after a crash, if all of it had reached the disk; the client will
//! send that message again (RFC 1047).
//!
//! # Threads
//!
//! Tasks encode records and read messages. The `committer` alone writes the log. The `stager` syncs large messages
//! before their records go to the committer. The `keeper` makes, seals and removes segments. After a start the thread of `recover`
//! reads what was there, of which the `survey` has told how far segments and ids have come, while new mail is accepted.

mod body;
mod budget;
mod carry;
mod committer;
mod common;
pub mod draft;
pub mod fault;
mod fold;
mod frame;
pub mod health;
mod index;
pub mod json;
mod keeper;
pub mod log;
pub mod memory;
mod place;
mod quarantine;
mod read;
pub mod record;
mod recover;
mod rules;
mod scan;
mod segment;
mod stager;
pub mod store;
pub mod stored;
mod survey;
mod trouble;
mod unit;

pub use draft::Draft;
pub use fault::StoreFault;
pub use health::{Health, Usage};
pub use json::Json;
pub use log::{Options, SegmentLog};
pub use memory::MemorySpool;
pub use record::{Entry, Hold, HoldChange, Patch, RcptId, RcptState, Record, Try};
pub use store::{Claim, Fence, Found, NodeId, Outline, Spool};
pub use stored::StoredContent;
