//! What the native sinks that ship are made of.

pub mod bucket;
