//! See `core/tests/corpus/targets/url_pattern.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cinnabar_fuzz::run("url_pattern", bytes));
