//! The one integration binary: a module per subject.

mod broken;
//! The integration tests, one binary. A module per subject.

mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_space;
