//! `mailsluice sink check FILE`: what a module or script is, what it would have to be granted, and what is wrong with it.

use super::alone::{One, TermsOfOne, workshop};
use crate::cli::out::{Failure, Out, Outcome, complain, printable, size};
use crate::cli::table::Table;
use crate::event::{Claims, Interest, Natives};
use crate::manifest::build::alone::{Contract, Refusal, inspect};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a sink gets if its manifest says nothing, in octets.
const MEMORY: u64 = 64 << 20;
/// An origin to grant where any would do.
const NOWHERE: &str = "https://policy.example.com";

/// Which file.
#[derive(Args, Debug)]
#[command(after_help = "\
Needs no configuration and no server. The file is loaded as a server would load it, with everything granted
that it imports, and its self-test is run; one that needs a configuration gets it by --set or --sink-config.
Exit code 1 if a server would refuse it.

Examples:
  mailsluice sink check modules/disclaimer.wasm --set config.text=Confidential
  mailsluice sink check scripts/tag.js --json")]
pub(in crate::cli) struct Check {
    /// A WebAssembly module, or a script (`.js`, `.mjs`)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    terms: TermsOfOne,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(in crate::cli) fn run(self, natives: Natives) -> Outcome {
        let mut report = Report::of(&self.file)?;
        if report.wrong.is_empty() {
            let one = One::load(&self.file, &report.terms(self.terms), &workshop(natives))?;
            report.wrong = one.wrong(&self.file);
            report.interest = one.built.sinks.first().map(|sink| sink.registered.interest.clone()).unwrap_or_default();
        }
        report.tell(&self.file, self.json)
    }
}

/// Whether the file is a script, by its name.
pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "js" || e == "mjs")
}

/// What was found out.
#[derive(Default)]
struct Report {
    kind: &'static str,
    octets: u64,
    /// With which an instance starts; of modules only.
    memory: Option<u64>,
    contract: Contract,
    /// As it says itself when it runs.
    interest: Interest,
    /// Each with what to do about it.
    wrong: Vec<(String, Option<String>)>,
}

impl Report {
    /// What the file looks like from outside.
    fn of(file: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(file);
        let bytes = bytes.map_err(|e| Failure::Failed(format!("cannot read `{}`: {e}", file.display())))?;
        let octets = bytes.len() as u64;
        if is_script(file) {
            return Ok(Self { kind: "script", octets, ..Self::default() });
        }
        let told = |refusal: Refusal| (refusal.text, refusal.help);
        Ok(match inspect(&bytes) {
            Err(refusal) => Self { kind: "file", octets, wrong: vec![told(refusal)], ..Self::default() },
            Ok(seen) => {
                let kind = if seen.is_core { "core module" } else { "component" };
                let wrong = seen.contract.refusals.iter().cloned().map(told).collect();
                Self { kind, octets, memory: Some(seen.memory), contract: seen.contract, wrong, ..Self::default() }
            }
        })
    }

    /// The terms with everything granted that it asks for. A script asks when it runs, and gets everything.
    fn terms(&self, terms: TermsOfOne) -> TermsOfOne {
        let all = ["kv", "dns", "http", "submit", "metrics"];
        let imported = self.contract.capabilities().map(|(name, _)| name);
        let wanted: Vec<&str> = if self.kind == "script" { all.to_vec() } else { imported.collect() };
        let word = |name: &str| if name == "http" { NOWHERE.to_owned() } else { name.to_owned() };
        let built_in = |name: &&str| match *name {
            "dns" => cfg!(feature = "dns"),
            "http" => cfg!(feature = "http"),
            _ => true,
        };
        let terms = terms.allowing(wanted.into_iter().filter(built_in).map(word));
        match self.memory.filter(|memory| *memory > MEMORY) {
            Some(memory) => terms.setting(format!("limits.memory=\"{} MiB\"", memory.div_ceil(1 << 20))),
            None => terms,
        }
    }

    /// The events: as it says itself, or if it does not run, as it looks.
    fn events(&self) -> Vec<&'static str> {
        let said = &self.interest.events;
        let events = if said.is_empty() { &self.contract.events } else { said };
        events.iter().map(|event| event.name()).collect()
    }

    /// What a manifest has to grant, as the lines of one.
    fn grants(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(memory) = self.memory.filter(|memory| *memory > MEMORY) {
            lines.push("[sink.limits]".to_owned());
            lines.push(format!("memory = \"{} MiB\"", memory.div_ceil(1 << 20)));
        }
        let allow: Vec<String> = self.contract.capabilities().map(|(_, line)| line.to_owned()).collect();
        if !allow.is_empty() {
            lines.push("[sink.allow]".to_owned());
            lines.extend(allow);
        }
        lines
    }

    fn tell(&self, file: &Path, as_json: bool) -> Outcome {
        let mut out = Out::new();
        if as_json {
            out.json(&self.json(file))?;
        } else {
            self.print(file, &mut out)?;
        }
        out.end()?;
        if self.wrong.is_empty() {
            return Ok(());
        }
        if !as_json {
            for (text, help) in &self.wrong {
                let help = help.as_ref().map(|help| format!("\n  help: {}", printable(help))).unwrap_or_default();
                complain(&format!("{}: {}{help}", file.display(), printable(text)));
            }
        }
        Err(Failure::Told)
    }

    fn json(&self, file: &Path) -> Value {
        let claims = &self.interest.claims;
        let wrong: Vec<Value> = self.wrong.iter().map(|(text, help)| json!({ "text": text, "help": help })).collect();
        let allow: Vec<&str> = self.contract.capabilities().map(|(name, _)| name).collect();
        json!({
            "file": file, "kind": self.kind, "size": self.octets, "memory": self.memory, "events": self.events(),
            "claims": {
                "verbs": verbs(claims), "mail-params": claims.mail_params,
                "rcpt-params": claims.rcpt_params, "auth-mechanisms": claims.auth_mechanisms, "keywords": claims.keywords,
            },
            "extras": self.contract.extras, "imports": self.contract.imports, "wasi": self.contract.wasi,
            "allow": allow, "manifest": self.grants(), "wrong": wrong,
        })
    }

    fn print(&self, file: &Path, out: &mut impl Write) -> io::Result<()> {
        let memory = self.memory.map(|memory| format!(", {} of memory at start", size(memory))).unwrap_or_default();
        writeln!(out, "{}: {}, {}{memory}", file.display(), self.kind, size(self.octets))?;
        let mut facts = Table::default().indent(2);
        let mut fact = |name: &str, items: &[String]| {
            if !items.is_empty() {
                facts.row([name.to_owned(), printable(&items.join(", "))]);
            }
        };
        let events: Vec<String> = self.events().into_iter().map(ToOwned::to_owned).collect();
        fact("hears", &events);
        fact("claims", &claimed(&self.interest.claims));
        fact("exports", &self.contract.extras);
        fact("imports", &self.contract.imports);
        fact("WASI", &self.contract.wasi);
        if !self.contract.wasi.is_empty() {
            facts.row([String::new(), "(linked, and empty: no files, no network, no environment)".to_owned()]);
        }
        for (index, line) in self.grants().into_iter().enumerate() {
            facts.row([if index == 0 { "needs" } else { "" }.to_owned(), line]);
        }
        facts.print(out)
    }
}

fn verbs(claims: &Claims) -> Vec<String> {
    claims.verbs.iter().map(|claim| claim.verb.clone()).collect()
}

fn claimed(claims: &Claims) -> Vec<String> {
    let of = |what: &str, names: &[String]| names.iter().map(|name| format!("{what} {name}")).collect::<Vec<_>>();
    [
        of("verb", &verbs(claims)),
        of("MAIL parameter", &claims.mail_params),
        of("RCPT parameter", &claims.rcpt_params),
        of("mechanism", &claims.auth_mechanisms),
        of("EHLO keyword", &claims.keywords),
    ]
    .concat()
}
