//! A DNS in a table, for tests of whatever asks a [`Resolver`](super::Resolver).
//!
//! It answers as the system's resolver does, from records that are added one by one or read from text, fails where it is told to,
//! and counts what it is asked. It can be changed while it is in use.

mod table;
mod text;

pub use table::{ZoneKind, ZoneRecord, ZoneTable, ZoneTrouble};
pub use text::ZoneError;
