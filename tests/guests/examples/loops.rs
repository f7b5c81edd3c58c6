//! Never comes back: by a loop that does nothing, by one that only calls the server, by one that copies memory.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown};
use std::hint::black_box;

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "spin" => loop {
            black_box(());
        },
        "call" => loop {
            black_box(heard.size());
        },
        "copy" => {
            let (from, mut to) = (vec![1_u8; 4 << 20], vec![0_u8; 4 << 20]);
            loop {
                to.copy_from_slice(black_box(&from));
                black_box(&mut to);
            }
        }
        other => unknown(other),
    }
}

guest!(act);
