//! Panics, with words and without, from the depth of its own functions; and says itself that it failed.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown};
use std::hint::black_box;

#[inline(never)]
fn in_a_function_of_its_own(text: &str) -> usize {
    let numbers: Vec<usize> = black_box(Vec::new());
    if text.is_empty() { numbers[black_box(7)] } else { panic!("{text}") }
}

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "panic" => panic!("{}", in_a_function_of_its_own("the sky is falling")),
        "index" => Err(Fault::error(in_a_function_of_its_own(""))),
        "fault" => Err(Fault::error("no opinion today\r\nnor tomorrow")),
        "novel" => panic!("{}", "once upon a time ".repeat(100_000)),
        other => unknown(other),
    }
}

guest!(act);
