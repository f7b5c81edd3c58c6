//! The engine: how guests are compiled and run, and how many at a time. One for a server, over all of its reloads.

use super::code::Code;
use super::compile::Compiler;
use super::host;
use super::load::ScriptHost;
use super::state::State;
use super::time::Ticker;
use crate::event::{Fault, FaultKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::Linker;
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Core instances that one component may be made of.
pub(super) const CORE_INSTANCES_MAX: u32 = 100;
/// Memories that one component may have.
pub(super) const MEMORIES_MAX: u32 = 20;
/// Tables that one component may have.
pub(super) const TABLES_MAX: u32 = 100;
/// Elements that a table may have.
pub(super) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Instances that may be there at a time, over all sinks.
pub(super) const SLOTS: u32 = 1000;
/// Tables for each slot.
pub(super) const TABLES_PER_SLOT: u32 = 4;
/// The stack of a guest. An interpreter inside of one needs more than the usual half MiB: it has a limit of its own below this.
const GUEST_STACK: usize = 4 << 20;
/// The stack on which a guest and the host functions that it calls run.
const FIBER_STACK: usize = 8 << 20;
/// Octets of a slot that are cleared by hand and not given back to the system.
const KEPT_RESIDENT: usize = 1 << 20;

/// Where sandboxed sinks are compiled and run.
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) ticker: Ticker,
    /// One permit for each slot of the pool: who finds none waits, and within its deadline.
    slots: Arc<Semaphore>,
    pub(super) compiler: Compiler,
    pub(super) script_host: ScriptHost,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("compiler", &self.compiler).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox. Compiled code is kept in `cache`, which nobody but the server may write to; without one everything is compiled
    /// when it is loaded.
    ///
    /// # Errors
    /// A text that says what the system refused: address space, the folder, or a thread.
    pub fn new(cache: Option<PathBuf>, compiler: Compiler) -> Result<Self, String> {
        let engine = engine(cache, SLOTS)?;
        let mut linker = Linker::new(&engine);
        host::link(&mut linker).map_err(|e| format!("the host functions don't fit their WIT: {e:#}"))?;
        let ticker = Ticker::start(&engine).map_err(|e| format!("no thread for the sandbox: {e}"))?;
        Ok(Self {
            engine,
            linker,
            ticker,
            slots: Arc::new(Semaphore::new(SLOTS as usize)),
            compiler,
            script_host: ScriptHost::default(),
        })
    }
}

impl Sandbox {
    /// Room for an instance, once there is some.
    pub(super) async fn slot(&self, code: &Code) -> Result<OwnedSemaphorePermit, Fault> {
        let slot = self.slots.clone().acquire_many_owned(code.weight).await;
        slot.map_err(|_| Fault::new(FaultKind::Limit, "there is no room for another instance"))
    }
}

/// The sandbox of a server, made when the first sink needs it: one without any pays nothing.
#[derive(Debug)]
pub struct Sandboxes {
    cache: Option<PathBuf>,
    made: Mutex<Option<Arc<Sandbox>>>,
}

impl Sandboxes {
    /// One that compiles in this process and keeps nothing: for tools that end with their task.
    pub fn here() -> Self {
        Self { cache: None, made: Mutex::default() }
    }

    /// One that compiles in a process of its own, into this folder.
    pub fn cached(folder: PathBuf) -> Self {
        Self { cache: Some(folder), made: Mutex::default() }
    }

    /// The sandbox.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn get(&self) -> Result<Arc<Sandbox>, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = &*made {
            return Ok(sandbox.clone());
        }
        let compiler = self.cache.clone().map_or(Compiler::Here, Compiler::worker);
        let sandbox = Arc::new(Sandbox::new(self.cache.clone(), compiler)?);
        *made = Some(sandbox.clone());
        Ok(sandbox)
    }
}

/// An engine with so many slots. What a cache holds is found by another process only if its engine is made here too.
pub(super) fn engine(cache: Option<PathBuf>, slots: u32) -> Result<Engine, String> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
    // Guests are interrupted by epochs: measured in loops they cost more than fuel, but time is what is promised, and a single
    // `memory.copy` may take long. No effect was measured on short calls.
    config.epoch_interruption(true);
    config.max_wasm_stack(GUEST_STACK).async_stack_size(FIBER_STACK);
    config.concurrency_support(false);
    config.wasm_memory64(false).wasm_multi_memory(true);
    // The same message gets the same answer on every machine.
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    if let Some(folder) = cache {
        config.cache(Some(open_cache(folder)?));
    }
    Engine::new(&config).map_err(|e| {
        format!("the sandbox can't be set up: {e:#}; it reserves 4 TiB of address space, which `ulimit -v` must allow")
    })
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots * CORE_INSTANCES_MAX)
        .total_memories(slots)
        .total_tables(slots * TABLES_PER_SLOT)
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .max_memories_per_module(MEMORIES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        // Measured: with these a fresh instance costs half as much, for fewer calls to the system.
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .table_keep_resident(KEPT_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
}

fn open_cache(folder: PathBuf) -> Result<Cache, String> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let told = |e: &dyn std::fmt::Display| format!("the folder of compiled sinks `{}`: {e}", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| told(&e))?;
    let found = std::fs::metadata(&folder).map_err(|e| told(&e))?;
    // What lies there is run: nobody else may have put it there.
    if found.uid() != nix::unistd::geteuid().as_raw() || found.mode() & 0o022 != 0 {
        return Err(told(&"it belongs to somebody else, or others may write to it; remove it"));
    }
    let absolute = std::path::absolute(&folder).map_err(|e| told(&e))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|e| told(&e))
}
