//! Memory for drafts: one budget for all of them, so that a thousand clients can't exhaust the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many octets, shared by all drafts of a spool.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    /// A budget of `octets`.
    pub(super) fn new(octets: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(octets) })
    }

    /// An empty share of it.
    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), held: 0 }
    }
}

/// What one draft has of the budget; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    held: usize,
}

impl Share {
    /// Makes the share at least `octets` large, if there is so much left.
    pub(super) fn grow_to(&mut self, octets: usize) -> bool {
        let more = octets.saturating_sub(self.held);
        let taken =
            self.budget.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more)).is_ok();
        if taken {
            self.held += more;
        }
        taken
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_holds_another_can_t_have_until_it_is_given_back() {
        let budget = Budget::new(10);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert!(one.grow_to(6) && one.grow_to(4) && two.grow_to(4));
        assert!(!two.grow_to(5));
        drop(one);
        assert!(two.grow_to(10));
    }
}
