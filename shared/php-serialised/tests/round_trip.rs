//! What is read is written again, to the byte; what is changed is changed in one place.

use php_serialised::{Array, DEEPEST, Key, Value};
use proptest::prelude::*;

/// The example of the oracle: four events of one send, as a real Mautic 7.0.0 wrote them.
const FOUR: &str = concat!(
    r#"a:1:{s:7:"bounces";a:4:{i:0;a:2:{s:8:"datetime";s:19:"2026-11-23 23:38:25";s:6:"reason";s:16:"550 no such user";}"#,
    r#"i:1;a:2:{s:8:"datetime";s:19:"2026-11-23 23:38:27";s:6:"reason";s:9:"550 again";}"#,
    r#"i:2;a:2:{s:8:"datetime";s:19:"2026-11-23 23:38:28";s:6:"reason";s:4:"spam";}"#,
    r#"i:3;a:2:{s:8:"datetime";s:19:"2026-11-23 23:38:29";s:6:"reason";s:9:"550 third";}}}"#
);

fn read(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    Value::parse(text.as_bytes()).expect_err(text).to_string()
}

fn written(value: &Value) -> String {
    String::from_utf8(value.to_bytes()).expect("UTF-8 went in")
}

#[test]
fn four_events_are_written_as_mautic_writes_them() {
    let mut details = read("a:0:{}");
    for (datetime, reason) in [
        ("2026-11-23 23:38:25", "550 no such user"),
        ("2026-11-23 23:38:27", "550 again"),
        ("2026-11-23 23:38:28", "spam"),
        ("2026-11-23 23:38:29", "550 third"),
    ] {
        let entry = Array::of([("datetime", Value::text(datetime)), ("reason", Value::text(reason))]);
        let bounces = details.as_array_mut().expect("an array").entry("bounces");
        assert!(bounces.push(Value::Array(entry)));
    }
    assert_eq!(written(&details), FOUR);
}

#[test]
fn lengths_count_bytes() {
    assert_eq!(written(&Value::text("complaint é")), r#"s:12:"complaint é";"#);
    assert_eq!(read(r#"s:12:"complaint é";"#), Value::text("complaint é"));
    assert_eq!(
        refused(r#"s:11:"complaint é";"#),
        "no text of PHP's serialize(): another character than PHP writes at byte 17; leave the column as it is"
    );
}

#[test]
fn every_other_type_is_kept_to_the_byte() {
    for text in [
        "d:0.1;",
        "d:-INF;",
        "d:1.0E+25;",
        "i:+5;",
        "i:007;",
        "i:9223372036854775808;",
        "R:2;",
        "r:11;",
        r#"E:11:"Suit:Hearts";"#,
        r#"S:3:"a\62c";"#,
        r#"O:8:"stdClass":2:{s:1:"a";i:1;s:1:"b";O:1:"B":0:{}}"#,
        "O:1:\"A\":1:{s:4:\"\0A\0x\";d:0.5;}",
        r#"C:11:"ArrayObject":21:{x:i:0;a:0:{};m:a:0:{}}"#,
    ] {
        let around = format!("a:2:{{i:0;{text}s:1:\"z\";N;}}");
        assert!(matches!(read(text), Value::Verbatim(_)), "{text}");
        assert_eq!(written(&read(&around)), around);
    }
}

#[test]
fn what_is_no_value_is_refused_with_the_place() {
    for (text, fault) in [
        ("", "no type that PHP knows at byte 0"),
        ("a:1:{i:0;N;", "another character than PHP writes at byte 11"),
        ("a:2:{i:0;N;}", "a key that is neither integer nor text at byte 11"),
        ("a:0:{}a:0:{}", "something follows the value at byte 6"),
        ("a:99999999999:{}", "a size that cannot be at byte 2"),
        ("a:01:{i:0;N;}", "a size that cannot be at byte 2"),
        ("b:2;", "a boolean that is neither 0 nor 1 at byte 2"),
        ("i:;", "a number without its end at byte 0"),
        ("i:x;", "an integer without digits at byte 0"),
        ("a:1:{d:0.5;N;}", "a key that is neither integer nor text at byte 5"),
        ("a:1:{i:+1;N;}", "an index that PHP writes otherwise at byte 5"),
        (r#"s:9:"short";"#, "a text without its end at byte 5"),
        (r#"S:4:"\62";"#, "a text without its end at byte 10"),
        (r#"C:1:"A":9:{x}"#, "a size that cannot be at byte 8"),
        (r#"{"bounces": []}"#, "no type that PHP knows at byte 0"),
    ] {
        let expected = format!("no text of PHP's serialize(): {fault}; leave the column as it is");
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn nesting_ends_somewhere() {
    let nested = |depth: usize| format!("{}N;{}", "a:1:{i:0;".repeat(depth), "}".repeat(depth));
    assert_eq!(written(&read(&nested(DEEPEST))), nested(DEEPEST));
    assert!(refused(&nested(DEEPEST + 1)).contains("too deep a nesting"));
    assert!(refused(&"a:1:{i:0;".repeat(100_000)).contains("too deep a nesting"));
}

#[test]
fn the_next_index_is_one_more_than_the_highest() {
    for (before, after) in [
        ("N;", "a:1:{i:0;N;}"),
        ("a:0:{}", "a:1:{i:0;N;}"),
        (r#"a:1:{s:1:"a";N;}"#, r#"a:2:{s:1:"a";N;i:0;N;}"#),
        ("a:2:{i:7;N;i:3;N;}", "a:3:{i:7;N;i:3;N;i:8;N;}"),
        ("a:1:{i:-4;N;}", "a:2:{i:-4;N;i:0;N;}"),
    ] {
        let mut value = read(before);
        assert!(value.push(Value::Null));
        assert_eq!(written(&value), after);
    }
    for unfit in ["i:1;", r#"s:1:"a";"#, "a:1:{i:9223372036854775807;N;}"] {
        let mut value = read(unfit);
        assert!(!value.push(Value::Null), "{unfit}");
        assert_eq!(written(&value), unfit);
    }
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![any::<i64>().prop_map(Key::Int), any::<Vec<u8>>().prop_map(Key::Text)]
}

/// The text of a value and, for those that are understood, the value: written by hand rather than by the code under test.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(b"N;".to_vec()),
        any::<bool>().prop_map(|value| format!("b:{};", u8::from(value)).into_bytes()),
        any::<i64>().prop_map(|value| format!("i:{value};").into_bytes()),
        any::<f64>().prop_map(|value| format!("d:{value};").into_bytes()),
        ".{0,8}".prop_map(|text| quoted("s", text.as_bytes())),
        any::<Vec<u8>>().prop_map(|bytes| quoted("s", &bytes)),
        "[A-Za-z]{1,6}:[A-Z]{1,6}".prop_map(|text| quoted("E", text.as_bytes())),
        any::<Vec<u8>>().prop_map(|raw| [format!("C:1:\"C\":{}:{{", raw.len()).as_bytes(), &raw, b"}"].concat()),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let entries = prop::collection::vec((keys(), inner), 0..6);
        (any::<bool>(), entries).prop_map(|(object, entries)| {
            let head = if object { "O:3:\"Any\"" } else { "a" };
            let mut text = format!("{head}:{}:{{", entries.len()).into_bytes();
            for (key, value) in entries {
                match key {
                    Key::Int(index) => text.extend(format!("i:{index};").as_bytes()),
                    Key::Text(name) => text.extend(quoted("s", &name)),
                }
                text.extend(value);
            }
            text.push(b'}');
            text
        })
    })
}

fn quoted(kind: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("{kind}:{}:\"", bytes.len()).as_bytes(), bytes, b"\";"].concat()
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_again(text in texts()) {
        let value = Value::parse(&text).expect("PHP would write it");
        prop_assert_eq!(value.to_bytes(), text);
    }

    #[test]
    fn a_cut_text_is_refused(text in texts(), cut in any::<prop::sample::Index>()) {
        prop_assert!(Value::parse(&text[..cut.index(text.len())]).is_err());
    }

    #[test]
    fn appending_keeps_every_byte_of_what_was_there(texts in prop::collection::vec(texts(), 0..6), reason in ".{0,20}") {
        let inside: Vec<u8> = texts.iter().enumerate().flat_map(|(index, text)| [format!("i:{index};").as_bytes(), text].concat()).collect();
        let mut value = Value::parse(&[format!("a:{}:{{", texts.len()).as_bytes(), &inside, b"}"].concat()).expect("an array");
        let array = value.as_array_mut().expect("an array");
        prop_assert!(array.entry("bounces").push(Value::text(&reason)));
        let added = format!("s:7:\"bounces\";a:1:{{i:0;s:{}:\"{reason}\";}}", reason.len());
        let expected = [format!("a:{}:{{", texts.len() + 1).as_bytes(), &inside, added.as_bytes(), b"}"].concat();
        prop_assert_eq!(value.to_bytes(), expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        if let Ok(value) = Value::parse(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes);
        }
    }
}
