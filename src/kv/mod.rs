//! Small durable values for sinks: what stands behind [`Kv`](crate::event::host::Kv).
//!
//! [`Store`] keeps them in one file, [`MemoryKv`] for as long as the process lives. A contract suite runs against both.

mod disk;
mod memory;
mod overlay;
mod rules;
mod share;
mod signal;
mod store;
mod writer;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod trouble;

pub use disk::OpenError;
pub use memory::MemoryKv;
pub use rules::{Quota, Usage};
pub use store::Store;
