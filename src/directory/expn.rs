//! EXPN: the members of a list (RFC 5321 3.5, 4.1.1.7).
//!
//! One step: a member that is a list itself stands there as its address, to be asked for in turn. Folders are nobody's address and
//! are left out; what is no list is for VRFY.

use super::Directory;
use super::aliased::Target;
use crate::mail::{ForwardPath, Mailbox};

/// The most members that are told. A longer list is not told in part: nobody could see that it was.
pub(crate) const MEMBERS_MAX: usize = 1000;

/// What can be said of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expn {
    /// Its members, in the order of the file; at least one.
    Members(Vec<Mailbox>),
    /// It stands for so many that they are not told.
    TooMany,
    /// It leads to files alone, or the address belongs to others: nothing can be told.
    CannotTell,
    /// The name stands for several lists in different domains.
    Ambiguous,
    /// It is no list.
    NoList,
}

impl Directory {
    /// Expands a name or address as it stands after EXPN.
    pub fn expn(&self, text: &str) -> Expn {
        let text = text.trim();
        match ForwardPath::parse(text) {
            Ok(path) if path.mailbox().is_some_and(|m| !self.is_local(&super::lookup::mailbox_key(m))) => {
                Expn::CannotTell
            }
            Ok(path) => self.expn_path(&path).unwrap_or(Expn::NoList),
            Err(_) => self.expn_name(text),
        }
    }

    /// Looks for a list of that name in every local domain.
    fn expn_name(&self, name: &str) -> Expn {
        let mut lists = self.local_domains().iter().filter_map(|domain| {
            let mailbox = Mailbox::parse(&format!("{name}@{domain}")).ok()?;
            self.expn_path(&ForwardPath::Mailbox(mailbox))
        });
        let first = lists.next().unwrap_or(Expn::NoList);
        // A list for every domain is one list as long as its members are the same in each.
        if lists.all(|other| other == first) { first } else { Expn::Ambiguous }
    }

    /// Nothing: no list.
    fn expn_path(&self, path: &ForwardPath) -> Option<Expn> {
        let members = self.expand(path)?.members;
        let mut told = Vec::new();
        for member in members {
            if let Target::Path(ForwardPath::Mailbox(mailbox)) = member {
                told.push(mailbox);
            }
            if told.len() > MEMBERS_MAX {
                return Some(Expn::TooMany);
            }
        }
        Some(if told.is_empty() { Expn::CannotTell } else { Expn::Members(told) })
    }
}
