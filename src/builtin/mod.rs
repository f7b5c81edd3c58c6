//! What the native sinks that ship are made of.

pub mod bucket;

/// The native sinks that ship.
pub fn natives() -> crate::event::Natives {
    crate::event::Natives::default()
}
