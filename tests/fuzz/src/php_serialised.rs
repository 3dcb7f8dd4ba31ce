//! Text of PHP's `serialize()`: what is read is written again to the byte, and an entry more changes nothing else.
//!
//! The input is the text.

use php_serialised::{Array, Key, Value};

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Ok(mut value) = Value::parse(input) else {
        return;
    };
    assert_eq!(value.to_bytes(), input, "written otherwise than it was read");
    let before = value.clone();
    let Some(array) = value.as_array_mut() else {
        return;
    };
    let entry = Array::of([("reason", Value::text("é"))]);
    if !array.entry("bounces").push(Value::Array(entry.clone())) {
        return;
    }
    let again = Value::parse(&value.to_bytes()).expect("what was written is read");
    assert_eq!(again, value);
    let (Value::Array(before), Value::Array(after)) = (before, again) else {
        panic!("both are arrays");
    };
    appended(&before, &after, &entry);
}

/// All entries as they were, but that of the first `bounces`, which has one more, at its end.
fn appended(before: &Array, after: &Array, entry: &Array) {
    let is_it = |(key, _): &(Key, Value)| *key == Key::Text(b"bounces".to_vec());
    let at = after.entries().iter().position(is_it).expect("an entry");
    for (index, one) in after.entries().iter().enumerate() {
        if index != at {
            assert_eq!(before.entries().get(index), Some(one));
        }
    }
    let Value::Array(bounces) = &after.entries()[at].1 else {
        panic!("a list");
    };
    let (last, rest) = bounces.entries().split_last().expect("one entry at least");
    assert_eq!(last.1, Value::Array(entry.clone()));
    match before.entries().get(at) {
        Some((_, Value::Array(old))) => assert_eq!(old.entries(), rest),
        Some((_, Value::Null)) | None => assert!(rest.is_empty()),
        Some(other) => panic!("{other:?} was no list"),
    }
}
