//! The target `address`, see `src/targets/address.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("address", data));
