//! The seam between the core and the sinks.

pub mod glob;
pub mod host;
pub mod list;
pub mod networks;
