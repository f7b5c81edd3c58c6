//! The target `spool_record`, see `src/targets/spool_record.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsluice_fuzz::run("spool_record", data));
