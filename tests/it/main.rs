//! The integration tests, in one binary: a module per subject, and the harness that they share.

mod auth;
mod bounded;
mod broken;
mod cli;
#[cfg(feature = "wasm")]
mod cli_author;
mod cli_sink;
mod cli_tail;
mod cli_traffic;
#[cfg(feature = "wasm")]
mod cli_upgrade;
mod crash;
mod crash_reports;
mod dialogue;
mod dialogue_memory;
mod dialogue_socket;
mod disk;
mod dispatcher;
mod docs;
mod drain;
mod examples;
mod faults;
mod full;
mod generated;
#[cfg(feature = "gssapi")]
mod gssapi;
mod hold;
mod hop;
mod inside;
mod internet;
mod layers;
mod life;
mod limits;
mod logged;
mod model;
#[cfg(feature = "wasm")]
mod modules;
mod on_demand;
mod oracle;
mod own_sinks;
mod peers;
mod pickup;
mod policies;
mod proxies;
mod quickstart;
#[path = "../reference/mod.rs"]
mod reference;
mod reload;
mod rules;
mod rules_cases;
mod rules_model;
#[cfg(feature = "wasm")]
mod sandbox;
mod seam;
mod sendmail;
mod server;
mod smtp_client;
mod spool;
mod spool_contract;
mod spool_damage;
mod spool_faults;
mod spool_kinds;
mod spool_model;
mod spool_power;
mod spool_recovery;
mod spool_space;
mod stops;
mod stream;
mod submission;
mod tls;
mod transport_faults;
mod transport_power;
mod turns;
mod two_servers;
mod verbs;
mod wait;
#[cfg(feature = "wasm")]
mod watched;
mod wishes;
#[cfg(feature = "wasm")]
mod wit;
