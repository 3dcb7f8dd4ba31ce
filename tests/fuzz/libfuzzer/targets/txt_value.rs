//! `cargo fuzz run txt_value`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::txt_value::hold(input));
