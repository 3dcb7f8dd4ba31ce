//! `cargo fuzz run php_serialised`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::php_serialised::hold(input));
