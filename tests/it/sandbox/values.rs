//! What guests pass to the server, and how they ask: texts, numbers and handles that are none, and too much of everything.

use super::arena::{Act, LONG, SHORT, arena};

/// How the text of a fault begins whose guest broke the rules of the interface.
const ILLEGAL: &str = "illegal: what it passed to the server is not what the interface asks for: ";

#[test]
fn values_that_are_none_are_faults() {
    arena(
        &[
            Act::fault("bad-text", "hold", ILLEGAL),
            Act::fault("bad-log", "log", ILLEGAL),
            Act::fault("bad-level", "log", ILLEGAL),
            Act::fault("long-text", "hold", ILLEGAL),
            Act::fault("long-log", "log", ILLEGAL),
            Act::fault("bad-verdict", "say", ILLEGAL),
            Act::fault("bad-result", "say", ILLEGAL),
            Act::fault("bad-place", "say", ILLEGAL),
            Act::fault("crooked-place", "say", ILLEGAL),
            Act::fault("bad-memory", "give", ILLEGAL),
            Act::fault("reenters", "call", "panic: it trapped: wasm trap: cannot leave component instance; in act"),
        ],
        SHORT,
    );
}

#[test]
fn handles_that_are_none_are_faults() {
    arena(
        &[
            Act::fault("no-handle", "use", ILLEGAL),
            Act::fault("other-handle", "use", ILLEGAL),
            Act::fault("dropped-twice", "drop", ILLEGAL),
            Act::fault("dropped-then-used", "use", ILLEGAL),
            Act::fault("kept", "keep", ILLEGAL),
            Act::fault("handles", "hoard", "limit: a limit of the server's: cannot allocate another handle"),
            Act::harmless("kept-recipient", "keep"),
        ],
        LONG,
    );
}

#[test]
fn reads_out_of_bounds_find_nothing() {
    arena(
        &[
            Act::harmless("reads", "past"),
            Act::harmless("reads", "far"),
            Act::harmless("reads", "all"),
            Act::harmless("reads", "bytes"),
            Act::harmless("reads", "part"),
            Act::fault("reads", "forever", "overrun: it used 20 ms of its own time (`limits.cpu`)"),
            Act::fault("reads", "edit", "illegal: "),
        ],
        SHORT,
    );
}

#[test]
fn who_logs_too_much_is_heard_a_little_and_keeps_nobody_waiting() {
    arena(&[Act::fault("log", "endless", "overrun: it used")], SHORT);
    arena(&[Act::harmless("log", "long"), Act::harmless("log", "forge"), Act::harmless("log", "chatter")], LONG);
}
