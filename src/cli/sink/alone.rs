//! A sink by itself: a file on terms that stand on the command line, as a manifest of one sink.

use super::check::is_script;
use crate::cli::out::Failure;
use crate::config::{Diagnostics, Severity};
use crate::event::Natives;
use crate::manifest::Manifest;
use crate::manifest::build::{Built, Workshop, build};
use crate::manifest::edit::{self, NewSink};
use clap::Args;
use std::path::{Path, PathBuf};

/// The terms of the manifest that there is none of.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct TermsOfOne {
    /// Set a key as `sink set` does, such as config.text=Hello or limits.cpu=1s; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The sink's configuration, from a TOML file
    #[arg(long, value_name = "FILE")]
    sink_config: Option<PathBuf>,
    /// A table; may be given again
    #[arg(long, value_name = "NAME=FILE")]
    table: Vec<String>,
    /// What it may reach: kv, dns, metrics, submit, relay, clock, random, or an origin for http
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<String>,
}

impl TermsOfOne {
    /// Whether anything is set.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.sink_config.is_none() && self.table.is_empty() && self.allow.is_empty()
    }

    /// Further things that it may reach.
    pub(super) fn allowing(mut self, what: impl IntoIterator<Item = String>) -> Self {
        self.allow.extend(what);
        self
    }

    /// A further key.
    pub(super) fn setting(mut self, assignment: String) -> Self {
        self.set.insert(0, assignment);
        self
    }

    fn assignments(&self) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        if let Some(path) = &self.sink_config {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|e| Failure::Failed(format!("cannot read `{}`: {e}", path.display())))?;
            let table = edit::inline(&text).map_err(|e| Failure::Failed(format!("{}: {e}", path.display())))?;
            all.push(format!("config={table}"));
        }
        for table in &self.table {
            let (name, file) =
                table.split_once('=').ok_or_else(|| Failure::Usage(format!("`--table {table}`: write NAME=FILE")))?;
            all.push(format!("tables.{}={}", quoted(name), quoted(&absolute(Path::new(file))?)));
        }
        let (origins, plain): (Vec<&String>, Vec<&String>) = self.allow.iter().partition(|what| what.contains("://"));
        all.extend(plain.into_iter().map(|what| format!("allow.{what}=true")));
        if !origins.is_empty() {
            let origins: Vec<String> = origins.into_iter().map(|origin| quoted(origin)).collect();
            all.push(format!("allow.http=[{}]", origins.join(", ")));
        }
        all.extend(self.set.iter().cloned());
        Ok(all)
    }
}

/// A module or script, loaded by itself.
pub(super) struct One {
    /// What came of it: one sink, bound to everything that it hears, if nothing is wrong.
    pub(super) built: Built,
    /// What is wrong.
    pub(super) found: Diagnostics,
}

impl One {
    /// Loads it as a server would. The error is about the terms or a file that is not there, and not about the sink.
    pub(super) fn load(file: &Path, terms: &TermsOfOne, workshop: &Workshop) -> Result<Self, Failure> {
        let full = absolute(file)?;
        let folder = Path::new(&full).parent().unwrap_or(Path::new("/"));
        let kind = if is_script(file) { "script" } else { "module" };
        let new = NewSink { name: name(file), kind, source: full.clone(), on: Vec::new(), set: terms.assignments()? };
        let text = edit::add("", &new).map_err(Failure::Usage)?;
        let mut found = Diagnostics::default();
        let manifest = Manifest::parse(&folder.join("(the options of this command)"), &text, &mut found);
        let built = build(&manifest, workshop, &[], &mut found);
        Ok(Self { built, found })
    }

    /// What a server would refuse it for, each with what to do about it.
    pub(super) fn wrong(&self, file: &Path) -> Vec<(String, Option<String>)> {
        let prefix = format!("sink `{}`: ", name(file));
        let errors = self.found.iter().filter(|told| told.severity == Severity::Error);
        let plain = |text: &str| text.strip_prefix(&prefix).unwrap_or(text).to_owned();
        errors.map(|told| (plain(&told.message), told.help.clone())).collect()
    }
}

/// A sink's name made of its file's.
pub(super) fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = stem.chars().map(plain).take(64).collect();
    match name.trim_start_matches('-') {
        "" => "sink".to_owned(),
        name => name.to_owned(),
    }
}

/// The workshop for a tool: nothing of it lasts.
pub(super) fn workshop(natives: Natives) -> Workshop {
    crate::cli::check::workshop(natives)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path).map_err(|e| Failure::Failed(format!("`{}`: {e}", path.display())))?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::Failed(format!("`{}` can't be named in a manifest: it is not UTF-8", path.to_string_lossy()))
    })
}

/// As a string of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
