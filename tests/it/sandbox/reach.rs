//! What guests reach for: files, network, environment, time; and who ends itself, or waits.

use super::arena::{Act, SHORT, arena};

#[test]
fn nothing_is_within_reach() {
    arena(
        &[
            Act::harmless("reaches", "reach"),
            Act::harmless("reaches", "print"),
            Act::harmless("reaches", "clocks"),
            Act::fault("reaches", "exit", "it ended itself with exit(1)"),
            Act::fault("reaches", "quit", "it ended itself with exit(0)"),
            Act::fault("reaches", "abort", "panic: "),
        ],
        SHORT,
    );
}
