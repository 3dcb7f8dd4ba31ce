//! `cargo fuzz run dns_name`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::dns_name::hold(input));
