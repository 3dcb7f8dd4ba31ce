//! `cargo fuzz run ses_event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::ses_event::hold(input));
