//! The integration tests, one binary. A module per subject.

mod broken;
mod dialogue;
mod dialogue_memory;
mod model;
mod oracle;
//! The integration tests, in one binary: a file per subject, and the harness that they share.
//! The integration tests, in one binary: a module per subject, and the harness that they share.

mod broken;
mod docs;
mod layers;
mod life;
mod peers;
mod quickstart;
mod server;
mod smtp_client;
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
//! The integration tests, in one binary: a file per subject, and the harness that they share.

mod layers;
mod peers;
mod server;
mod smtp_client;
mod wait;
