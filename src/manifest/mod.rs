//! The manifest: where sinks are registered.
//!
//! [`schema`] reads `sinks.toml` or `.json` and everything that it includes into plain data with places. What the names
//! in it mean (events, rules, native sinks) [`build`] finds out. [`load`] does both for configuration and manifest together,
//! [`reload`] puts the result in force while the server runs, [`watch`] says when, [`keep`] remembers the last good one.

mod binding_schema;
pub mod build;
pub mod edit;
mod include;
pub mod keep;
pub mod load;
pub mod reload;
pub mod schema;
mod sink_schema;
mod supplies;
pub mod watch;

pub use crate::event::Reuse;
pub use binding_schema::BindingDecl;
pub use schema::{Manifest, ManifestFile};
pub use sink_schema::{Allow, SinkDecl, SinkLimits, Source, TableDecl};
