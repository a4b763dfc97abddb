//! See `core/tests/corpus/targets/command.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cinnabar_fuzz::run("command", bytes));
