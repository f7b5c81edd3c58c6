//! The target `rule`, see `src/targets/rule.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("rule", data));
