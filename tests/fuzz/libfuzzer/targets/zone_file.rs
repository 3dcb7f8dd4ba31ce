//! `cargo fuzz run zone_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::zone_file::hold(input));
