//! Instructions per operation on the hot paths, counted by valgrind and compared with those kept in `counts.toml`.
//!
//! A time says little on a machine that others use; a count is the same on a busy one. Every scenario runs in a process of its
//! own, once with a number of repetitions and once with twice as many: the difference is free of start and end. What the
//! kernel and the disk do is not in it, and neither is waiting.
//!
//! ```text
//! make count                                        compares; fails where a count is off by more than the tolerance
//! make count-keep                                   writes counts.toml
//! cargo bench --bench count -- dispatch             those alone whose names begin so
//! ```
//!
//! Run as a test (`cargo test --all-targets`), each scenario is tried once and nothing is counted.

mod door;
mod kept;
mod protocol;
mod seam;
mod small;
#[path = "../stage/mod.rs"]
mod stage;
mod valgrind;

use kept::Kept;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// A hot path.
struct Scenario {
    name: &'static str,
    /// Enough for what runs by the clock, such as the watchdog's looks, to be lost in the sum; at most some seconds.
    repetitions: u64,
    run: fn(u64),
}

const fn scenario(name: &'static str, repetitions: u64, run: fn(u64)) -> Scenario {
    Scenario { name, repetitions, run }
}

const SCENARIOS: [Scenario; 11] = [
    scenario("dispatch/no sink", 200_000, |n| seam::raise(n, 0, None, false)),
    scenario("dispatch/one no-op sink", 100_000, |n| seam::raise(n, 1, None, false)),
    scenario("dispatch/ten no-op sinks", 20_000, |n| seam::raise(n, 10, None, false)),
    scenario("dispatch/ten no-op sinks, rules, ledger", 10_000, |n| seam::raise(n, 10, Some(seam::RULE), true)),
    scenario("message/protocol machine alone", 2_000, protocol::messages),
    scenario("message/socket to memory", 500, |n| door::messages(n, 0, door::memory)),
    scenario("message/socket to memory, ten sinks", 500, |n| door::messages(n, 10, door::memory)),
    scenario("message/socket to segment log", 500, |n| door::messages(n, 0, door::log)),
    scenario("spool/commit", 1_000, door::commits),
    scenario("deliver/maildir", 1_000, small::maildir),
    scenario("rule/compile", 2_000, small::compile),
];

/// What the command line asks for.
enum Task {
    /// By `cargo test`.
    Try,
    /// Below valgrind.
    Run(String, u64),
    Compare(String),
    Keep,
}

impl Task {
    fn of(args: &[String]) -> Self {
        let rest: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--bench").collect();
        match rest.as_slice() {
            ["--run", name, n] => Self::Run((*name).to_owned(), n.parse().expect("a number of repetitions")),
            _ if rest.len() == args.len() => Self::Try,
            ["--keep"] => Self::Keep,
            prefix => Self::Compare(prefix.concat()),
        }
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match Task::of(&args) {
        Task::Try => {
            SCENARIOS.iter().for_each(|scenario| (scenario.run)(2));
            Ok(())
        }
        Task::Run(name, n) => {
            SCENARIOS.iter().filter(|scenario| scenario.name == name).for_each(|scenario| (scenario.run)(n));
            Ok(())
        }
        Task::Compare(prefix) => compare(&prefix),
        Task::Keep => keep(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("count: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(prefix: &str) -> Result<(), String> {
    let kept = Kept::read()?;
    if let Some(why) = valgrind::absent().or_else(|| kept.incomparable()) {
        // As with the foreign programs that tests use: named here, required where everything has to be there.
        return match std::env::var_os("MAILSLUICE_REQUIRE_PEERS") {
            Some(_) => Err(why),
            None => {
                println!("count: nothing is compared: {why}");
                Ok(())
            }
        };
    }
    kept.compare(&counts(prefix)?)
}

fn keep() -> Result<(), String> {
    match valgrind::absent() {
        Some(why) => Err(why),
        None => Kept::read()?.renewed(counts("")?).write(),
    }
}

fn counts(prefix: &str) -> Result<BTreeMap<String, u64>, String> {
    let wanted = SCENARIOS.iter().filter(|scenario| scenario.name.starts_with(prefix));
    wanted.map(|it| Ok((it.name.to_owned(), valgrind::per_operation(it.name, it.repetitions)?))).collect()
}
