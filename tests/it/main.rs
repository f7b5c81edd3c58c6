//! The integration tests, one binary. A module per subject.

mod broken;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_space;
//! Integration tests: one binary, a module per subject.

mod dialogue;
mod dialogue_memory;
mod model;
mod oracle;
