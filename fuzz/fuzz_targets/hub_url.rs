//! See `core/tests/corpus/targets/hub_url.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cinnabar_fuzz::run("hub_url", bytes));
