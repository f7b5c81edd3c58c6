//! QuickJS: its limits, the prelude, and the functions of the prelude that Rust calls.
//!
//! Booted once, by [`boot`], before the component is snapshot. It is single-threaded and never torn down.

use crate::wit::mailsluice::script::engine::{give_up, should_stop};
use crate::{module, natives};
use rquickjs::{CaughtError, Context, Ctx, Function, Module, Object, Persistent, Runtime};
use std::cell::{Cell, OnceCell, RefCell};

/// What calls may use of the stack, in octets: the host's own stack holds as many frames.
const STACK: usize = 200 << 10;

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
    static BOOTED: Cell<bool> = const { Cell::new(false) };
    static STOPPED: Cell<bool> = const { Cell::new(false) };
    /// Promises that were rejected while nobody awaited them, by what QuickJS knows them by, with the fault.
    static REJECTED: RefCell<Vec<(u64, String)>> = const { RefCell::new(Vec::new()) };
}

/// The engine, with the functions of `prelude/run.js`.
pub(crate) struct Engine {
    runtime: Runtime,
    context: Context,
    pub(crate) entry: Entry,
}

/// A function of the prelude.
type Kept = Persistent<Function<'static>>;

/// The functions of `prelude/run.js`, which says what each does.
pub(crate) struct Entry {
    pub(crate) prepare: Kept,
    pub(crate) adopt: Kept,
    pub(crate) run: Kept,
    pub(crate) conclude: Kept,
    pub(crate) test: Kept,
    pub(crate) tested: Kept,
    pub(crate) stuck: Kept,
    pub(crate) whereabouts: Kept,
    pub(crate) end: Kept,
}

/// Boots the engine and runs the prelude, unless that has been done. What goes wrong is a mistake of ours, found when the component
/// is built.
fn boot() {
    if !is_booted() {
        std::panic::set_hook(Box::new(|info| give_up(&format!("the script host failed: {info}"))));
        ENGINE.with(|cell| _ = cell.get_or_init(|| Engine::new().unwrap_or_else(|error| panic!("{error}"))));
        BOOTED.set(true);
    }
}

/// Whether the host may be asked things.
pub(crate) fn is_booted() -> bool {
    BOOTED.get()
}

/// Whether the script was stopped because it has had its time.
pub(crate) fn was_stopped() -> bool {
    STOPPED.get()
}

/// Works with the engine. Not to be used by what the engine itself calls.
pub(crate) fn with<T>(work: impl FnOnce(&Ctx<'_>, &Entry) -> Result<T, String>) -> Result<T, String> {
    boot();
    ENGINE.with(|cell| {
        let engine = cell.get().ok_or("the engine has not booted")?;
        engine.context.with(|ctx| work(&ctx, &engine.entry))
    })
}

/// Lets scripts keep so many octets.
pub(crate) fn limit(heap: usize) {
    boot();
    ENGINE.with(|cell| cell.get().map(|engine| engine.runtime.set_memory_limit(heap)));
}

/// Works with the prelude's functions, from within the engine.
pub(crate) fn within<T>(work: impl FnOnce(&Entry) -> Option<T>) -> Option<T> {
    ENGINE.with(|cell| work(&cell.get()?.entry))
}

/// Forgets what the call before has left behind.
pub(crate) fn rest() {
    STOPPED.set(false);
    REJECTED.take();
}

/// The first promise that was rejected and that nobody has awaited since; forgets all of them.
pub(crate) fn take_rejected() -> Option<String> {
    REJECTED.take().into_iter().next().map(|(_, fault)| fault)
}

impl Engine {
    fn new() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        runtime.set_max_stack_size(STACK);
        runtime.set_loader(module::Paths, module::Sources);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(|_, promise, reason, handled| {
            track(promise.as_raw(), handled, || crate::fault::of(reason))
        })));
        let context = Context::full(&runtime).map_err(|error| error.to_string())?;
        let entry =
            context.with(|ctx| prelude(&ctx).map_err(|error| CaughtError::from_error(&ctx, error).to_string()))?;
        runtime.set_interrupt_handler(Some(Box::new(|| {
            STOPPED.set(STOPPED.get() || is_booted() && should_stop());
            STOPPED.get()
        })));
        Ok(Self { runtime, context, entry })
    }
}

fn track(promise: u64, handled: bool, fault: impl FnOnce() -> String) {
    REJECTED.with_borrow_mut(|rejected| match rejected.iter().rposition(|(each, _)| *each == promise) {
        Some(place) if handled => drop(rejected.remove(place)),
        _ if handled => {}
        _ => rejected.push((promise, fault())),
    });
}

fn prelude(ctx: &Ctx<'_>) -> rquickjs::Result<Entry> {
    let host = Object::new(ctx.clone())?;
    natives::install(ctx, &host)?;
    ctx.globals().set("__host", host)?;
    Module::import(ctx, module::PUBLIC)?.finish::<()>()?;
    let run: Object = Module::import(ctx, module::RUN)?.finish()?;
    let keep = |name: &str| run.get::<_, Function>(name).map(|function| Persistent::save(ctx, function));
    Ok(Entry {
        prepare: keep("prepare")?,
        adopt: keep("adopt")?,
        run: keep("run")?,
        conclude: keep("conclude")?,
        test: keep("test")?,
        tested: keep("tested")?,
        stuck: keep("stuck")?,
        whereabouts: keep("whereabouts")?,
        end: keep("end")?,
    })
}
