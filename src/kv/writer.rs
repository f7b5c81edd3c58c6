//! The one thread that writes: gathers changes, commits them, sweeps what is over, and opens the file anew after trouble.

use super::disk::{Disk, DiskFault};
use super::share::SWEEP_MAX;
use super::store::{Core, Opener};
use std::time::Duration;

/// How long changes are gathered before they are committed: what a crash can cost.
const GATHER: Duration = Duration::from_millis(50);
/// How often old entries are looked for when nothing else happens.
const IDLE: Duration = Duration::from_secs(1);
/// The pause before the file is tried again, doubling from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// Runs until it is told to stop, and then once more.
pub(super) fn run(core: &Core, opener: &Opener) {
    let (mut idle, mut retry) = (IDLE, RETRY.0);
    loop {
        let last = core.signal.next_round(idle, GATHER);
        match round(core, opener) {
            Ok(swept) => {
                idle = if swept < SWEEP_MAX { IDLE } else { Duration::ZERO };
                retry = RETRY.0;
            }
            Err(message) if last => {
                tracing::error!(cause = %message, "the key-value store is closed without what sinks set last");
            }
            Err(_) => {
                core.signal.nap(retry);
                retry = RETRY.1.min(retry * 2);
            }
        }
        if last {
            core.disk.store(None);
            return;
        }
    }
}

/// Makes durable what has changed. Returns how many entries were swept, or why nothing was done.
fn round(core: &Core, opener: &Opener) -> Result<usize, String> {
    let disk = match core.disk.load_full() {
        Some(disk) => disk,
        None => {
            let fail = |message: String| {
                core.signal.failed(&message);
                message
            };
            let disk = opener().map_err(|e| fail(e.message))?;
            core.install(disk).map_err(|fault| fail(fault.message().to_owned()))?;
            tracing::info!("the key-value store is open again");
            core.disk.load_full().ok_or("the file failed again")?
        }
    };
    write(core, &disk).map_err(|fault| {
        core.disk_failed(&fault);
        fault.message().to_owned()
    })
}

fn write(core: &Core, disk: &Disk) -> Result<usize, DiskFault> {
    let (shares, now) = (core.all_shares(), core.clock.now());
    let mut swept = 0;
    for share in &shares {
        swept = swept.max(share.sweep(disk, now)?);
    }
    // What is counted up to here can be seen in the shares: a change is made before it is counted.
    let upto = core.signal.made();
    let shares = core.all_shares();
    let parts: Vec<_> = shares.iter().filter_map(|share| share.leave()).collect();
    let done = if parts.is_empty() { Ok(()) } else { disk.commit(&parts) };
    for share in &shares {
        if done.is_ok() { share.committed() } else { share.failed() }
    }
    done?;
    core.signal.succeeded(upto);
    Ok(swept)
}
