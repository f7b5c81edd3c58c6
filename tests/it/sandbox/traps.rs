//! Traps, panics and overruns: what ends a call where it stands.

use super::arena::{Act, SHORT, arena};

#[test]
fn guests_that_never_come_back_are_stopped_in_time() {
    let used_up = "overrun: it used 20 ms of its own time (`limits.cpu`)";
    arena(
        &[
            Act::fault("loops", "spin", used_up),
            Act::fault("loops", "call", used_up),
            Act::fault("loops", "copy", used_up),
        ],
        SHORT,
    );
}

#[test]
fn guests_that_call_themselves_without_end_use_up_their_own_stack() {
    // A Rust guest keeps a stack of its own at the bottom of its memory: it falls out of that first.
    let fallen = "panic: it reached for memory that is not its own; in recursion::";
    arena(
        &[
            Act::fault("descends", "deeper", "limit: its stack is used up: it calls itself too deeply"),
            Act::fault("recursion", "deeper", fallen),
            Act::fault("recursion", "wider", fallen),
        ],
        SHORT,
    );
}

#[test]
fn guests_that_take_what_memory_there_is_get_what_is_allowed() {
    arena(
        &[
            Act::fault(
                "memory",
                "hoard",
                "limit: it asked for 18 MiB of memory and is allowed 16 MiB (`limits.memory`)",
            ),
            Act::harmless("memory", "ask"),
            Act::harmless("memory", "touch"),
            Act::harmless("memory-grows", "grow"),
            Act::harmless("table-grows", "grow"),
        ],
        SHORT,
    );
}

#[test]
fn guests_that_trap_are_told_why() {
    arena(
        &[
            Act::fault("panics", "panic", "panic: it panicked; it said: panicked at examples/panics.rs"),
            Act::fault("panics", "index", "panic: it panicked; it said: panicked at examples/panics.rs"),
            Act::fault("panics", "novel", "panic: it panicked; it said: "),
            Act::fault("panics", "fault", "no opinion today  nor tomorrow"),
            Act::fault("divide", "divide", "panic: its arithmetic failed: wasm trap: integer divide by zero"),
            Act::fault("overflow", "divide", "panic: its arithmetic failed: wasm trap: integer overflow"),
            Act::fault(
                "no-number",
                "convert",
                "panic: its arithmetic failed: wasm trap: invalid conversion to integer",
            ),
            Act::fault("unreachable", "go", "panic: it panicked, or reached code that it says can't be reached"),
            Act::fault("outside", "write", "panic: it reached for memory that is not its own"),
            Act::fault("null-call", "call", "panic: it called a function that is none"),
            Act::fault("wrong-call", "call", "panic: it called a function that is none"),
        ],
        SHORT,
    );
}
