//! The integration tests, one binary. A module per subject.

mod broken;
mod dialogue;
mod dialogue_memory;
mod model;
mod oracle;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_space;
