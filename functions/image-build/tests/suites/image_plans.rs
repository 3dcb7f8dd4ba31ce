//! The plan, over everything that may be observed.

use image_build::builds::{Build, Ending};
use image_build::plan::{Observed, Order, Refusal, Step, plan};

const TAG: &str = "0123456789abcdef";
const EVENT: &str = "this-event";
const STATUSES: [Option<&str>; 6] = [
    None,
    Some("SUCCEEDED"),
    Some("FAILED"),
    Some("FAULT"),
    Some("STOPPED"),
    Some("TIMED_OUT"),
];

fn build(tag: &str, request: &str, status: Option<&str>) -> Build {
    Build {
        id: format!("p:{tag}-{request}"),
        tag: tag.to_owned(),
        request_id: request.to_owned(),
        ending: status.map(|status| Ending {
            status: status.to_owned(),
            phase: "BUILD".to_owned(),
            message: String::new(),
        }),
        log: None,
    }
}

/// Every pair of an own and another build, in every state, with and without an image, with and without time.
fn all() -> Vec<(Observed, Option<u64>)> {
    let mut found = Vec::new();
    for own in STATUSES.iter().map(Some).chain([None]) {
        for other in STATUSES.iter().map(Some).chain([None]) {
            for tag in [TAG, "another"] {
                for image in [None, Some("sha256:4e1f".to_owned())] {
                    for over in [None, Some(30)] {
                        let builds = own
                            .map(|status| build(TAG, EVENT, *status))
                            .into_iter()
                            .chain(other.map(|status| build(tag, "another-event", *status)))
                            .collect();
                        let image = image.clone();
                        found.push((Observed { builds, image }, over));
                    }
                }
            }
        }
    }
    found
}

fn order(over: Option<u64>) -> Order<'static> {
    Order {
        tag: TAG,
        request_id: EVENT,
        over,
    }
}

#[test]
fn an_image_that_is_there_ends_every_plan() {
    for (observed, over) in all() {
        let planned = plan(order(over), &observed);
        assert_eq!(
            planned.is_ok_and(|step| matches!(step, Step::Done(_))),
            observed.image.is_some()
        );
    }
}

#[test]
fn a_build_is_started_only_where_none_of_this_event_is_known_and_none_of_this_tag_runs() {
    let mut started = 0;
    for (observed, over) in all() {
        let planned = plan(order(over), &observed);
        let own = observed.builds.iter().any(|build| build.request_id == EVENT);
        let runs = observed.builds.iter().any(|build| build.tag == TAG && build.runs());
        let may = !own && !runs && observed.image.is_none() && over.is_none();
        assert_eq!(planned == Ok(Step::Start), may, "{observed:?}");
        started += usize::from(may);
    }
    assert!(started > 5, "{started}");
}

#[test]
fn nobody_waits_beyond_the_time_nor_for_another_tag() {
    for (observed, over) in all() {
        match plan(order(over), &observed) {
            Ok(Step::Wait(id)) => {
                assert_eq!(over, None);
                assert!(
                    observed
                        .builds
                        .iter()
                        .any(|build| build.id == id && build.tag == TAG && build.runs())
                );
            }
            Err(Refusal::StillAtWork { build, seconds, .. }) => {
                assert_eq!(Some(seconds), over);
                assert!(observed.builds.iter().any(|known| known.id == build && known.runs()));
            }
            Err(Refusal::NoTime { seconds }) => assert_eq!(Some(seconds), over),
            _ => {}
        }
    }
}

#[test]
fn a_build_of_this_event_that_ended_without_an_image_is_the_end() {
    for status in STATUSES.iter().flatten() {
        let observed = Observed {
            builds: vec![build(TAG, "another-event", None), build(TAG, EVENT, Some(status))],
            image: None,
        };
        let refusal = plan(order(None), &observed).expect_err("no image");
        assert!(
            matches!(&refusal, Refusal::Failed(build) if build.ending.as_ref().is_some_and(|ending| ending.status == *status)),
            "{refusal}"
        );
    }
}
