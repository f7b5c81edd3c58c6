//! `mailsluice sink new`: a folder with the skeleton of a sink that builds, passes `sink check` and `sink test`, and does
//! nothing yet.

mod templates;

use super::trial::event;
use crate::cli::out::{Failure, Out, Outcome};
use crate::config::Diagnostics;
use crate::event::Event;
use crate::manifest::Manifest;
use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use templates::{BINDING, DIALOGUE, Lang, Template, WIT};

/// The version of the WIT that is written.
const VERSION: &str = "1.0.0";
/// What of `allow` is an interface that a component imports.
const INTERFACES: [&str; 6] = ["kv", "dns", "http", "submit", "metrics", "queue"];

/// What to write.
#[derive(Args, Debug)]
#[command(after_help = "\
Writes the folder NAME: sources, the entry for a manifest, a dialogue for `sink test`, a README with the
commands, and for what is compiled the WIT of what it hears and is granted.

Examples:
  mailsluice sink new --lang script --events transport.submit tag
  mailsluice sink new --lang rust --events in.rcpt,transport.submit --allow kv quota")]
pub(in crate::cli) struct New {
    /// What it is written in
    #[arg(long, value_enum)]
    lang: Lang,
    /// What it hears
    #[arg(long, value_name = "EVENTS", required = true, value_delimiter = ',')]
    events: Vec<String>,
    /// What it may reach: kv, dns, metrics, queue, submit, relay, clock, random, or an origin for http
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<String>,
    /// The folder `sinks` of Mailsluice's sources, to build with the SDK that lies there
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
    /// Its name: of a to z, digits, `_` and `-`; also that of the folder
    #[arg(value_name = "NAME")]
    name: String,
}

impl New {
    pub(in crate::cli) fn run(self) -> Outcome {
        let events = self.events.iter().map(|name| event(name)).collect::<Result<Vec<_>, _>>()?;
        let template = Template::of(self.lang);
        let template = template.ok_or_else(|| Failure::failed("there is no skeleton in this language"))?;
        let files = self.files(template, &events)?;
        self.check(&files)?;
        let folder = Path::new(&self.name);
        if folder.exists() {
            return Err(Failure::Failed(format!("there is something at `{}` already", folder.display())));
        }
        let mut out = Out::new();
        for (path, text) in &files {
            let path = folder.join(path);
            write(&path, text).map_err(|e| Failure::Failed(format!("cannot write `{}`: {e}", path.display())))?;
            writeln!(out, "{}", path.display())?;
        }
        writeln!(out, "\n`{}` says how to go on", folder.join("README.md").display())?;
        out.end()
    }

    fn files(&self, template: &Template, events: &[Event]) -> Result<Vec<(String, String)>, Failure> {
        let words = self.words(template, events)?;
        let filled = |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
        let mut files: Vec<(String, String)> = template
            .files
            .iter()
            .map(|(path, text)| (filled(path), format!("{}\n", filled(text).trim_end())))
            .collect();
        files.push(("dialogue.smtp".to_owned(), DIALOGUE.to_owned()));
        if template.wit {
            files.push(("wit/world.wit".to_owned(), self.world(events)));
            let copies =
                WIT.iter().map(|(name, text)| (format!("wit/deps/mailsluice-sink/{name}"), (*text).to_owned()));
            files.extend(copies);
        }
        Ok(files)
    }

    /// The words of the templates and what stands for them; those that bring in other words first.
    fn words(&self, template: &Template, events: &[Event]) -> Result<Vec<(&'static str, String)>, Failure> {
        let (mut handlers, mut bindings) = (String::new(), String::new());
        for event in events {
            let piece = template.handler(event.name()).ok_or_else(|| {
                Failure::Failed(format!("there is no skeleton for `{event}` in this language; leave it out"))
            })?;
            let fill = |text: &str| text.replace("{event}", event.name()).replace("{Event}", &type_name(*event));
            let _ = write!(handlers, "{}\n\n", fill(piece).trim_end());
            let _ = writeln!(bindings, "{}", fill(BINDING).trim_end());
        }
        let names = |separator: &str, name: fn(Event) -> String| {
            events.iter().map(|event| name(*event)).collect::<Vec<_>>().join(separator)
        };
        let listed = match template.lang {
            Lang::Rust => names(", ", type_name),
            _ => names(",", interface),
        };
        Ok(vec![
            ("{handlers}", handlers),
            ("{bindings}", format!("{bindings}{}", self.grants())),
            ("{events}", listed),
            ("{event}", events.first().map(|event| event.name()).unwrap_or_default().to_owned()),
            ("{sdk}", self.sdk(template.lang)?),
            ("{lib}", self.name.replace('-', "_")),
            ("{name}", self.name.clone()),
        ])
    }

    /// `[sink.allow]`, if anything is granted.
    fn grants(&self) -> String {
        if self.allow.is_empty() {
            return String::new();
        }
        let (origins, plain): (Vec<&String>, Vec<&String>) = self.allow.iter().partition(|what| what.contains("://"));
        let mut text = "[sink.allow]\n".to_owned();
        for what in plain {
            let _ = writeln!(text, "{what} = true");
        }
        if !origins.is_empty() {
            let origins: Vec<String> =
                origins.into_iter().map(|o| serde_json::Value::from(o.as_str()).to_string()).collect();
            let _ = writeln!(text, "http = [{}]", origins.join(", "));
        }
        text
    }

    /// How the SDK is had: as a dependency in Rust, as a folder in C and Go.
    fn sdk(&self, lang: Lang) -> Result<String, Failure> {
        let Some(folder) = &self.sdk else {
            let folder = "${MAILSLUICE_SINKS:?the folder sinks of Mailsluice}";
            return Ok(match lang {
                Lang::C => format!("{folder}/sdk-c"),
                Lang::Go => format!("{folder}/sdk-go"),
                _ => format!("\"{}\"", env!("CARGO_PKG_VERSION").trim_end_matches(".0")),
            });
        };
        let folder = std::path::absolute(folder)?;
        Ok(match lang {
            Lang::C => folder.join("sdk-c").display().to_string(),
            Lang::Go => folder.join("sdk-go").display().to_string(),
            _ => format!("{{ path = {} }}", serde_json::Value::from(folder.join("sdk").to_string_lossy())),
        })
    }

    /// The world of what it hears and is granted.
    fn world(&self, events: &[Event]) -> String {
        let mut text = format!("package local:sink;\n\nworld sink {{\n    include mailsluice:sink/base@{VERSION};\n");
        let http = self.allow.iter().any(|what| what.contains("://"));
        let granted = |name: &&&str| self.allow.iter().any(|what| what == **name) || (**name == "http" && http);
        for name in INTERFACES.iter().filter(granted) {
            let _ = writeln!(text, "    import mailsluice:sink/{name}@{VERSION};");
        }
        for event in events {
            let _ = writeln!(text, "    export mailsluice:sink/{}@{VERSION};", interface(*event));
        }
        text + "}\n"
    }

    /// The entry has to be one that a manifest takes: so names and grants are checked where all others are.
    fn check(&self, files: &[(String, String)]) -> Outcome {
        let Some((path, text)) = files.iter().find(|(path, _)| path == "sink.toml") else { return Ok(()) };
        let mut found = Diagnostics::default();
        Manifest::parse(Path::new(path), text, &mut found);
        if found.has_errors() { Err(Failure::Failed(found.to_string())) } else { Ok(()) }
    }
}

/// `in-rcpt`.
fn interface(event: Event) -> String {
    event.name().replace('.', "-")
}

/// `InRcpt`.
fn type_name(event: Event) -> String {
    let mut name = String::new();
    for word in event.name().split(['.', '-']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::catalogue::CATALOGUE;
    use templates::TEMPLATES;

    fn new(lang: Lang, events: &[&str], allow: &[&str]) -> New {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        New { lang, events: owned(events), allow: owned(allow), sdk: None, name: "my-sink".to_owned() }
    }

    #[test]
    fn every_language_has_a_piece_for_every_event_and_no_word_is_left() {
        let heard: Vec<Event> = CATALOGUE.iter().map(|spec| spec.event).collect();
        for template in TEMPLATES {
            let new = new(template.lang, &[], &["kv", "https://a.example"]);
            let files = new.files(template, &heard).unwrap_or_else(|e| panic!("{:?}: {e:?}", template.lang));
            new.check(&files).unwrap_or_else(|e| panic!("{:?}: {e:?}", template.lang));
            for (path, text) in files.iter().filter(|(path, _)| !path.starts_with("wit/")) {
                for word in ["{name}", "{lib}", "{events}", "{event}", "{Event}", "{handlers}", "{bindings}", "{sdk}"] {
                    assert!(!text.contains(word) && !path.contains(word), "{:?} {path}: {word}", template.lang);
                }
            }
        }
    }

    #[test]
    fn the_world_is_what_it_hears_and_is_granted() {
        let new = new(Lang::Rust, &[], &["kv", "clock", "https://a.example"]);
        assert_eq!(
            new.world(&[Event::InRcpt, Event::TransportSubmit]),
            "package local:sink;\n\nworld sink {\n    include mailsluice:sink/base@1.0.0;\n    import mailsluice:sink/kv@1.0.0;\n    \
             import mailsluice:sink/http@1.0.0;\n    export mailsluice:sink/in-rcpt@1.0.0;\n    \
             export mailsluice:sink/transport-submit@1.0.0;\n}\n"
        );
        assert_eq!(type_name(Event::TransportOversize), "TransportOversize");
    }

    #[test]
    fn a_name_or_a_grant_that_no_manifest_takes_is_refused() {
        for (name, allow, why) in [("My Sink", "kv", "can't be the name"), ("a", "kvv", "did you mean `kv`")] {
            let mut new = new(Lang::Script, &[], &[allow]);
            new.name = name.to_owned();
            let template = Template::of(Lang::Script).unwrap();
            let Err(Failure::Failed(text)) = new.check(&new.files(template, &[Event::InRcpt]).unwrap()) else {
                panic!()
            };
            assert!(text.contains(why), "{text}");
        }
    }
}
