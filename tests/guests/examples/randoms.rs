//! Asks everything that might differ from one run to the next, and writes it down: time, random numbers, the order of a hash
//! table, what a NaN looks like.

use mailsluice_guests::{Said, Submitted, guest, well};
use mailsluice_sink::{clock, random};
use std::collections::HashSet;
use std::hint::black_box;

fn act(heard: &mut Submitted<'_>) -> Said {
    let order: Vec<u32> = (0..20).collect::<HashSet<u32>>().into_iter().collect();
    let nan = black_box(0.0_f64) / black_box(-0.0_f64);
    let nan = (nan * black_box(-1.0)).to_bits();
    let numbers = (random::number(), random::number());
    let told = format!("{:?} {numbers:?} {nan:x} {order:?}", clock::now());
    heard.set_header("X-Told", &told)?;
    well()
}

guest!(act);
