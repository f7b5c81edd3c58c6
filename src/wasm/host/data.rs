//! The interfaces without a capability: log, configuration, tables, clock and random; and what only the script host imports.

use super::super::state::{State, limit, trap};
use super::super::wasi::seeded;
use super::short;
use crate::event::host::Level as Weight;
use mailsluice_wit::mailsluice::script::engine;
use mailsluice_wit::mailsluice::sink::{clock, config, log, random, tables};

/// The most random octets at once.
const RANDOM_MAX: u32 = 64 << 10;

impl log::Host for State {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Weight::Debug,
            log::Level::Info => Weight::Info,
            log::Level::Warn => Weight::Warn,
            log::Level::Error => Weight::Error,
        };
        if level == Weight::Error {
            self.heard(&text);
        }
        let id = self.lent.as_ref().and_then(|lent| lent.id());
        self.terms.log.write(level, id, &text);
        Ok(())
    }
}

impl config::Host for State {
    fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.terms.config.to_string())
    }
}

impl tables::Host for State {
    fn lookup(&mut self, table: String, key: String) -> wasmtime::Result<Option<String>> {
        let (table, key) = (short("a table's name", table)?, short("a key", key)?);
        let Some(found) = self.terms.tables.get(&table) else {
            let known: Vec<&str> = self.terms.tables.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(trap(format!("there is no table `{table}` in [sink.tables], which has: {known}")));
        };
        Ok(found.lookup(&key).map(ToOwned::to_owned))
    }
}

impl clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(if self.terms.grants.clock { self.terms.clock.now().0 } else { self.began().0 })
    }
}

impl random::Host for State {
    fn octets(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        if count > RANDOM_MAX {
            return Err(limit(format!("{count} random octets at once; {RANDOM_MAX} are allowed")));
        }
        let mut octets = vec![0; count as usize];
        if self.terms.grants.random {
            getrandom::fill(&mut octets).map_err(|e| trap(format!("the system has no random octets: {e}")))?;
            return Ok(octets);
        }
        let id = self.lent.as_ref().and_then(|lent| lent.id());
        let drawn = self.drawn;
        self.drawn = drawn.saturating_add(count.into());
        Ok(seeded(id, &drawn.to_le_bytes(), octets.len()))
    }
}

impl engine::Host for State {
    fn read(&mut self, path: String) -> wasmtime::Result<Result<String, String>> {
        let path = short("a path", path)?;
        match &self.sources {
            Some(sources) => Ok(sources.read(&path)),
            None => Err(trap("only the script host may ask for sources")),
        }
    }

    fn should_stop(&mut self) -> wasmtime::Result<bool> {
        Ok(self.time.at_tick() > self.terms.limits.cpu)
    }

    fn give_up(&mut self, text: String) -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(super::super::state::Told { kind: crate::event::FaultKind::Error, text }))
    }
}
