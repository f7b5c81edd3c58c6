//! The seam between the core and the sinks.

pub mod host;
pub mod networks;
