//! How many probes run at once, in all and per site: a client that tries thousands of addresses must not make us do the same to
//! the next hop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Probes at once.
const ALL: usize = 50;
/// Probes at once of the hosts of one site.
const PER_SITE: usize = 5;

/// Counts probes.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    sites: HashMap<Arc<str>, usize>,
}

/// One counted probe.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Room);

/// One that is counted for a site as well.
#[derive(Debug)]
pub(super) struct Seat<'a>(&'a Room, Arc<str>);

impl Room {
    /// A place for one more probe, if there is one.
    pub(super) fn enter(&self) -> Option<Place<'_>> {
        let mut counts = self.lock();
        if counts.all >= ALL {
            return None;
        }
        counts.all += 1;
        Some(Place(self))
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Place<'a> {
    /// A seat at this site, if there is one.
    pub(super) fn at(&self, site: &Arc<str>) -> Option<Seat<'a>> {
        let mut counts = self.0.lock();
        let count = counts.sites.entry(site.clone()).or_default();
        if *count >= PER_SITE {
            return None;
        }
        *count += 1;
        Some(Seat(self.0, site.clone()))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().all -= 1;
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        if let Some(count) = counts.sites.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.sites.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_in_and_out() {
        let (room, a, b) = (Room::default(), Arc::from("a.example"), Arc::from("b.example"));
        let places: Vec<Place<'_>> = std::iter::from_fn(|| room.enter()).collect();
        assert_eq!(places.len(), ALL);
        let at_a: Vec<Seat<'_>> = places.iter().filter_map(|place| place.at(&a)).collect();
        assert_eq!(at_a.len(), PER_SITE);
        assert!(places[0].at(&b).is_some(), "one site does not keep others from being asked");
        drop(at_a);
        assert!(places[0].at(&a).is_some());
        assert!(room.lock().sites.is_empty());
        drop(places);
        assert!(room.enter().is_some());
        assert_eq!(room.lock().all, 0);
    }
}
