//! What sinks keep for the time of one transaction, such as the instance of a guest.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Things that live as long as a transaction, each under the key of the sink that keeps it. A copy of a transaction has none.
#[derive(Default)]
pub struct Companions(Mutex<Vec<(usize, Kept)>>);

/// A thing that is kept.
pub type Kept = Box<dyn Any + Send>;

impl Companions {
    /// Takes what is kept under `key`.
    pub fn take(&self, key: usize) -> Option<Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(of, _)| *of == key)?;
        Some(kept.swap_remove(at).1)
    }

    /// Keeps something under `key`.
    pub fn put(&self, key: usize, thing: Kept) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((key, thing));
    }
}

impl Clone for Companions {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Companions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Companions").finish_non_exhaustive()
    }
}
