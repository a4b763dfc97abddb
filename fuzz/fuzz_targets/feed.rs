//! See `core/tests/corpus/targets/feed.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cinnabar_fuzz::run("feed", bytes));
