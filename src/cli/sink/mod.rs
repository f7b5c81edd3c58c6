//! `mailsluice sink`: the sinks of the manifest, looked at and edited, and the tools of their authors, which need neither
//! manifest nor server.

#[cfg(feature = "wasm")]
mod alone;
#[cfg(feature = "wasm")]
mod bench;
#[cfg(feature = "wasm")]
mod check;
mod dialogues;
mod edit;
mod list;
#[cfg(feature = "wasm")]
mod new;
mod order;
#[cfg(feature = "wasm")]
mod trial;
#[cfg(feature = "wasm")]
mod upgrade;
mod when;

use super::out::Outcome;
use super::site;
use crate::event::Natives;
use clap::Subcommand;
use std::path::Path;

/// What to do.
#[derive(Subcommand, Debug)]
pub(super) enum Sink {
    /// List the sinks of the manifest, and how they do if the server runs
    List(list::List),
    /// Print who is called at which event, in order: the one authority
    Order(order::Order),
    /// Add a sink to the manifest
    Add(edit::Add),
    /// Remove a sink, its bindings and the comment above it
    Remove(edit::Named),
    /// Switch a sink on
    Enable(edit::Named),
    /// Switch a sink off; it stays in the manifest and is still checked
    Disable(edit::Named),
    /// Set a value of a sink or of one of its bindings
    Set(edit::Set),
    /// Put another version of a module or script in force, checked and pinned
    #[cfg(feature = "wasm")]
    Upgrade(upgrade::Upgrade),
    /// Go back to the version that the last upgrade replaced
    #[cfg(feature = "wasm")]
    Rollback(upgrade::Rollback),
    /// Write the skeleton of a sink into a folder of its own
    #[cfg(feature = "wasm")]
    New(new::New),
    /// Check a module or script: what it hears, what it would have to be granted, what is wrong with it
    #[cfg(feature = "wasm")]
    Check(check::Check),
    /// Call a module, a script or a sink of the manifest once, without a server, and show all that it does
    #[cfg(feature = "wasm")]
    Try(trial::Try),
    /// Run the dialogues of a sink's folder, each with a private server
    Test(dialogues::Test),
    /// Measure what a module or script costs: per event, at the start, in memory
    #[cfg(feature = "wasm")]
    Bench(bench::Bench),
}

impl Sink {
    /// `config`: the configuration as the command line names it, if it does.
    pub(super) fn run(self, config: Option<&Path>, natives: Natives) -> Outcome {
        let place = || site::config(config);
        match self {
            Self::List(list) => list.run(&place()?),
            Self::Order(order) => order.run(&place()?, natives),
            Self::Add(add) => add.run(&place()?, natives),
            Self::Remove(named) => named.remove(&place()?, natives),
            Self::Enable(named) => named.enable(&place()?, natives, true),
            Self::Disable(named) => named.enable(&place()?, natives, false),
            Self::Set(set) => set.run(&place()?, natives),
            #[cfg(feature = "wasm")]
            Self::Upgrade(upgrade) => upgrade.run(&place()?, natives),
            #[cfg(feature = "wasm")]
            Self::Rollback(rollback) => rollback.run(&place()?, natives),
            #[cfg(feature = "wasm")]
            Self::New(new) => new.run(),
            #[cfg(feature = "wasm")]
            Self::Check(check) => check.run(natives),
            #[cfg(feature = "wasm")]
            Self::Try(trial) => trial.run(config, natives),
            Self::Test(test) => test.run(),
            #[cfg(feature = "wasm")]
            Self::Bench(bench) => bench.run(natives),
        }
    }
}
