//! The target `session`, see `src/targets/session.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("session", data));
