//! What can be told of a module without running it, for its author.

use super::contract::{Contract, contract};
use super::{Refusal, bounds, component};
use std::borrow::Cow;

/// What a module is.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What it exports and imports, and what of that does not fit.
    pub contract: Contract,
    /// Whether it is a core module, which is wrapped when it is loaded.
    pub is_core: bool,
    /// Octets of memory with which an instance starts.
    pub memory: u64,
}

/// Looks at the bytes of a module.
///
/// # Errors
/// It is no module, or none that can be read.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Refusal> {
    let component = component(bytes)?;
    let is_core = matches!(component, Cow::Owned(_));
    Ok(Inspection { contract: contract(&component)?, is_core, memory: bounds::at_start(&component)? })
}
