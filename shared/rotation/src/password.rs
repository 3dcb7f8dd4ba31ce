//! Passwords from the operating system's generator.

/// Letters and digits only: connection strings, shells and templates each have troublemakers of their own. 48 of them are 285
/// bits.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH: usize = 48;
/// The largest multiple of the alphabet's size that a byte holds; what is beyond it would favour the first letters.
const FAIR: u8 = 248;

/// A password of 48 letters and digits, each of them as likely as any other.
///
/// # Panics
/// If the operating system gives no random numbers.
#[must_use]
pub fn random_password() -> String {
    let mut password = String::with_capacity(LENGTH);
    let mut bytes = [0; 2 * LENGTH];
    loop {
        assert!(
            getrandom::fill(&mut bytes).is_ok(),
            "the operating system gives no random numbers"
        );
        for byte in bytes.iter().filter(|byte| **byte < FAIR) {
            if password.len() == LENGTH {
                return password;
            }
            password.push(char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn passwords_are_long_differ_and_use_every_letter_alike() {
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        let passwords: std::collections::BTreeSet<String> = (0..2_000).map(|_| random_password()).collect();
        assert_eq!(passwords.len(), 2_000);
        for password in &passwords {
            assert_eq!(password.len(), 48);
            for byte in password.bytes() {
                *counts.entry(byte).or_default() += 1;
            }
        }
        // 1,548 of each on average, with a deviation of 39; eight times that is beyond chance.
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| count.abs_diff(1_548) < 320), "{counts:?}");
    }
}
