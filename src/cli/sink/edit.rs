//! `mailsluice sink add|remove|enable|disable|set`: one change to the manifest, checked as a whole before it is made.

use crate::cli::check;
use crate::cli::out::{Failure, Out, Outcome, complain, note};
use crate::cli::site;
use crate::config::{Diagnostics, Settings};
use crate::event::{Files, Natives};
use crate::manifest::Manifest;
#[cfg(feature = "wasm")]
use crate::manifest::SinkDecl;
use crate::manifest::edit::{self, NewBinding, NewSink};
use crate::manifest::load::read_manifest;
use crate::snapshot::Snapshot;
use clap::{ArgGroup, Args};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A new sink.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true), after_help = "\
Examples:
  mailsluice sink add log --native log --on transport.submit --priority 32767
  mailsluice sink add vip --native headers --set 'config.add=[{ name = \"X-Vip\", value = \"yes\" }]' \\
      --on transport.submit --when 'sender = \"*@vip.example\"'")]
pub(in crate::cli) struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Compiled in, under this name
    #[arg(long, value_name = "NAME", group = "source")]
    native: Option<String>,
    /// A WebAssembly module
    #[arg(long, value_name = "FILE", group = "source")]
    module: Option<String>,
    /// A script
    #[arg(long, value_name = "FILE", group = "source")]
    script: Option<String>,
    /// Call it at this event; may be given again [default: at every event that it hears]
    #[arg(long, value_name = "EVENT")]
    on: Vec<String>,
    /// Where in the order of these events: 0 first, 32767 last [default: 24575]
    #[arg(long, value_name = "N", requires = "on", value_parser = clap::value_parser!(u16).range(0..=32767))]
    priority: Option<u16>,
    /// Call it only when this rule holds
    #[arg(long, value_name = "TOML", requires = "on")]
    when: Option<String>,
    /// Set a further key, as `sink set` does; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// A sink by its name.
#[derive(Args, Debug)]
pub(in crate::cli) struct Named {
    /// The sink
    #[arg(value_name = "NAME")]
    name: String,
}

/// A value to set.
#[derive(Args, Debug)]
#[command(after_help = "\
KEY is dotted and begins with a key of the sink: config, allow, limits, tables, enabled, … A binding is named
by its event or by its number from 0. VALUE is TOML; what is not is taken as a string.

Examples:
  mailsluice sink set greylist config.delay=10m
  mailsluice sink set log on.transport.submit.priority=32767
  mailsluice sink set vip 'on.0.when={ sender = \"*@vip.example\" }'")]
pub(in crate::cli) struct Set {
    /// The sink
    #[arg(value_name = "NAME")]
    name: String,
    /// What to set; may be given again
    #[arg(value_name = "KEY=VALUE", required = true)]
    assignments: Vec<String>,
}

impl Add {
    pub(in crate::cli) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let binding =
            |event: &String| NewBinding { event: event.clone(), priority: self.priority, when: self.when.clone() };
        let sources = [("native", &self.native), ("module", &self.module), ("script", &self.script)];
        let source = sources.into_iter().find_map(|(kind, source)| Some((kind, source.clone()?)));
        let (kind, source) = source.ok_or_else(|| Failure::Usage("say --native, --module or --script".to_owned()))?;
        let on = self.on.iter().map(binding).collect();
        let new = NewSink { name: self.name.clone(), kind, source, on, set: self.set.clone() };
        let desk = Desk::open(config, natives)?;
        let file = desk.manifest_path.clone();
        desk.change(&file, |text| edit::add(text, &new).map(Some))
    }
}

impl Named {
    pub(in crate::cli) fn remove(self, config: &Path, natives: Natives) -> Outcome {
        let desk = Desk::open(config, natives)?;
        let file = desk.file_of(&self.name)?;
        desk.change(&file, |text| edit::remove(text, &self.name).map(Some))
    }

    pub(in crate::cli) fn enable(self, config: &Path, natives: Natives, on: bool) -> Outcome {
        let desk = Desk::open(config, natives)?;
        let file = desk.file_of(&self.name)?;
        desk.change(&file, |text| edit::enable(text, &self.name, on))
    }
}

impl Set {
    pub(in crate::cli) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let desk = Desk::open(config, natives)?;
        let file = desk.file_of(&self.name)?;
        desk.change(&file, |text| {
            let set = |text: String, assignment: &String| edit::set(&text, &self.name, assignment);
            self.assignments.iter().try_fold(text.to_owned(), set).map(Some)
        })
    }
}

/// The files that an edit has to do with.
pub(super) struct Desk {
    config: PathBuf,
    natives: Natives,
    settings: Settings,
    /// Whether it is there or not.
    manifest_path: PathBuf,
    found: Diagnostics,
    manifest: Manifest,
}

impl Desk {
    pub(super) fn open(config: &Path, natives: Natives) -> Result<Self, Failure> {
        let mut found = Diagnostics::default();
        let Some(settings) = Settings::read(config, &mut found) else { return Err(Failure::Failed(found.to_string())) };
        let default = || config.parent().unwrap_or(Path::new("")).join("sinks.toml");
        let manifest_path = settings.manifest.clone().unwrap_or_else(default);
        let manifest = match settings.manifest {
            Some(_) => Manifest::read(&manifest_path, &mut found).unwrap_or_default(),
            None => Manifest::default(),
        };
        Ok(Self { config: config.to_owned(), natives, settings, manifest_path, found, manifest })
    }

    /// The file that declares a sink: the manifest, or one that it includes.
    pub(super) fn file_of(&self, name: &str) -> Result<PathBuf, Failure> {
        let decl = self.manifest.sinks.iter().find(|decl| decl.name.value == name);
        let source = decl.map(|decl| decl.name.span.source);
        let file = self.manifest.files.iter().find(|file| Some(file.source) == source);
        file.map(|file| file.path.clone()).ok_or_else(|| {
            let names: Vec<&str> = self.manifest.sinks.iter().map(|decl| decl.name.value.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let errors = if self.found.has_errors() { format!("\n{}", self.found) } else { String::new() };
            Failure::Failed(format!(
                "there is no sink `{name}` in {}; there are: {names}{errors}",
                self.manifest_path.display()
            ))
        })
    }

    /// Makes a change of one file, if the whole is good with it. `edit` returns nothing if there is nothing to change.
    fn change(self, file: &Path, edit: impl Fn(&str) -> Result<Option<String>, String>) -> Outcome {
        if self.replace(file, edit)? { self.tell_server() } else { Ok(()) }
    }

    /// The same, without a word to the server.
    #[cfg(feature = "wasm")]
    pub(super) fn write(&self, file: &Path, edit: impl Fn(&str) -> Result<Option<String>, String>) -> Outcome {
        self.replace(file, edit).map(drop)
    }

    /// How a sink is declared.
    #[cfg(feature = "wasm")]
    pub(super) fn decl(&self, name: &str) -> Result<&SinkDecl, Failure> {
        let decl = self.manifest.sinks.iter().find(|decl| decl.name.value == name);
        decl.ok_or_else(|| Failure::Failed(format!("there is no sink `{name}`")))
    }

    /// Whether there was anything to change.
    fn replace(&self, file: &Path, edit: impl Fn(&str) -> Result<Option<String>, String>) -> Result<bool, Failure> {
        let shown = file.display();
        if file.extension().is_some_and(|e| e == "json") {
            return Err(Failure::Failed(format!("`{shown}` is JSON: edit it by hand, then run `mailsluice check`")));
        }
        let before = match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::Failed(format!("cannot read `{shown}`: {error}"))),
        };
        let after =
            edit(before.as_deref().unwrap_or_default()).map_err(|e| Failure::Failed(format!("{shown}: {e}")))?;
        let Some(after) = after else {
            note("nothing to change: it is so already");
            return Ok(false);
        };
        self.check(file, &after)?;
        edit::replace(file, before.as_deref(), &after)
            .map_err(|error| Failure::Failed(format!("cannot write `{shown}`: {error}")))?;
        let mut out = Out::new();
        writeln!(out, "written: {shown}")?;
        out.end()?;
        Ok(true)
    }

    /// Checks everything as it would be. Warnings are told, errors are a failure.
    fn check(&self, file: &Path, after: &str) -> Outcome {
        let mut found = Diagnostics::default();
        found.sources.pretend(file, after);
        let settings = Settings::read(&self.config, &mut found);
        let workshop = check::workshop(self.natives.clone());
        let built = read_manifest(&self.manifest_path, &workshop, &[], &mut Files::default(), &mut found);
        let refused = |text: &str| {
            complain(text);
            note("nothing was changed: the manifest would not pass");
            Err(Failure::Told)
        };
        match settings {
            Some(settings) if !found.has_errors() => {
                let registered = built.registered();
                if let Err(error) = Snapshot::new(1, settings, built.dispatcher, registered) {
                    return refused(&error);
                }
            }
            _ => return refused(&found.to_string()),
        }
        if !found.is_empty() {
            note(found.to_string().trim_end());
        }
        Ok(())
    }

    /// Says whether a running server has taken the change up.
    pub(super) fn tell_server(&self) -> Outcome {
        site::tell_server(&self.settings)
    }
}
