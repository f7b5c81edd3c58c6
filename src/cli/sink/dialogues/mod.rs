//! `mailsluice sink test DIR`: the dialogues of a sink's folder, each with a private server.

mod private;

use crate::cli::dialogue::{Dialogue, Packets};
use crate::cli::out::{Failure, Out, Outcome, count, printable};
use clap::Args;
use private::{Private, Workplace};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which folder.
#[derive(Args, Debug)]
#[command(after_help = "\
The folder has a `sink.toml`, the entry for a manifest, and dialogues `*.smtp`: what a client sends (C:), what the
server answers (S:), and what is accepted in the end (E:, M:). Each has a server of its own that delivers for
example.com with the users alice, bob and postmaster; it listens on the loopback, and all that it wrote is removed.
Exit code 1 if anything differs.

Example:
  mailsluice sink test examples/sinks/js-subject-tag")]
pub(in crate::cli) struct Test {
    /// The sink's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print it as JSON, one dialogue on a line
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(in crate::cli) fn run(self) -> Outcome {
        let manifest = std::path::absolute(self.folder.join("sink.toml"))?;
        if !manifest.is_file() {
            return Err(Failure::Failed(format!("there is no `{}`", self.folder.join("sink.toml").display())));
        }
        let files = dialogues(&self.folder)?;
        let compiled = Workplace::new()?;
        let (mut out, mut failed) = (Out::new(), 0);
        for file in &files {
            let result = run(file, &manifest, compiled.path());
            failed += u64::from(result.is_err());
            self.tell(file, result.as_ref().err(), &mut out)?;
        }
        if !self.json {
            writeln!(out, "{}, {failed} failed", count(files.len() as u64, "dialogue"))?;
        }
        out.end()?;
        if failed == 0 { Ok(()) } else { Err(Failure::Told) }
    }

    fn tell(&self, file: &Path, wrong: Option<&String>, out: &mut Out) -> Outcome {
        if self.json {
            out.json(&json!({ "dialogue": file, "wrong": wrong }))?;
        } else {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            match wrong {
                None => writeln!(out, "ok      {name}")?,
                Some(wrong) => {
                    writeln!(out, "FAILED  {name}")?;
                    wrong.lines().try_for_each(|line| writeln!(out, "  {}", printable(line)))?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

fn dialogues(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "smtp"));
    files.sort();
    if files.is_empty() {
        return Err(Failure::Failed(format!("there is no dialogue `*.smtp` in `{}`", folder.display())));
    }
    Ok(files)
}

/// One dialogue. The error is what differed, with what was logged.
fn run(file: &Path, manifest: &Path, compiled: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let dialogue = Dialogue::parse(&file.file_name().unwrap_or_default().to_string_lossy(), &text)?;
    if let Some(line) = dialogue.setup.sinks.first() {
        return Err(format!("`= {line}` stands for a sink; here the sinks are those of `sink.toml`"));
    }
    let setup = &dialogue.setup;
    let more =
        [("config", !setup.config.is_empty()), ("manifest", !setup.manifest.is_empty()), ("proxied", setup.proxied)];
    if let Some((key, _)) = more.iter().find(|(_, said)| *said) {
        return Err(format!("`= {key}` is for the server's own tests; here the sinks are those of `sink.toml`"));
    }
    let mut server = Private::start(manifest, setup, compiled)?;
    dialogue
        .run(&mut server, Packets::AsWritten)
        .map_err(|what| format!("{what}\nThe server's log:\n{}", server.last_words()))
}
