//! The target `xclient`, see `src/targets/xclient.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("xclient", data));
