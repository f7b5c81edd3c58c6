//! The target `configuration`, see `src/targets/configuration.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("configuration", data));
