//! Typed settings, with errors worth reading.
//!
//! `mailsluice.toml` becomes [`Settings`]: plain data, defaults filled in, every value checked. One pass over the
//! file finds everything that is wrong with it, each thing with its place; nothing is used while an error stands.
//! What this version can't do yet is an error too: a setting that silently does nothing would be a lie.
//!
//! # Layout
//! * reading: [`sources`], [`tree`] with `from_toml` and `from_json`, [`reader`], [`values`], [`units`], [`path`]
//! * telling: [`diagnostic`], [`suggest`]
//! * handing a part of a tree to somebody's own type: [`de`], [`spanned`]

pub mod de;
pub mod diagnostic;
mod from_json;
mod from_toml;
pub mod path;
pub mod reader;
pub mod sources;
pub mod spanned;
pub mod suggest;
pub mod tree;
pub mod units;
pub mod values;

pub use de::from_node;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use sources::{SourceId, Sources, Span};
pub use spanned::Spanned;
pub use tree::{Node, Value};

/// Parses a registered text: as JSON if its name ends in `.json`, as TOML otherwise.
pub fn parse(id: SourceId, found: &mut Diagnostics) -> Option<Node> {
    let json = std::path::Path::new(found.sources.name(id)).extension().is_some_and(|e| e == "json");
    if json { from_json::parse(id, found) } else { from_toml::parse(id, found) }
}
