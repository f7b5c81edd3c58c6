//! What a guest's store holds: what is lent to it, what it asked for, and what it may use up.

use super::lent::Lent;
use super::terms::Terms;
use super::time::GuestTime;
use super::wasi::Wasi;
use crate::event::{Edit, Edits};
use crate::mail::Timestamp;
use crate::mail::mime::Mime;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::ResourceLimiter;

/// The longest text that is kept of what a guest said last.
const LAST_WORDS_MAX: usize = 2048;

/// The data of a store.
pub(super) struct State {
    pub(super) terms: Arc<Terms>,
    pub(super) time: Arc<GuestTime>,
    /// The event at hand; none while the guest is loaded.
    pub(super) lent: Option<Lent>,
    pub(super) edits: Edits,
    /// Octets that the edits carry.
    output: usize,
    /// The number of the first recipient of this call, so that a handle kept from an earlier one is known.
    pub(super) first_recipient: u32,
    /// The parts of the message, once asked for.
    pub(super) mime: Option<Result<Arc<Mime>, String>>,
    /// The room that the view of a large message takes.
    pub(super) room: Option<OwnedSemaphorePermit>,
    /// The part that was read last, decoded.
    pub(super) decoded: Option<(u32, Bytes)>,
    /// The sources that the script host may read; none for a component.
    pub(super) sources: Option<Arc<super::script::Sources>>,
    /// Octets of random that have been drawn in this call.
    pub(super) drawn: u64,
    pub(super) wasi: Wasi,
    memory: usize,
    /// Octets that the guest asked for and did not get.
    denied: Option<usize>,
    last_words: String,
}

impl State {
    pub(super) fn new(terms: Arc<Terms>, sources: Option<Arc<super::script::Sources>>) -> Self {
        Self {
            wasi: Wasi::default(),
            time: Arc::default(),
            lent: None,
            edits: Edits::new(),
            output: 0,
            first_recipient: 0,
            mime: None,
            room: None,
            decoded: None,
            sources,
            drawn: 0,
            memory: 0,
            denied: None,
            last_words: String::new(),
            terms,
        }
    }

    /// Begins a call.
    pub(super) fn lend(&mut self, lent: Lent) {
        self.time.reset();
        (self.output, self.drawn) = (0, 0);
        self.last_words.clear();
        self.denied = None;
        self.wasi.forget();
        self.lent = Some(lent);
    }

    /// Ends a call, and takes what it asked for.
    pub(super) fn take_back(&mut self) -> Edits {
        if let Some(lent) = self.lent.take() {
            let count = u32::try_from(lent.recipients().len()).unwrap_or(u32::MAX);
            self.first_recipient = self.first_recipient.saturating_add(count);
        }
        (self.mime, self.decoded, self.room) = (None, None, None);
        self.wasi.flush();
        std::mem::take(&mut self.edits)
    }

    /// The event at hand.
    pub(super) fn lent(&self) -> wasmtime::Result<&Lent> {
        self.lent.as_ref().ok_or_else(|| trap("there is no event at hand"))
    }

    /// When the transaction began, or else the session; without either, now.
    pub(super) fn began(&self) -> Timestamp {
        self.lent.as_ref().and_then(Lent::began).unwrap_or_else(|| self.terms.clock.now())
    }

    /// The full name of a property: one without a dot is the sink's own.
    pub(super) fn full_name(&self, name: String) -> String {
        if name.contains('.') { name } else { format!("{}.{name}", self.terms.name) }
    }

    /// Records a change that carries so many octets.
    pub(super) fn edit(&mut self, edit: Edit, octets: usize) -> wasmtime::Result<()> {
        self.output = self.output.saturating_add(octets);
        let max = self.terms.limits.output;
        if self.output > max {
            return Err(limit(format!("its changes carry over {max} octets (`limits.output`)")));
        }
        if self.edits.len() >= crate::event::EDITS_MAX {
            return Err(limit(format!("over {} changes in one call", crate::event::EDITS_MAX)));
        }
        self.edits.push(edit);
        Ok(())
    }

    /// Octets of memory in use.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// The memory that was asked for in vain, if that has happened.
    pub(super) fn denied(&self) -> Option<usize> {
        self.denied
    }

    /// Keeps what the guest said last: it may be why it fails.
    pub(super) fn heard(&mut self, text: &str) {
        let over = (self.last_words.len() + text.len() + 1).saturating_sub(LAST_WORDS_MAX);
        let cut = self.last_words.ceil_char_boundary(over.min(self.last_words.len()));
        self.last_words.drain(..cut);
        self.last_words.push(' ');
        self.last_words.push_str(&text[text.ceil_char_boundary(text.len().saturating_sub(LAST_WORDS_MAX))..]);
    }

    /// What the guest said last in this call.
    pub(super) fn last_words(&self) -> &str {
        self.last_words.trim()
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.memory.saturating_add(desired - current);
        if after > self.terms.limits.memory {
            self.denied = Some(after);
            return Ok(false);
        }
        self.memory = after;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= super::engine::TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        super::engine::CORE_INSTANCES_MAX as usize
    }

    fn memories(&self) -> usize {
        super::engine::MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        super::engine::TABLES_MAX as usize
    }
}

/// An error of a host function: the guest ends, and its author reads the text.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) kind: crate::event::FaultKind,
    pub(super) text: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Told {}

/// A mistake of the guest's in the use of a host function.
pub(super) fn trap(text: impl Into<String>) -> wasmtime::Error {
    wasmtime::Error::new(Told { kind: crate::event::FaultKind::Illegal, text: text.into() })
}

/// A limit that the guest went over.
pub(super) fn limit(text: impl Into<String>) -> wasmtime::Error {
    wasmtime::Error::new(Told { kind: crate::event::FaultKind::Limit, text: text.into() })
}

/// A look-up that could not be made.
pub(super) fn unavailable(text: impl Into<String>) -> wasmtime::Error {
    wasmtime::Error::new(Told { kind: crate::event::FaultKind::Error, text: text.into() })
}
