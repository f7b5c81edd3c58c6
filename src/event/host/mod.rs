//! The traits by which sinks reach the world. The command line wires what stands behind them.

pub mod clock;
pub mod kv;

pub use clock::{Clock, ManualClock, SystemClock};
pub use kv::{Kv, KvFault, KvOf};
