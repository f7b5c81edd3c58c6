//! The target `manifest`, see `src/targets/manifest.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("manifest", data));
