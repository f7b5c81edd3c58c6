//! How imports are found: files relative to the one that imports them, the bare name `mailsluice`, and nothing else.
//!
//! The server reads the files ([`read`]) and decides which it reads. The prelude's own modules are in here, under names that only
//! they themselves can import.

use crate::fault;
use crate::wit::mailsluice::script::engine::read;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Exception, Module, Result};
use std::cell::RefCell;
use std::collections::HashMap;

/// What scripts import by a bare name.
pub(crate) const PUBLIC: &str = "mailsluice";
/// The prelude's module that Rust calls.
pub(crate) const RUN: &str = "mailsluice:run.js";
/// What the names of the prelude's modules begin with.
pub(crate) const OWN: &str = "mailsluice";

const PRELUDE: [(&str, &str); 17] = [
    (PUBLIC, include_str!("prelude/mailsluice.js")),
    (RUN, include_str!("prelude/run.js")),
    ("mailsluice:answer.js", include_str!("prelude/answer.js")),
    ("mailsluice:claims.js", include_str!("prelude/claims.js")),
    ("mailsluice:command.js", include_str!("prelude/command.js")),
    ("mailsluice:login.js", include_str!("prelude/login.js")),
    ("mailsluice:attachment.js", include_str!("prelude/attachment.js")),
    ("mailsluice:console.js", include_str!("prelude/console.js")),
    ("mailsluice:context.js", include_str!("prelude/context.js")),
    ("mailsluice:guard.js", include_str!("prelude/guard.js")),
    ("mailsluice:message.js", include_str!("prelude/message.js")),
    ("mailsluice:recipient.js", include_str!("prelude/recipient.js")),
    ("mailsluice:reply.js", include_str!("prelude/reply.js")),
    ("mailsluice:session.js", include_str!("prelude/session.js")),
    ("mailsluice:transport.js", include_str!("prelude/transport.js")),
    ("mailsluice:verdict.js", include_str!("prelude/verdict.js")),
    ("mailsluice:web.js", include_str!("prelude/web.js")),
];

thread_local! {
    /// The script's files by their paths: the source until it is loaded, then nothing.
    static FILES: RefCell<HashMap<String, Option<String>>> = RefCell::new(HashMap::new());
}

/// Finds the path of an import, and reads the file while it is known who imports it.
pub(crate) struct Paths;

/// Hands out what [`Paths`] has read.
pub(crate) struct Sources;

/// Declares the main module, whose source has been read.
pub(crate) fn main<'js>(ctx: &Ctx<'js>, path: &str, source: String) -> Result<Module<'js, Declared>> {
    FILES.with_borrow_mut(|files| files.insert(path.to_owned(), None));
    declare(ctx, path, source)
}

impl Resolver for Paths {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        if name == PUBLIC || !crate::engine::is_booted() {
            return Ok(name.to_owned());
        }
        let refuse = |why: &str| Err(throw(ctx, base, name, &format!("import of '{name}': {why}")));
        if !(name.starts_with("./") || name.starts_with("../")) {
            return refuse("only relative files and \"mailsluice\" can be imported");
        }
        if attributes.is_some() {
            return refuse("import attributes are not supported");
        }
        let path = join(base, name);
        if FILES.with_borrow(|files| files.contains_key(&path)) {
            return Ok(path);
        }
        match read(&path) {
            Ok(source) => FILES.with_borrow_mut(|files| files.insert(path.clone(), Some(source))),
            Err(why) => return refuse(&why),
        };
        Ok(path)
    }
}

impl Loader for Sources {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if let Some((_, source)) = PRELUDE.iter().find(|(each, _)| *each == name) {
            return Module::declare(ctx.clone(), name, *source);
        }
        match FILES.with_borrow_mut(|files| files.get_mut(name).and_then(Option::take)) {
            Some(source) => declare(ctx, name, source),
            None => Err(Error::new_loading(name)),
        }
    }
}

fn declare<'js>(ctx: &Ctx<'js>, path: &str, source: String) -> Result<Module<'js, Declared>> {
    if let Some(place) = source.find('\0') {
        let (line, column) = fault::place(&source, place);
        return Err(fault::throw_at(ctx, &format!("{path}:{line}:{column}"), "there is a NUL in the file"));
    }
    Module::declare(ctx.clone(), path, source)
}

/// An error at the place where `base` imports `name`.
fn throw(ctx: &Ctx<'_>, base: &str, name: &str, text: &str) -> Error {
    let source = read(base).unwrap_or_default();
    let quoted = |quote: char| source.find(&format!("{quote}{name}{quote}"));
    let place = [quoted('"'), quoted('\'')].into_iter().flatten().min().unwrap_or(0);
    let (line, column) = fault::place(&source, place);
    fault::throw_at(ctx, &format!("{base}:{line}:{column}"), text)
}

/// `name` as seen from the folder of the file `base`, without `.` and `..` where they can be resolved.
fn join(base: &str, name: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "." | "..")) => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Where the main module exports `name`, or where it begins.
pub(crate) fn find(path: &str, name: &str) -> String {
    let source = read(path).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let whole = |place: &usize| {
        !name.is_empty() && !source[..*place].ends_with(is_word) && !source[place + name.len()..].starts_with(is_word)
    };
    let exported = |place: &usize| {
        let line = source[..*place].rfind('\n').map_or(0, |end| end + 1);
        source[line..*place].trim_start().starts_with("export")
    };
    let mut places = source.match_indices(name).map(|(place, _)| place).filter(whole);
    let place = places.clone().find(exported).or_else(|| places.next()).unwrap_or(0);
    let (line, column) = fault::place(&source, place);
    format!("{path}:{line}:{column}")
}

/// An exception that a native throws.
pub(crate) fn raise(ctx: &Ctx<'_>, text: &str) -> Error {
    Exception::throw_message(ctx, text)
}
