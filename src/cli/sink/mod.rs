//! `mailsluice sink`: the sinks of the manifest, looked at and edited.

mod edit;
mod list;
mod order;
mod when;

use super::out::Outcome;
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
}

impl Sink {
    pub(super) fn run(self, config: &Path, natives: Natives) -> Outcome {
        match self {
            Self::List(list) => list.run(config),
            Self::Order(order) => order.run(config, natives),
            Self::Add(add) => add.run(config, natives),
            Self::Remove(named) => named.remove(config, natives),
            Self::Enable(named) => named.enable(config, natives, true),
            Self::Disable(named) => named.enable(config, natives, false),
            Self::Set(set) => set.run(config, natives),
        }
    }
}
