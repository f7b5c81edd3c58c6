//! The script: loading it, and one call of it from begin to end.
//!
//! A call ends when the function has returned, its promise is settled, and no job is left. Everything that is wrong with it is
//! one line of text.

use crate::call::Call;
use crate::engine::{self, Entry};
use crate::wit::exports::mailsluice::script::loader::Grants;
use crate::wit::exports::mailsluice::sink::claims::Claim;
use crate::wit::mailsluice::script::engine::read;
use crate::wit::mailsluice::sink::types::Verdict;
use crate::{claims, fault, module, verdict};
use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Function, IntoJs, Module, Object, Persistent, Value};
use std::cell::{Cell, RefCell};

thread_local! {
    static MAIN: RefCell<String> = const { RefCell::new(String::new()) };
    /// Octets of memory that the sink may have.
    static MEMORY: Cell<usize> = const { Cell::new(0) };
    static CLAIM: RefCell<Option<Claim>> = const { RefCell::new(None) };
}

/// What of the memory is the script's, in quarters: it is to meet an error that it can read, and not a trap.
const HEAP_QUARTERS: usize = 3;

/// Reads and runs the main module, and returns the names of the events that it has functions for.
pub(crate) fn load(path: String, grants: Grants, memory: u64) -> Result<Vec<String>, String> {
    MEMORY.set(usize::try_from(memory).unwrap_or(usize::MAX));
    engine::limit(MEMORY.get() / 4 * HEAP_QUARTERS);
    MAIN.set(path.clone());
    let source = read(&path).map_err(|why| format!("{path}:1:1 {why}"))?;
    engine::with(|ctx, entry| {
        let outcome = evaluate(ctx, entry, &path, source, grants);
        end(ctx, entry);
        outcome
    })
}

/// Where the main module exports a name.
pub(crate) fn find(name: String) -> String {
    MAIN.with_borrow(|main| module::find(main, &name))
}

/// What the script claims of the protocol.
pub(crate) fn claim() -> Option<Claim> {
    CLAIM.with_borrow(Clone::clone)
}

/// Calls the script's function for an event that a verdict is waited for.
pub(crate) fn decide(event: &str, call: Call) -> Result<Verdict, String> {
    call.during(|| {
        engine::with(|ctx, entry| {
            let outcome = handle(ctx, entry, event);
            end(ctx, entry);
            outcome
        })
    })
}

/// Calls the script's function for an event that it is told of.
pub(crate) fn tell(event: &str, call: Call) -> Result<(), String> {
    decide(event, call).map(|_| ())
}

/// Calls the script's own test, if it has one.
pub(crate) fn test() -> Result<(), String> {
    engine::with(|ctx, entry| {
        let outcome =
            settled(ctx, entry, function(ctx, &entry.test).and_then(|test| test.call(()))).and_then(|value| {
                fault::caught(ctx, function(ctx, &entry.tested).and_then(|tested| tested.call((value,))))
            });
        end(ctx, entry);
        outcome
    })
}

/// Where to look for what has no place of its own: the function that is running, or the main module.
pub(crate) fn whereabouts(ctx: &Ctx<'_>) -> String {
    let main = || MAIN.with_borrow(|main| format!("{main}:1:1"));
    let place = engine::within(|entry| function(ctx, &entry.whereabouts).ok()?.call::<_, Option<String>>(()).ok()?);
    place.unwrap_or_else(main)
}

/// Whether the heap is nearly full.
pub(crate) fn is_memory_short() -> bool {
    // In a memory this large the heap may have had no room for the error that says so.
    core::arch::wasm32::memory_size(0) * 65536 > MEMORY.get() / 8 * 5
}

fn evaluate(ctx: &Ctx<'_>, entry: &Entry, path: &str, source: String, grants: Grants) -> Result<Vec<String>, String> {
    fault::caught(ctx, prepare(ctx, entry, grants))?;
    let (module, promise) = fault::caught(ctx, module::main(ctx, path, source).and_then(Module::eval))?;
    settled(ctx, entry, Ok(promise.into_value()))?;
    let adopted = module.namespace().and_then(|exports| function(ctx, &entry.adopt)?.call::<_, Array>((exports,)));
    let (events, claims) = fault::caught(ctx, adopted.and_then(|found| Ok((found.get(0)?, found.get::<Array>(1)?))))?;
    CLAIM.set(Some(fault::caught(ctx, claims::read(&claims))?));
    Ok(events)
}

fn prepare(ctx: &Ctx<'_>, entry: &Entry, grants: Grants) -> rquickjs::Result<()> {
    let granted = Object::new(ctx.clone())?;
    granted.set("kv", grants.kv)?;
    granted.set("dns", grants.dns)?;
    granted.set("http", grants.http)?;
    granted.set("submit", grants.submit)?;
    granted.set("metrics", grants.metrics)?;
    granted.set("queue", grants.queue)?;
    function(ctx, &entry.prepare)?.call((granted,))
}

fn handle(ctx: &Ctx<'_>, entry: &Entry, event: &str) -> Result<Verdict, String> {
    let value = settled(ctx, entry, function(ctx, &entry.run).and_then(|run| run.call((event,))))?;
    let parts = function(ctx, &entry.conclude).and_then(|conclude| conclude.call::<_, Option<Array>>((value,)));
    fault::caught(ctx, parts.and_then(|parts| parts.map_or(Ok(Verdict::Next), |parts| verdict::read(&parts))))
}

/// What a call returned or its promise holds, once there is nothing left to do.
fn settled<'js>(ctx: &Ctx<'js>, entry: &Entry, result: rquickjs::Result<Value<'js>>) -> Result<Value<'js>, String> {
    let value = fault::caught(ctx, result)?;
    while !engine::was_stopped() && ctx.execute_pending_job() {}
    if engine::was_stopped() {
        return Err(fault::of(Value::new_undefined(ctx.clone())));
    }
    let Some(promise) = value.as_promise() else {
        return engine::take_rejected().map_or(Ok(value), Err);
    };
    if promise.state() == PromiseState::Pending {
        let error = fault::caught(ctx, function(ctx, &entry.stuck).and_then(|stuck| stuck.call::<_, Value>(())))?;
        return Err(engine::take_rejected().unwrap_or_else(|| fault::of(error)));
    }
    let held = promise.result().unwrap_or_else(|| Value::new_undefined(ctx.clone()).into_js(ctx));
    let held = fault::caught(ctx, held)?;
    engine::take_rejected().map_or(Ok(held), Err)
}

/// Takes back what belonged to the call.
fn end(ctx: &Ctx<'_>, entry: &Entry) {
    engine::rest();
    // It only assigns; if even that fails, the heap is full, and the server drops an instance that has failed.
    let _ = fault::caught(ctx, function(ctx, &entry.end).and_then(|end| end.call::<_, ()>(())));
}

fn function<'js>(ctx: &Ctx<'js>, kept: &Persistent<Function<'static>>) -> rquickjs::Result<Function<'js>> {
    kept.clone().restore(ctx)
}
