//! The sink's own log: `info!("{n} parts")`. Lines are bounded and rate-limited; what is left out is counted.

pub use crate::wit::log::Level;
pub use crate::{debug, error, info, warn};

use crate::seam::{Here, World};

/// Writes a line.
pub fn write(level: Level, text: &str) {
    Here::write(level, text);
}

/// Writes a line for who looks for an error.
#[macro_export]
macro_rules! debug {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($text)+)) };
}

/// Writes a line that says what was done.
#[macro_export]
macro_rules! info {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($text)+)) };
}

/// Writes a line that an operator should see.
#[macro_export]
macro_rules! warn {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($text)+)) };
}

/// Writes a line about something that went wrong.
#[macro_export]
macro_rules! error {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($text)+)) };
}
