//! `cargo fuzz run task_log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::task_log::hold(input));
