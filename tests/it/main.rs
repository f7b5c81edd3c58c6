//! The integration tests, in one binary: a module per subject, and the harness that they share.

mod broken;
mod dialogue;
mod dialogue_memory;
mod docs;
mod layers;
mod life;
mod model;
mod oracle;
mod peers;
mod quickstart;
mod server;
mod smtp_client;
mod dispatcher;
mod faults;
mod model;
mod oracle;
mod seam;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_model;
mod spool_power;
mod spool_space;
mod wait;
