//! What the seam costs: events without sinks, with one native sink that answers at once, with ten, with rules, and with
//! the ledger on.
//!
//! One iteration is one event. Run alone by `cargo bench --bench seam`.

mod stage;

use criterion::{Criterion, criterion_group, criterion_main};
use stage::{World, dispatcher};
use std::hint::black_box;

const RULE: &str = "helo = '*.example.org'\nrecipient = ['*@example.net', '*@example.com']\nnot = { auth = '*' }";
const OTHER: &str = "client = '198.51.100.0/24'";

fn seam(c: &mut Criterion) {
    let rows: [(&str, usize, Option<&str>, bool); 9] = [
        ("no sink", 0, None, false),
        ("one no-op sink", 1, None, false),
        ("one no-op sink, ledger", 1, None, true),
        ("ten no-op sinks", 10, None, false),
        ("ten no-op sinks, ledger", 10, None, true),
        ("one sink, its rule holds", 1, Some(RULE), false),
        ("ten sinks, their rules hold", 10, Some(RULE), false),
        ("ten sinks, their rules don't hold", 10, Some(OTHER), false),
        ("ten sinks, their rules hold, ledger", 10, Some(RULE), true),
    ];
    let mut group = c.benchmark_group("seam");
    for (name, sinks, rule, ledger) in rows {
        let dispatcher = dispatcher(sinks, rule);
        let mut world = World::new();
        group.bench_function(name, |b| b.iter(|| black_box(world.raise(black_box(&dispatcher), ledger))));
    }
    group.finish();
}

criterion_group!(benches, seam);
criterion_main!(benches);
