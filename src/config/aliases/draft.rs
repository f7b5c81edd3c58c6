//! The table while it is being read: what is known of each place is needed until everything has been checked.

use super::super::diagnostic::{Diagnostics, Severity};
use super::super::path;
use super::super::recipients::Local;
use super::super::sources::Span;
use super::include::{self, Listed};
use super::member::{Member, Whom};
use super::table::{Aliases, Key};
use super::words::{self, Word};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of something else entirely should not be told line by line.
const ERRORS_MAX: usize = 10;

/// Where a member stands, and where those that it includes do.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) span: Span,
    /// One for each included member.
    pub(super) inside: Option<Arc<[Span]>>,
}

/// Where an alias stands.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) name: Span,
    /// The key of its domain, if it is for one only.
    pub(super) domain: Option<Box<str>>,
    /// Where in [`Draft::members`] those of its members begin.
    pub(super) members: usize,
}

/// A name on the left.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) key: Key,
    pub(super) span: Span,
}

/// Members with their places.
pub(super) type Members = Vec<(Member, Place)>;

/// The table so far.
pub(super) struct Draft<'a> {
    pub(super) table: Aliases,
    /// One for each entry of the table.
    pub(super) places: Vec<Places>,
    /// One for each member of each entry, in one piece: a million small ones between what is kept would leave holes.
    pub(super) members: Vec<Place>,
    pub(super) found: &'a mut Diagnostics,
    pub(super) local: &'a Local<'a>,
    /// Every file that is read.
    files: &'a mut Vec<PathBuf>,
    included: HashMap<PathBuf, Option<Listed>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(found: &'a mut Diagnostics, local: &'a Local<'a>, files: &'a mut Vec<PathBuf>) -> Self {
        let (places, members, included) = Default::default();
        Self { table: Aliases::default(), places, members, found, local, files, included }
    }

    /// A name on the left.
    pub(super) fn name(&mut self, text: &str, span: Span) -> Option<Name> {
        words::key(text, span, self.local, self.found).map(|key| Name { key, span })
    }

    /// A member of the alias `of`, which may be one that can't be used. `base` is where relative paths start.
    pub(super) fn member(&mut self, text: &str, span: Span, of: Option<&Name>, base: &Path) -> Option<(Member, Place)> {
        match words::member(text, span, of.map_or("", |name| name.key.name()), self.found)? {
            Word::Member(member) => Some((member, Place { span, inside: None })),
            Word::Include(path) => self.include(base.join(path), span),
        }
    }

    /// The members that a file lists. It is read once, however often it is named.
    pub(super) fn include(&mut self, path: PathBuf, span: Span) -> Option<(Member, Place)> {
        if !self.included.contains_key(&path) {
            let read = include::read(&path, span, self.found);
            self.files.push(path.clone());
            self.included.insert(path.clone(), read);
        }
        let (members, inside) = self.included.get(&path)?.clone()?;
        Some((Member::Included(members), Place { span, inside: Some(inside) }))
    }

    /// Takes an alias, unless there is one of that name.
    pub(super) fn add(&mut self, name: Name, members: Members, owner: Option<Whom>) {
        let domain = name.key.domain().map(Into::into);
        let (id, new) = self.table.open(name.key);
        if !new {
            self.twice(name.span, id.0 as usize);
            return;
        }
        self.places.push(Places { name: name.span, domain, members: self.members.len() });
        let (members, places): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        self.members.extend(places);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.members = members.into();
            entry.owner = owner.map(Box::new);
        }
    }

    fn twice(&mut self, span: Span, first: usize) {
        let name = self.text(span);
        let first = self.places.get(first).map(|places| places.name);
        let line = first.and_then(|first| Some((first, self.found.sources.line(first)?.number)));
        let told = line.map_or_else(String::new, |(first, line)| {
            format!("it is first given in `{}`, line {line}; ", self.found.sources.name(first.source))
        });
        let told = told + "put all members into one of the two";
        self.found.error(span, format!("the alias `{name}` is given twice")).help(told);
    }

    /// What stands at a place.
    pub(super) fn text(&self, span: Span) -> String {
        let text = self.found.sources.text(span.source);
        text.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
    }

    /// Reads a file by `parse`, with where its relative paths start.
    pub(super) fn file(&mut self, file: PathBuf, named_at: Span, parse: impl FnOnce(&mut Self, Source<'_>)) {
        if let Some(id) = self.found.open(&file, Some(named_at)) {
            let limit = Limit { before: self.found.count(Severity::Error), named_at, path: &file };
            parse(self, Source { id, base: path::folder(&file), limit });
        }
        self.files.push(file);
    }
}

/// A file that is being read.
pub(super) struct Source<'a> {
    pub(super) id: super::super::sources::SourceId,
    /// Where its relative paths start.
    pub(super) base: &'a Path,
    pub(super) limit: Limit<'a>,
}

/// When to give a file up.
pub(super) struct Limit<'a> {
    pub(super) before: usize,
    pub(super) named_at: Span,
    pub(super) path: &'a Path,
}

impl Limit<'_> {
    /// Whether the file has so many errors that the rest is not worth telling; if so, that is told.
    pub(super) fn reached(&self, found: &mut Diagnostics) -> bool {
        let reached = found.count(Severity::Error) - self.before >= ERRORS_MAX;
        if reached {
            let told = found.error(self.named_at, format!("`{}` has too many errors", self.path.display()));
            told.label("the rest of this file was not checked");
        }
        reached
    }
}
