use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::*;
use crate::identity::LONGEST_PHYSICAL_ID;

const HINT: &str = " See log group /aws/lambda/things, stream 1.";

fn event(logical_id: &str, physical_id: &str) -> Event {
    Event::parse(json!({
        "RequestType": "Delete",
        "RequestId": "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01",
        "ResponseURL": "https://example.com/",
        "StackId": format!("arn:aws:cloudformation:eu-central-1:123456789012:stack/{}/5a1c0d70", "n".repeat(128)),
        "LogicalResourceId": logical_id,
        "ResourceType": "Custom::Thing",
        "PhysicalResourceId": physical_id,
    }))
    .unwrap()
}

/// Ids as long as they may be, whatever they consist of.
fn physical_id() -> impl Strategy<Value = String> {
    ("[ -~]{1,40}|\\PC{1,10}|\"{1,10}", 1_usize..1024).prop_map(|(part, times)| {
        let mut id = part.repeat(times);
        while id.len() > LONGEST_PHYSICAL_ID {
            id.pop();
        }
        id
    })
}

/// Causes from nothing to far too much, of characters of one to four bytes, escaped ones among them.
fn cause() -> impl Strategy<Value = String> {
    (
        "[ -~]{0,40}|\\PC{0,20}|[\u{0}-\u{1f}]{0,10}|[\"\\\\]{0,10}|😀{0,10}",
        0_usize..1500,
    )
        .prop_map(|(part, times)| part.repeat(times))
}

fn reason(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["Reason"].as_str().unwrap().to_owned()
}

proptest! {
    #[test]
    fn every_failure_fits_and_keeps_its_hint(id in physical_id(), cause in cause(), logical_id in "[A-Za-z0-9]{1,255}") {
        let body = failure(&event(&logical_id, &id), &id, &cause, HINT);
        prop_assert!(body.len() <= LARGEST_RESPONSE, "{} bytes", body.len());
        let reason = reason(&body);
        let told = reason.strip_suffix(HINT).unwrap();
        match told.strip_suffix(ELLIPSIS) {
            Some(kept) => prop_assert!(cause.starts_with(kept) || told == cause),
            None => prop_assert!(told.starts_with(&cause) && told.len() <= cause.len() + 1),
        }
    }

    #[test]
    fn a_text_is_cut_where_the_next_character_would_not_fit(text in cause(), room in 0_usize..5000) {
        let kept = cut(&text, room);
        // The plain way: the longest start that fits beside its ellipsis.
        let fits = |start: &str| json_length(start) + ELLIPSIS.len() <= room;
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let expected = match json_length(&text) {
            length if length <= room => text.clone(),
            _ if room < ELLIPSIS.len() => String::new(),
            _ => {
                let longest = ends.take_while(|&end| fits(&text[..end])).last().unwrap();
                format!("{}{ELLIPSIS}", &text[..longest])
            }
        };
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn a_success_fits_or_is_refused_with_its_size(
        id in physical_id(),
        attributes in prop::collection::btree_map("[A-Za-z]{1,20}", "\\PC{0,200}", 0..40),
        no_echo: bool,
    ) {
        let attributes = data(&attributes).unwrap();
        match success(&event("Thing", &id), &id, &attributes, no_echo) {
            Ok(body) => prop_assert!(body.len() <= LARGEST_RESPONSE),
            Err(AttributesError::TooLarge { size }) => prop_assert!(size > LARGEST_RESPONSE),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn the_generators_reach_both_sides_of_every_limit() {
    let mut runner = TestRunner::deterministic();
    let mut draw = |_| {
        let id = physical_id().new_tree(&mut runner).unwrap().current();
        let cause = cause().new_tree(&mut runner).unwrap().current();
        (id, cause)
    };
    let drawn: Vec<_> = (0..256).map(&mut draw).collect();
    let longest = drawn
        .iter()
        .filter(|(id, _)| id.len() > LONGEST_PHYSICAL_ID - 4)
        .count();
    let cut = drawn
        .iter()
        .filter(|(_, cause)| json_length(cause) > LARGEST_RESPONSE)
        .count();
    assert!(longest > 20, "{longest} of 256 ids are as long as they may be");
    assert!((20..236).contains(&cut), "{cut} of 256 causes have to be cut");
}

#[test]
fn attributes_become_text() {
    let attributes = json!({"Text": "x", "Number": 1.5, "Flag": true, "Nothing": null, "List": ["a", 1]});
    let expected = json!({"Text": "x", "Number": "1.5", "Flag": "true", "Nothing": "", "List": ["a", "1"]});
    assert_eq!(Value::Object(data(&attributes).unwrap()), expected);
    assert_eq!(data(&()).unwrap(), Map::new());
}

#[test]
fn attributes_that_get_att_cannot_read_are_refused() {
    let nested = BTreeMap::from([("Deep", BTreeMap::from([("er", 1)]))]);
    assert_eq!(
        data(&nested).unwrap_err().to_string(),
        "the function has a defect: its attribute `Deep` is neither a string, a number, a boolean nor a list of these; update \
         the function"
    );
    assert_eq!(
        data(&"text").unwrap_err().to_string(),
        "the function has a defect: its attributes are not an object of flat values; update the function"
    );
}
