//! Typed settings, with errors worth reading.
//!
//! `mailsluice.toml` becomes [`Settings`]: plain data, defaults filled in, every value checked. One pass over the
//! file finds everything that is wrong with it, each thing with its place; nothing is used while an error stands.
//! What this version can't do yet is an error too: a setting that silently does nothing would be a lie.
//!
//! # Layout
//! * reading: [`sources`], [`tree`] with `from_toml` and `from_json`, [`reader`], [`values`], [`units`], [`path`]
//! * telling: [`diagnostic`], [`suggest`]; and what must not be told: [`secret`]
//! * handing a part of a tree to somebody's own type: [`de`], [`spanned`]
//! * the tables: one file each, named as in the file; [`settings`] puts them together

pub mod acme;
pub mod admin;
pub mod aliases;
pub mod auth;
mod checks;
pub mod de;
pub mod delivery;
pub mod diagnostic;
pub mod domains;
pub mod dsn;
mod dsn_file;
pub mod dsn_template;
mod from_json;
mod from_toml;
pub mod gssapi;
pub mod ledger;
pub mod limits;
pub mod lines;
pub mod listener;
pub mod log;
mod machine;
mod network;
pub mod outbound;
pub mod path;
mod pattern;
pub mod pickup;
mod places;
pub mod queue;
pub mod rate;
pub mod reader;
pub mod recipients;
pub mod relay;
pub mod reload;
pub mod route;
pub mod run;
pub mod secret;
mod secret_file;
pub mod settings;
pub mod smtp;
pub mod sources;
pub mod spanned;
pub mod suggest;
pub mod target;
pub mod tls_reports;
pub mod traffic;
pub mod tree;
pub mod units;
mod url;
mod user_file;
pub mod values;

pub use de::from_node;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use secret::{Secret, Secrets};
pub use settings::{Settings, Warnings};
pub use sources::{SourceId, Sources, Span};
pub use spanned::Spanned;
pub use tree::{Node, Value};

/// Parses a registered text: as JSON if its name ends in `.json`, as TOML otherwise.
pub fn parse(id: SourceId, found: &mut Diagnostics) -> Option<Node> {
    let json = std::path::Path::new(found.sources.name(id)).extension().is_some_and(|e| e == "json");
    if json { from_json::parse(id, found) } else { from_toml::parse(id, found) }
}
