//! Calls itself without end: by small steps and by large ones.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown, well};
use std::hint::black_box;

fn deeper(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { 0 } else { black_box(deeper(depth + 1)) + 1 }
}

fn wider(depth: u64) -> u64 {
    let room = black_box([depth; 4096]);
    if black_box(depth) == u64::MAX { 0 } else { black_box(wider(depth + 1)) + room[4095] }
}

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "deeper" => {
            black_box(deeper(0));
        }
        "wider" => {
            black_box(wider(0));
        }
        other => return unknown(other),
    }
    well()
}

guest!(act);
