//! The time. Without `allow.clock` it stands still at the start of the transaction or session.

use crate::seam::{Here, World};
use std::time::Duration;

/// The time since 1970, in whole milliseconds.
pub fn now() -> Duration {
    Duration::from_millis(Here::now())
}
