//! `cargo fuzz run spf_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::spf_record::hold(input));
