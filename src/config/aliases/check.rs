//! What only shows when every alias and user is known: who a member is, and which aliases contain themselves.
//!
//! An alias for every domain is checked as it is in the first one; the directory guards against what is left.

use super::super::recipients::User;
use super::super::sources::Span;
use super::circles;
use super::draft::Draft;
use super::member::{Member, Whom};
use super::read::Around;
use super::table::{Aliases, EntryId, Residents};
use crate::mail::domain::lookup_key;
use std::collections::{HashMap, HashSet};

/// Beyond this, one warning is as good as thousands.
const WARNINGS_MAX: usize = 10;

/// Who lives in the local domains.
pub(super) struct Place {
    /// Keys, the first domain first.
    domains: Vec<String>,
    local: HashSet<String>,
    users: Option<HashSet<String>>,
    plus_addressing: bool,
}

/// Which aliases lead to which.
pub(super) type Edges = HashMap<EntryId, Vec<EntryId>>;

/// Notes what is wrong, and which aliases contain themselves.
pub(super) fn all(draft: &mut Draft<'_>, place: &Place) {
    let mut walk = Walk { edges: Edges::new(), itself: Vec::new(), unknown: Vec::new(), told: HashSet::new() };
    for (id, entry) in draft.table.iter() {
        let Some(places) = draft.places.get(id.0 as usize) else { continue };
        let domain = places.domain.as_deref().or(place.domains.first().map(String::as_str));
        for (member, at) in entry.members.iter().zip(draft.members.iter().skip(places.members)) {
            for (n, member) in member.each().iter().enumerate() {
                let span = at.inside.as_ref().and_then(|inside| inside.get(n)).unwrap_or(&at.span);
                walk.member(&draft.table, place, (id, domain), member, *span);
            }
        }
    }
    for id in &walk.itself {
        if let Some(entry) = draft.table.entry_mut(*id) {
            entry.itself = true;
        }
    }
    unknown(draft, &walk.unknown);
    unused(draft, place);
    circles::find(draft, &walk.edges);
}

/// What comes up on the way through all members.
struct Walk {
    edges: Edges,
    itself: Vec<EntryId>,
    unknown: Vec<Span>,
    /// The places of `unknown`: many may include one file.
    told: HashSet<Span>,
}

impl Walk {
    /// A member of an alias, which stands in this domain.
    fn member(&mut self, table: &Aliases, place: &Place, of: (EntryId, Option<&str>), member: &Member, span: Span) {
        let Member::Whom(whom) = member else { return };
        let name = whom.name();
        let Some(domain) = place.home(table, whom, &name, of.1) else { return };
        let lives = place.lives(&name, &domain);
        match table.find(&name, place.base(&name), &domain, place) {
            Some(id) if id == of.0 && table.catch_all(&domain) != Some(id) => {
                self.itself.push(id);
                if !lives {
                    self.unknown(span);
                }
            }
            Some(id) => self.edges.entry(of.0).or_default().push(id),
            None if !lives => self.unknown(span),
            None => {}
        }
    }

    fn unknown(&mut self, span: Span) {
        if self.told.insert(span) {
            self.unknown.push(span);
        }
    }
}

fn unknown(draft: &mut Draft<'_>, unknown: &[Span]) {
    for (n, &span) in unknown.iter().take(WARNINGS_MAX).enumerate() {
        let (name, more) = (draft.text(span), unknown.len() - WARNINGS_MAX.min(unknown.len()));
        let (message, help) = if n + 1 == WARNINGS_MAX && more > 0 {
            (format!("`{name}` has no mailbox and is no alias, and neither are {more} members after it"), "these")
        } else {
            (format!("`{name}` has no mailbox and is no alias"), "this")
        };
        let told = draft.found.warning(span, message);
        told.help(format!("mail for {help} will be returned: correct the name, or add it to `recipients.users`"));
    }
}

fn unused(draft: &mut Draft<'_>, place: &Place) {
    if place.users.is_some() {
        return;
    }
    for domain in &place.domains {
        let name = draft.table.catch_all(domain).and_then(|id| draft.places.get(id.0 as usize)).map(|p| p.name);
        if let Some(span) = name {
            let told = draft.found.warning(span, "this catch-all is never used: every local part exists");
            told.help("list those who exist in `recipients.users`");
        }
    }
}

impl Place {
    pub(super) fn new(around: &Around<'_>) -> Self {
        let domains: Vec<String> = around.domains.local.iter().map(|d| lookup_key(d).into_owned()).collect();
        let user = |user: &User| match user {
            User::Everywhere(name) => name.to_ascii_lowercase(),
            User::At(mailbox) => {
                let name = Whom::Address(mailbox.clone()).name();
                // A bare name can have an `@` too, but no two.
                format!("{name}@@{}", lookup_key(mailbox.domain()))
            }
        };
        Self {
            local: domains.iter().cloned().collect(),
            domains,
            users: around.users.map(|users| users.iter().map(user).collect()),
            plus_addressing: around.plus_addressing,
        }
    }

    /// The local domain in which a member lives; nothing if it lives elsewhere, or nobody can say.
    fn home(&self, table: &Aliases, whom: &Whom, name: &str, domain: Option<&str>) -> Option<String> {
        match whom {
            Whom::Address(mailbox) => {
                Some(lookup_key(mailbox.domain()).into_owned()).filter(|d| self.local.contains(d))
            }
            Whom::Local(_) => {
                let here = domain?;
                let known = self.lives(name, here) || table.find(name, self.base(name), here, self).is_some();
                let first = self.domains.first().map(String::as_str).filter(|_| !known);
                Some(first.unwrap_or(here).to_owned())
            }
        }
    }

    fn base<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.split('+').next().filter(|base| self.plus_addressing && !base.is_empty())
    }

    /// Whether there is a mailbox.
    fn lives(&self, name: &str, domain: &str) -> bool {
        self.has(name, domain) || self.base(name).is_some_and(|base| self.has(base, domain))
    }
}

impl Residents for Place {
    fn everybody(&self) -> bool {
        self.users.is_none()
    }

    fn has(&self, name: &str, domain: &str) -> bool {
        let Some(users) = &self.users else { return !name.is_empty() };
        name == "postmaster" || users.contains(name) || users.contains(&[name, "@@", domain].concat())
    }
}
