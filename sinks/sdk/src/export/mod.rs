//! How a type becomes a sink: [`On`] for each event, [`hears!`](crate::hears) for all of them.
//!
//! The type is made once for each instance, at the first call, and then lives as long as the instance does: for one call by
//! default, longer if the manifest says `reuse`. It need be neither `Send` nor `Sync`.

#[cfg(target_family = "wasm")]
pub(crate) mod guest;
mod hears;

use crate::catalogue::EventType;
use crate::claim::Claims;
use crate::{Fault, Heard, Ruling};

/// A sink that hears `E`.
pub trait On<E: EventType> {
    /// Hears the event.
    fn on(&self, heard: &mut Heard<'_, E>) -> Result<Ruling<E>, Fault>;
}

/// A sink that can be made: what [`hears!`](crate::hears) writes.
#[doc(hidden)]
pub trait Hosted: Sized + 'static {
    fn open() -> Result<Self, Fault>;
    /// Calls with the instance's one sink, which is made if there is none.
    fn with<T>(call: impl FnOnce(&Self) -> Result<T, Fault>) -> Result<T, Fault>;
}

/// A sink with claims.
#[doc(hidden)]
pub trait Claiming: Hosted {
    fn claims(&self) -> Claims;
}

/// A sink with a check of its own.
#[doc(hidden)]
pub trait SelfTesting: Hosted {
    fn self_test(&self) -> Result<(), Fault>;
}
