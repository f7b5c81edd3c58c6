//! Dispatches of `in.rcpt`, as `cargo bench --bench seam` times them.

use super::stage::{World, dispatcher};
use std::hint::black_box;

/// A rule that holds, by its second pattern.
pub(crate) const RULE: &str =
    "helo = '*.example.org'\nrecipient = ['*@example.net', '*@example.com']\nnot = { auth = '*' }";

pub(crate) fn raise(n: u64, sinks: usize, rule: Option<&str>, ledger: bool) {
    let dispatcher = dispatcher(sinks, rule);
    let mut world = World::new();
    for _ in 0..n {
        black_box(world.raise(black_box(&dispatcher), ledger));
    }
}
