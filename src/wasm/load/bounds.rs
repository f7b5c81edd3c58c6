//! What can be seen of a module's appetite before it is compiled: memory at start, and what the sandbox has not.

use super::super::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};
use super::super::fault::mib;
use super::super::terms::Limits;
use super::Refusal;
use wasmparser::{Parser, Payload, Validator};

#[derive(Default)]
struct Needs {
    memory: u64,
    memories: u32,
    tables: u32,
    /// Of the largest table.
    elements: u64,
    instances: u32,
}

/// Whether the module, core or component, is valid in the sandbox.
pub(super) fn valid(module: &[u8]) -> Result<(), Refusal> {
    let valid = Validator::new_with_features(features()).validate_all(module);
    valid.map(drop).map_err(|e| {
        let text = format!("the module is damaged, or uses what the sandbox has not: {}", e.message());
        Refusal::new(format!("{text} (at octet {})", e.offset()))
    })
}

/// Whether the component is valid and may have what it needs at start.
pub(super) fn check(component: &[u8], limits: &Limits) -> Result<(), Refusal> {
    valid(component)?;
    fits(component, limits)
}

/// Whether a component that is valid may have what it needs at start.
pub(super) fn fits(component: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let needs = needs(component).map_err(|e| Refusal::new(format!("the module is damaged: {e}")))?;
    if needs.memory > limits.memory as u64 {
        let need = usize::try_from(needs.memory).unwrap_or(usize::MAX);
        let text = format!("this needs {} at start and is allowed {}", mib(need), mib(limits.memory));
        let help = format!(
            "set `limits.memory` to \"{}\" or more, or give the module less, such as a smaller stack",
            mib(need)
        );
        return Err(Refusal::with_help(text, help));
    }
    let counts = [
        ("memories", needs.memories.into(), MEMORIES_MAX.into()),
        ("tables", needs.tables.into(), TABLES_MAX.into()),
        ("elements in a table", needs.elements, TABLE_ELEMENTS_MAX as u64),
        ("instances", needs.instances.into(), u64::from(CORE_INSTANCES_MAX)),
    ];
    match counts.iter().find(|(_, count, max)| count > max) {
        Some((what, count, max)) => Err(Refusal::new(format!("this has {count} {what}; {max} are allowed"))),
        None => Ok(()),
    }
}

/// What the engine is set up for.
fn features() -> wasmparser::WasmFeatures {
    use wasmparser::WasmFeatures as F;
    let mut features = F::default() | F::COMPONENT_MODEL;
    for absent in [F::MEMORY64, F::THREADS, F::GC, F::EXCEPTIONS, F::CM_ASYNC, F::STACK_SWITCHING, F::LEGACY_EXCEPTIONS]
    {
        features.remove(absent);
    }
    features
}

/// Octets of memory with which the component starts.
pub(super) fn at_start(component: &[u8]) -> Result<u64, Refusal> {
    let needs = needs(component).map_err(|e| Refusal::new(format!("the module is damaged: {e}")))?;
    Ok(needs.memory)
}

fn needs(component: &[u8]) -> wasmparser::Result<Needs> {
    let mut needs = Needs::default();
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::MemorySection(memories) => {
                for memory in memories {
                    needs.memory = needs.memory.saturating_add(memory?.initial.saturating_mul(64 << 10));
                    needs.memories += 1;
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    needs.elements = needs.elements.max(table?.ty.initial);
                    needs.tables += 1;
                }
            }
            Payload::InstanceSection(instances) => needs.instances = needs.instances.saturating_add(instances.count()),
            _ => {}
        }
    }
    Ok(needs)
}
