//! The target `bdat`, see `src/targets/bdat.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("bdat", data));
