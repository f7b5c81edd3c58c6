//! Takes what memory there is: until there is no more, in vain and without a word, and to the last page.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown, well};
use std::hint::black_box;

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "hoard" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        // Four GiB, which it is not given, and goes on.
        "ask" => {
            black_box(grow(65_535));
        }
        "touch" => {
            black_box(vec![1_u8; 8 << 20]);
        }
        other => return unknown(other),
    }
    well()
}

#[cfg(target_family = "wasm")]
fn grow(pages: usize) -> usize {
    core::arch::wasm32::memory_grow(0, pages)
}

#[cfg(not(target_family = "wasm"))]
fn grow(pages: usize) -> usize {
    pages
}

guest!(act);
