//! The target `property_blob`, see `src/targets/property_blob.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("property_blob", data));
