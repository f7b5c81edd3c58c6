//! What the fuzz targets share: each is one name in a table, and a function that takes any octets and asserts.
//!
//! The functions need nothing of the fuzzer. `tests/fuzz` runs them on the seeds and on a number of inputs made of those.

#[path = "../../tests/reference/mod.rs"]
mod reference;
mod targets;

/// Gives an input to a target. Panics if what has to hold does not, or if there is no such target.
pub fn run(target: &str, data: &[u8]) {
    let found = targets::TARGETS.iter().find(|(name, _)| *name == target);
    let Some((_, assert)) = found else { panic!("there is no target `{target}`") };
    assert(data);
}
