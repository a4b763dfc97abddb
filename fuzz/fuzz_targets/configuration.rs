//! See `core/tests/corpus/targets/configuration.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cinnabar_fuzz::run("configuration", bytes));
