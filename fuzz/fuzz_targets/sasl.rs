//! The target `sasl`, see `src/targets/sasl.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("sasl", data));
