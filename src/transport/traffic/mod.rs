//! How much goes out at once, where to, and whose turn it is.
//!
//! Nobody waits inside a pass. A message asks the [`Governor`] for a [`Turn`]; if there is none it goes back into the queue,
//! registers as waiting, and is woken when it can go, in fair order: by priority, then tenant by tenant, then by age.
//! Whoever is woken has everything set aside for it that it needs, for a few seconds, so nobody is woken in vain and nobody
//! is overtaken for ever.
//!
//! # Layout
//!
//! * [`governor`]: what the pipeline and operators call. [`lane`]: what a message is to the limits. [`asked`]: the answers.
//! * `gate` is what a limit attaches to, with its `backoff` and its `rate`; `gates` are all of them.
//! * `lines` are those who wait; `offer` picks who is next; `calls` are those who were woken and have not asked yet.
//! * [`suspend`]: what an operator has stopped, `kept` over a restart. [`report`]: what he sees. `run` keeps the time.

pub mod asked;
mod backoff;
mod calls;
mod gate;
mod gates;
pub mod governor;
mod kept;
pub mod lane;
mod lines;
mod offer;
mod rate;
pub mod report;
mod run;
mod slab;
mod state;
pub mod suspend;
#[cfg(test)]
mod tests;

pub use asked::{Asked, Heard, Wait, Why};
pub use governor::{Governor, Turn};
pub use kept::Kept;
pub use lane::Lane;
pub use report::SiteState;
pub use suspend::{Suspended, Suspension};
