//! Aliases that lead back to themselves, and lists in lists in lists.
//!
//! Within its own members an alias that contains itself is its mailbox, so a way back to such a one is no circle.

use super::DEPTH_MAX;
use super::check::Edges;
use super::draft::Draft;
use super::table::EntryId;
use std::collections::HashMap;

const ERRORS_MAX: usize = 10;

/// Notes each circle once, and lists that are nested too deep.
pub(super) fn find(draft: &mut Draft<'_>, edges: &Edges) {
    let mut search = Search { edges, draft, way: Vec::new(), heights: HashMap::new(), circles: Vec::new(), deep: None };
    let mut starts: Vec<EntryId> = edges.keys().copied().collect();
    starts.sort_unstable();
    for start in starts {
        search.visit(start);
    }
    let (circles, deep) = (search.circles, search.deep);
    for circle in circles.iter().take(ERRORS_MAX) {
        let (message, span) =
            (format!("these aliases lead in a circle: {}", chain(draft, circle)), name(draft, circle));
        let told = draft.found.error(span, message);
        told.help("remove one from the next; an alias that is a mailbox too may contain itself");
    }
    if let Some(deep) = deep {
        let message = format!("these lists are nested more than {DEPTH_MAX} deep: {}", chain(draft, &deep));
        let told = draft.found.error(name(draft, &deep), message);
        told.help("put the members of some into the lists that contain them");
    }
}

fn name(draft: &Draft<'_>, way: &[EntryId]) -> Option<super::super::sources::Span> {
    way.first().and_then(|id| draft.places.get(id.0 as usize)).map(|places| places.name)
}

fn chain(draft: &Draft<'_>, way: &[EntryId]) -> String {
    let names: Vec<String> = way.iter().filter_map(|id| name(draft, &[*id])).map(|span| draft.text(span)).collect();
    names.join(" -> ")
}

/// A search in depth. It never goes deeper than lists may, so it may call itself.
struct Search<'a, 'b> {
    edges: &'a Edges,
    draft: &'a Draft<'b>,
    /// From where it started to where it is.
    way: Vec<EntryId>,
    /// How many levels of aliases are below and with each that is done.
    heights: HashMap<EntryId, usize>,
    circles: Vec<Vec<EntryId>>,
    deep: Option<Vec<EntryId>>,
}

impl Search<'_, '_> {
    /// How many levels of aliases there are from here.
    fn visit(&mut self, id: EntryId) -> usize {
        if let Some(start) = self.way.iter().position(|&on_the_way| on_the_way == id) {
            if !self.draft.table.entry(id).is_some_and(|entry| entry.itself) {
                self.circles.push(self.way.iter().skip(start).chain([&id]).copied().collect());
            }
            return 0;
        }
        let known = self.heights.get(&id).copied();
        if self.way.len() + known.unwrap_or(1) > DEPTH_MAX {
            if self.deep.is_none() {
                self.deep = Some(self.downwards(id));
            }
            return 0;
        }
        if let Some(known) = known {
            return known;
        }
        self.way.push(id);
        let below = self.edges.get(&id).into_iter().flatten().map(|next| self.visit(*next)).max();
        self.way.pop();
        let height = below.unwrap_or(0) + 1;
        self.heights.insert(id, height);
        height
    }

    /// The way to this alias, and on along the longest of those that are done, until it is too long.
    fn downwards(&self, id: EntryId) -> Vec<EntryId> {
        let mut way: Vec<EntryId> = self.way.iter().chain([&id]).copied().collect();
        let height = |next: &&EntryId| self.heights.get(next).copied().unwrap_or(0);
        while way.len() <= DEPTH_MAX
            && let Some(next) = way.last().and_then(|last| self.edges.get(last)?.iter().max_by_key(height))
        {
            way.push(*next);
        }
        way
    }
}
