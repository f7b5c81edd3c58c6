//! Why a guest failed, in words that its author understands.

use super::state::{State, Told};
use crate::event::{Fault, FaultKind};
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Frames of a backtrace that are shown.
const FRAMES: usize = 6;

/// The fault of a call that ended with `error`. What the guest said last is part of it.
pub(super) fn fault(error: &wasmtime::Error, state: &State) -> Fault {
    let words = words(state);
    let (kind, text) = cause(error, state, !words.is_empty());
    let said = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
    Fault::new(kind, &*state.terms.log.masked(&format!("{text}{said}{}", backtrace(error))))
}

/// What a guest returned as its own error.
pub(super) fn of_its_own(why: &str, state: &State) -> Fault {
    Fault::error(state.terms.log.masked(why))
}

fn cause(error: &wasmtime::Error, state: &State, spoke: bool) -> (FaultKind, String) {
    if let Some(told) = error.downcast_ref::<Told>() {
        return (told.kind, told.text.clone());
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return (FaultKind::Error, format!("it ended itself with exit({code})"));
    }
    let allowed = state.terms.limits.memory;
    if let Some(asked) = state.denied() {
        let text = format!("it asked for {} of memory and is allowed {} (`limits.memory`)", mib(asked), mib(allowed));
        return (FaultKind::Limit, text);
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => of_trap(*trap, spoke),
        None if error.root_cause().to_string().contains("hostcalls") => {
            let text = format!("it passed more than {} to the server in one call (`limits.memory`)", mib(allowed));
            (FaultKind::Limit, text)
        }
        None if is_of_host(error) => (FaultKind::Limit, format!("a limit of the server's: {}", error.root_cause())),
        None => (
            FaultKind::Illegal,
            format!("what it passed to the server is not what the interface asks for: {}", error.root_cause()),
        ),
    }
}

/// Whether the engine has run out of something, such as handles or slots.
fn is_of_host(error: &wasmtime::Error) -> bool {
    let text = error.root_cause().to_string();
    ["limit exceeded", "maximum concurrent", "table has no free keys"].iter().any(|words| text.contains(words))
}

fn of_trap(trap: Trap, spoke: bool) -> (FaultKind, String) {
    let text = match trap {
        Trap::StackOverflow => {
            return (FaultKind::Limit, "its stack is used up: it calls itself too deeply".to_owned());
        }
        Trap::Interrupt => return (FaultKind::Overrun, "it was interrupted".to_owned()),
        Trap::UnreachableCodeReached if spoke => "it panicked".to_owned(),
        Trap::UnreachableCodeReached => "it panicked, or reached code that it says can't be reached".to_owned(),
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => "it reached for memory that is not its own".to_owned(),
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => {
            "it called a function that is none".to_owned()
        }
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => {
            format!("its arithmetic failed: {trap}")
        }
        other => format!("it trapped: {other}"),
    };
    (FaultKind::Panic, text)
}

/// What it logged or printed as an error last.
fn words(state: &State) -> String {
    let printed = state.wasi.last_words();
    let said = if printed.is_empty() { state.last_words() } else { &printed };
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The functions in which it ended, innermost first, where the module has their names.
fn backtrace(error: &wasmtime::Error) -> String {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let name = |frame: &wasmtime::FrameInfo| {
        let raw = frame.func_name()?;
        let name = rustc_demangle::try_demangle(raw).map_or_else(|_| raw.to_owned(), |name| format!("{name:#}"));
        Some(name)
    };
    let names: Vec<String> = trace.frames().iter().filter_map(name).filter(|n| !is_machinery(n)).take(FRAMES).collect();
    if names.is_empty() { String::new() } else { format!("; in {}", names.join(" < ")) }
}

/// Functions that every panic goes through: they tell nothing.
fn is_machinery(name: &str) -> bool {
    const MACHINERY: [&str; 9] = [
        "core::panicking",
        "std::panicking",
        "rust_panic",
        "__rust",
        "std::sys",
        "std::process",
        "abort",
        "_Exit",
        "panic_abort",
    ];
    MACHINERY.iter().any(|start| name.contains(start))
}

pub(super) fn mib(octets: usize) -> String {
    let mib = octets.div_ceil(1 << 20);
    format!("{mib} MiB")
}
