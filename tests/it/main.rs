//! The integration tests, one binary. A module per subject.

mod broken;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_space;
