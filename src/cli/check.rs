//! `mailsluice check`: everything that `serve` and a reload would refuse, without a server.

use super::out::{Failure, Out, Outcome, count};
use super::world;
use crate::event::catalogue::CATALOGUE;
use crate::event::host::SystemClock;
use crate::event::{Files, Natives};
use crate::kv::{MemoryKv, Quota};
use crate::manifest::build::Workshop;
use crate::manifest::load::{Load, load};
use clap::Args;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Nothing to choose.
#[derive(Args, Debug)]
#[command(after_help = "\
Prints each error and warning with file, line and column. Exit code 1 if there is an error: then the server
would not start, and a reload would leave in force what is.")]
pub(super) struct Check {}

impl Check {
    pub(super) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let mut out = Out::new();
        let (text, good) = check(config, natives);
        out.write_all(text.as_bytes())?;
        out.end()?;
        if good { Ok(()) } else { Err(Failure::Told) }
    }
}

/// Configuration, manifest and all files that they name, built as for a server, which nothing is put in force of.
pub(super) fn build(config: &Path, natives: Natives) -> Result<Load, crate::config::Diagnostics> {
    load(config, &workshop(natives), &[], &mut Files::default())
}

/// What sinks are opened with to be checked. A check touches no data: their values are forgotten.
pub(super) fn workshop(natives: Natives) -> Workshop {
    let clock = Arc::new(SystemClock);
    world::workshop(natives, Arc::new(MemoryKv::new(clock.clone(), Quota::default())), clock)
}

/// What is to be printed, and whether all is well.
fn check(config: &Path, natives: Natives) -> (String, bool) {
    let load = match build(config, natives) {
        Ok(load) => load,
        Err(found) => return (found.to_string(), false),
    };
    let warnings = load.found.to_string();
    let listeners = load.settings.listeners.len();
    let sinks = load.built.sinks.len();
    let bindings: usize = CATALOGUE.iter().map(|spec| load.built.dispatcher.order(spec.event).len()).sum();
    match load.into_snapshot(1) {
        Ok(_) => {
            let told = [(listeners, "listener"), (sinks, "sink"), (bindings, "binding")];
            let told = told.map(|(n, what)| count(n as u64, what)).join(", ");
            (format!("{warnings}ok: {told}\n"), true)
        }
        Err(error) => (format!("{warnings}error: {error}\n"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::build::natives;

    const CONFIG: &str = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n\
        [recipients]\nusers = ['alice']\n[limits]\nfree-space = '0 B'\nconnections = 10\n";

    fn told(config: &str, sinks: &str) -> (String, bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mailsluice.toml");
        std::fs::write(&path, config).unwrap();
        std::fs::write(dir.path().join("sinks.toml"), sinks).unwrap();
        let (text, good) = check(&path, natives());
        assert!(!dir.path().join("var").exists(), "a check writes nothing");
        (text, good)
    }

    #[test]
    fn all_is_well_in_one_line() {
        let sinks =
            "[[sink]]\nname = 'log'\nnative = 'log'\n[[sink.on]]\nevent = 'in.mail'\n[[sink.on]]\nevent = 'in.rcpt'\n";
        assert_eq!(told(CONFIG, sinks), ("ok: 1 listener, 1 sink, 2 bindings\n".into(), true));
    }

    #[test]
    fn errors_of_both_files_in_one_pass_and_warnings_that_do_not_fail() {
        let (text, good) = told(&format!("{CONFIG}idel = '5m'\n"), "[[sink]]\nname = 'x'\nnative = 'lgo'\n");
        assert!(!good && text.contains("did you mean `idle`?") && text.contains("did you mean `log`?"), "{text}");
        assert!(text.ends_with("\n2 errors\n"), "{text}");
        let later = "[[sink]]\nname = 'log'\nnative = 'log'\n[[sink.on]]\nevent = 'in.mail'\n";
        let (text, good) = told(&CONFIG.replace("[recipients]\nusers = ['alice']\n", ""), later);
        assert!(good && text.contains("warning") && text.ends_with("ok: 1 listener, 1 sink, 1 binding\n"), "{text}");
    }
}
