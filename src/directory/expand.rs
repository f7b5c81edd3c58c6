//! The whole way from an address to those who get the mail: through aliases, lists in lists, and catch-alls.
//!
//! It always ends: each alias is expanded once, not deeper than lists may be nested, and not to more recipients than
//! [`RECIPIENTS_MAX`]. Circles and depth are errors of the configuration already; what gets past its checks, because an alias
//! means different people in different domains, is an error here. Everybody gets one copy, however many lists name them.

use super::aliased::{Asked, Expansion, Target};
use super::lookup::Directory;
use crate::config::aliases::{DEPTH_MAX, EntryId};
use crate::mail::{EnhancedCode, ForwardPath, Reply, ReversePath};
use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The most recipients that one address may lead to.
pub const RECIPIENTS_MAX: usize = 100_000;
/// The most members that are looked at on the way: lists that overlap can be many times longer than what they come to.
const STEPS_MAX: usize = 10 * RECIPIENTS_MAX;

/// One who gets the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where it goes: a mailbox here, or an address elsewhere. Nobody may live there: that is seen when it is looked up. For
    /// a folder it is the alias that names the folder.
    pub path: ForwardPath,
    /// The envelope's sender, if it comes through a list with an owner: that of the innermost. A message that came from `<>`
    /// keeps that, or reports of failure would be reported upon.
    pub sender: Option<ReversePath>,
    /// The aliases that lead here, from the address that was asked for; empty if it is no alias. For logs.
    pub via: Arc<[String]>,
    /// The Maildir that it goes to, instead of that of a user.
    pub file: Option<PathBuf>,
}

/// Why an address can't be resolved. The names are those of aliases, from the address that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpandError {
    /// The last is one of those before it.
    Circle(Vec<String>),
    /// Lists in lists beyond [`DEPTH_MAX`].
    TooDeep(Vec<String>),
    /// More than [`RECIPIENTS_MAX`].
    TooMany(String),
    /// All lists that it leads to are empty.
    Nobody(String),
}

impl Directory {
    /// Everybody whom a recipient leads to, in the order of the files, each once: where lists overlap the first counts. An
    /// address that is no alias leads to itself. Nobody at all means that all members are `/dev/null`: the mail is dropped.
    ///
    /// Within its own members an alias that contains itself is its mailbox.
    pub fn resolve(&self, recipient: &ForwardPath) -> Result<Vec<Resolved>, ExpandError> {
        let mut way = Way::new(self);
        way.path(recipient, None)?;
        if way.found.is_empty() && !way.dropped {
            return Err(ExpandError::Nobody(recipient.as_str().to_owned()));
        }
        Ok(way.found)
    }
}

/// A walk through the members.
struct Way<'a> {
    directory: &'a Directory,
    /// The aliases from the first to the one whose members are looked at.
    above: Vec<Level>,
    found: Vec<Resolved>,
    /// Who is found, by what they are looked up by.
    seen: HashSet<(String, Option<PathBuf>)>,
    /// The aliases that are done, each with the domain it was asked for in.
    done: HashSet<(EntryId, String)>,
    steps: usize,
    dropped: bool,
}

struct Level {
    id: EntryId,
    asked: Asked,
    sender: Option<ReversePath>,
    via: Arc<[String]>,
}

impl<'a> Way<'a> {
    fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            above: Vec::new(),
            found: Vec::new(),
            seen: HashSet::new(),
            done: HashSet::new(),
            steps: 0,
            dropped: false,
        }
    }

    /// Goes to one address. `sender` is set by the lists above.
    fn path(&mut self, path: &ForwardPath, sender: Option<&ReversePath>) -> Result<(), ExpandError> {
        let Some(asked) = self.directory.asked(path) else { return self.arrive(path, None) };
        let Some(id) = self.directory.alias(&asked.name, &asked.domain) else { return self.arrive(path, None) };
        if let Some(level) = self.above.iter().find(|level| level.id == id) {
            let itself = self.directory.aliases().entry(id).is_some_and(|entry| entry.itself);
            let path = level.mailbox_of(&asked, self.directory);
            return if itself { self.arrive(&path, None) } else { Err(ExpandError::Circle(self.names(path.as_str()))) };
        }
        if !self.done.insert((id, asked.domain.clone())) {
            return Ok(());
        }
        if self.above.len() == DEPTH_MAX {
            return Err(ExpandError::TooDeep(self.names(path.as_str())));
        }
        let Expansion { members, owner } = self.directory.members(&asked, id);
        let sender = owner.or_else(|| sender.cloned());
        let via = self.names(path.as_str()).into();
        self.above.push(Level { id, asked, sender: sender.clone(), via });
        for member in members {
            self.member(member, sender.as_ref())?;
        }
        self.above.pop();
        Ok(())
    }

    fn member(&mut self, member: Target, sender: Option<&ReversePath>) -> Result<(), ExpandError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(self.too_many());
        }
        match member {
            Target::Path(path) => self.path(&path, sender),
            Target::Folder(folder) => {
                let alias = self.above.last().map(|level| ForwardPath::Mailbox(level.asked.mailbox.clone()));
                alias.map_or(Ok(()), |alias| self.arrive(&alias, Some(folder)))
            }
            Target::Nowhere => {
                self.dropped = true;
                Ok(())
            }
        }
    }

    /// Takes a recipient that leads no further.
    fn arrive(&mut self, path: &ForwardPath, file: Option<PathBuf>) -> Result<(), ExpandError> {
        let key = match (self.directory.asked(path), path.mailbox()) {
            // Two aliases with one folder put one copy there.
            _ if file.is_some() => String::new(),
            (Some(asked), _) => format!("{}@{}", asked.name, asked.domain),
            (None, Some(mailbox)) => format!("{}@{}", mailbox.local_unquoted(), mailbox.domain_key()),
            (None, None) => path.as_str().to_owned(),
        };
        if !self.seen.insert((key, file.clone())) {
            return Ok(());
        }
        if self.found.len() == RECIPIENTS_MAX {
            return Err(self.too_many());
        }
        let level = self.above.last();
        self.found.push(Resolved {
            path: path.clone(),
            sender: level.and_then(|level| level.sender.clone()),
            via: level.map_or_else(|| [].into(), |level| level.via.clone()),
            file,
        });
        Ok(())
    }

    /// The way to an address.
    fn names(&self, last: &str) -> Vec<String> {
        let above = self.above.last().map_or(&[][..], |level| &level.via);
        above.iter().cloned().chain([last.to_owned()]).collect()
    }

    fn too_many(&self) -> ExpandError {
        let first = self.above.first().and_then(|level| level.via.first());
        ExpandError::TooMany(first.cloned().unwrap_or_default())
    }
}

impl Level {
    /// The mailbox that a member of this alias means by naming it: as it was asked for, with its tag, if that is the same.
    fn mailbox_of(&self, member: &Asked, directory: &Directory) -> ForwardPath {
        let same = member.domain == self.asked.domain && directory.base(&self.asked.name) == Some(&*member.name);
        ForwardPath::Mailbox(if same { self.asked.mailbox.clone() } else { member.mailbox.clone() })
    }
}

impl ExpandError {
    /// What the sender is told. An operator can mend all of these, so the mail is kept until then.
    pub fn reply(&self) -> Reply {
        Reply::new(451, EnhancedCode(4, 2, 4), "The list can't be expanded now")
    }
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle(names) => write!(
                f,
                "the aliases lead in a circle: {}; remove one from the next in the aliases file",
                names.join(" -> ")
            ),
            Self::TooDeep(names) => write!(
                f,
                "lists are nested more than {DEPTH_MAX} deep: {}; put the members of some into the lists that contain them",
                names.join(" -> ")
            ),
            Self::TooMany(name) => {
                write!(f, "`{name}` leads to more than {RECIPIENTS_MAX} recipients; send to parts of the list")
            }
            Self::Nobody(name) => write!(f, "`{name}` leads to nobody: the files that it includes are empty"),
        }
    }
}

impl std::error::Error for ExpandError {}

#[cfg(test)]
mod tests;
