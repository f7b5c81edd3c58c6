//! The spool: the durable store of accepted messages.
//!
//! [`Spool`] is the contract and says when 250 may be said; [`SegmentLog`] keeps it on disk, [`MemorySpool`] in memory
//! for tests.

mod budget;
pub mod disk;
pub mod draft;
pub mod fault;
pub mod file;
pub mod health;
pub mod json;
pub mod memory;
mod place;
pub mod record;
mod rules;
pub mod store;
pub mod stored;

pub use disk::Disk;
pub use draft::Draft;
pub use fault::StoreFault;
pub use file::{File, Files};
pub use health::{Health, Usage};
pub use json::Json;
pub use memory::MemorySpool;
pub use record::{Entry, Hold, HoldChange, Patch, RcptId, RcptState, Record, Try};
pub use store::{Fence, NodeId, Spool};
pub use stored::StoredContent;
