//! Numbers about the sink's work, shown by `mailsluice status`. Needs `allow.metrics`.

use crate::seam::{Here, World};

/// Adds to a counter.
pub fn count(name: &str, by: u64) {
    Here::count(name, by);
}

/// Sets a gauge.
pub fn gauge(name: &str, value: f64) {
    Here::gauge(name, value);
}
