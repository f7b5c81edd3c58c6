//! The traits by which sinks reach the world. The command line wires what stands behind them.

pub mod clock;
pub mod kv;
pub mod log;

pub use clock::{Clock, ManualClock, SystemClock};
pub use kv::{Kv, KvFault, KvOf};
pub use log::{Journal, Level, Line, SinkLog};
