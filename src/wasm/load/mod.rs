//! From bytes to a sink: what it is, whether it fits, compiled off the event loop, made once, and asked what it hears.
//!
//! Whatever does not fit is refused here, with the reason and what to do, and never with a linker's message.

mod bounds;
mod claims;
mod contract;
mod inspect;
mod probe;
mod wrap;

use super::code::{Code, Exports};
use super::engine::{Sandbox, TABLES_PER_SLOT};
use super::script::{Reader, Script, Sources};
use super::sink::Sandboxed;
use super::terms::Terms;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::component::Component;

pub use contract::{Contract, contract};
pub use inspect::{Inspection, inspect};

/// The largest module.
pub const MODULE_MAX: usize = 64 << 20;

/// Why a module or script can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl Refusal {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: clipped(text.into()), help: None }
    }

    pub(super) fn with_help(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { text: clipped(text.into()), help: Some(help.into()) }
    }
}

/// A text that quotes a module: what stands in one may be long.
fn clipped(mut text: String) -> String {
    const LONGEST: usize = 1000;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

/// The script host, as it ships.
static SCRIPT_HOST: &[u8] = include_bytes!("../../../sinks/script-host/script-host.wasm");

impl Sandbox {
    /// Loads a module: a component, or a core module that carries component type information. Blocks for as long as it is
    /// compiled; not to be called on the event loop.
    pub fn module(self: &Arc<Self>, bytes: &[u8], terms: Terms) -> Result<Sandboxed, Vec<Refusal>> {
        let component = component(bytes).map_err(|refusal| vec![refusal])?;
        let contract = contract(&component).map_err(|refusal| vec![refusal])?;
        let mut refusals = contract.refusals.clone();
        refusals.extend(contract.lacking(&terms.grants));
        refusals.extend(bounds::check(&component, &terms.limits).err());
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let code = self.code(&component, None).map_err(|refusal| vec![refusal])?;
        self.finish(code, terms)
    }

    /// Loads a script. `main` is its path as errors show it, from where `reader` starts.
    pub fn script(self: &Arc<Self>, main: &str, reader: Reader, terms: Terms) -> Result<Sandboxed, Vec<Refusal>> {
        let sources = Arc::new(Sources::new(reader));
        let script = Script { main: main.to_owned(), sources: sources.clone() };
        bounds::fits(SCRIPT_HOST, &terms.limits).map_err(|refusal| vec![refusal])?;
        let code = self.code(SCRIPT_HOST, Some(script)).map_err(|refusal| vec![refusal])?;
        let loaded = self.finish(code, terms);
        sources.close();
        loaded
    }

    fn finish(self: &Arc<Self>, code: Code, terms: Terms) -> Result<Sandboxed, Vec<Refusal>> {
        let terms = Arc::new(terms);
        let interest = self.probe(&code, &terms).map_err(|refusal| vec![refusal])?;
        Ok(Sandboxed::new(self.clone(), code, terms, interest))
    }

    fn code(&self, component: &[u8], script: Option<Script>) -> Result<Code, Refusal> {
        let compiled = match &script {
            // All scripts share one component.
            Some(_) => self.script_host(component)?,
            None => self.compiler.compile(&self.engine, component)?,
        };
        let needs = compiled.resources_required();
        let (memories, tables) = needs.map_or((1, 1), |needs| (needs.num_memories, needs.num_tables));
        let pre = self.linker.instantiate_pre(&compiled);
        let pre = pre.map_err(|e| Refusal::new(format!("it does not fit the interfaces: {:#}", e)))?;
        let weight = memories.max(tables.div_ceil(TABLES_PER_SLOT)).max(1);
        Ok(Code { exports: Exports::of(&compiled), pre, weight, script })
    }
}

impl Sandbox {
    /// The compiled script host. That it could not be compiled is not kept: the next time it may.
    fn script_host(&self, component: &[u8]) -> Result<Component, Refusal> {
        let mut kept = self.script_host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = &*kept {
            return Ok(compiled.clone());
        }
        let compiled = self.compiler.compile(&self.engine, component)?;
        *kept = Some(compiled.clone());
        Ok(compiled)
    }
}

/// The component in a file.
pub fn component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if bytes.len() > MODULE_MAX {
        let text = format!("it has {} MiB, and {} are allowed", bytes.len() >> 20, MODULE_MAX >> 20);
        return Err(Refusal::new(text));
    }
    wrap::component(bytes)
}

/// The compiled script host, once for a sandbox.
pub(super) type ScriptHost = Mutex<Option<Component>>;
