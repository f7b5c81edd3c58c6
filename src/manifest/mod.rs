//! The manifest: where sinks are registered.
//!
//! [`schema`] reads `sinks.toml` or `.json` and everything that it includes into plain data with places. What the names
//! in it mean (events, rules, native sinks, modules) is not known here.

mod binding_schema;
mod include;
pub mod schema;
mod sink_schema;

pub use binding_schema::BindingDecl;
pub use schema::{Manifest, ManifestFile};
pub use sink_schema::{Allow, Reuse, SinkDecl, SinkLimits, Source, TableDecl};
