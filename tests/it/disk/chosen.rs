//! Which operations fail, and which outcomes of a power cut are looked at: with `MAILSLUICE_CUTS=N` every operation, and N outcomes of
//! each cut; without it every 13th operation, each time others, and one outcome.

use super::Cut;

fn number() -> Option<u64> {
    std::env::var("MAILSLUICE_CUTS").ok().map(|n| n.parse().expect("MAILSLUICE_CUTS: a number"))
}

/// The operations that fail, counted from 1, without end.
pub(crate) fn operations() -> impl Iterator<Item = u64> {
    let (first, step) = if number().is_some() { (1, 1) } else { (1 + u64::from(std::process::id()) % 13, 13) };
    (first..).step_by(step)
}

/// What becomes of the disk if the power is cut at the operation `n`.
pub(crate) fn cuts(n: u64) -> impl Iterator<Item = Cut> {
    let first = [Cut::Nothing, Cut::Names, Cut::Octets, Cut::Some(n)][n as usize % 4];
    std::iter::once(first).chain((1..number().unwrap_or(1)).map(move |m| Cut::Some(n * 1000 + m)))
}
