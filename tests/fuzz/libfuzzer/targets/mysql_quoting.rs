//! `cargo fuzz run mysql_quoting`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::mysql_quoting::hold(input));
