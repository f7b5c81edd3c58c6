//! The integration tests, in one binary: a module per subject, and the harness that they share.

mod broken;
mod dialogue;
mod dialogue_memory;
mod dispatcher;
mod docs;
mod faults;
mod layers;
mod life;
mod model;
mod oracle;
mod peers;
mod quickstart;
mod rules;
mod rules_model;
mod seam;
mod server;
mod smtp_client;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_model;
mod spool_power;
mod spool_space;
mod wait;
