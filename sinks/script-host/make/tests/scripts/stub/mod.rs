//! A server that is none: it answers the script host with made-up things, and writes down what it is asked to do.

mod message;
mod outbound;
mod services;
mod session;

pub(crate) use session::{excess, leg, shown};

use mailsluice_wit::mailsluice::script::engine;
use mailsluice_wit::mailsluice::sink::types::Credentials;
use std::collections::BTreeMap;
use wasmtime::Result;

/// What the made-up server has, and what was done.
#[derive(Default)]
pub(crate) struct World {
    /// The script's files.
    pub(crate) files: BTreeMap<String, String>,
    /// `[sink.config]`.
    pub(crate) config: String,
    /// Each thing that was asked for, in order.
    pub(crate) done: Vec<String>,
    pub(crate) kv: BTreeMap<String, Vec<u8>>,
    pub(crate) properties: BTreeMap<String, String>,
    /// What `clock` says.
    pub(crate) now: u64,
    /// What `random` says next.
    pub(crate) chance: u8,
    /// How often the script may still go on when it is asked.
    pub(crate) patience: Option<u32>,
    /// What comes with the next command, and which time that is.
    pub(crate) further: Option<(u32, Vec<u8>)>,
    /// What is presented next.
    pub(crate) credentials: Option<Credentials>,
    /// How many handles are open.
    pub(crate) handles: i64,
}

impl World {
    pub(crate) fn note(&mut self, what: impl Into<String>) -> Result<()> {
        self.done.push(what.into());
        Ok(())
    }
}

impl engine::Host for World {
    fn read(&mut self, path: String) -> Result<std::result::Result<String, String>> {
        Ok(self.files.get(&path).cloned().ok_or_else(|| "there is no such file".to_owned()))
    }

    fn should_stop(&mut self) -> Result<bool> {
        let Some(left) = self.patience else { return Ok(false) };
        self.patience = Some(left.saturating_sub(1));
        Ok(left == 0)
    }

    fn give_up(&mut self, text: String) -> Result<()> {
        Err(wasmtime::Error::msg(text))
    }
}
