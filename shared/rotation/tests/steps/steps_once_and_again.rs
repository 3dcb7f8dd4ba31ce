//! Steps that are repeated, killed, or delivered twice lead to where one delivery would have led.

use rotation::testing::{rotate, step};
use rotation::{Error, Outcome, Step};

use crate::door::{ARN, Stage, Stuck, V1, V2, V3};

fn labels(stage: &Stage) -> Vec<(String, Vec<String>)> {
    stage.shelf.labels(ARN)
}

fn labelled(listed: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let texts = |labels: &[&str]| labels.iter().map(ToString::to_string).collect();
    listed
        .iter()
        .map(|(id, labels)| ((*id).to_owned(), texts(labels)))
        .collect()
}

#[tokio::test]
async fn a_rotation_leaves_both_keys_good_and_the_retirement_one() {
    let stage = Stage::new();
    rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
    assert_eq!(
        labels(&stage),
        labelled(&[(V1, &["AWSPREVIOUS"]), (V2, &["AWSCURRENT", "AWSPENDING"])])
    );
    assert!(stage.both_get_in("s3nt1nel-0"));
    let content = stage.shelf.content(ARN, "AWSCURRENT").unwrap();
    assert_eq!((&content["username"], &content["room"]), (&"porter".into(), &7.into()));

    let retired = step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
    assert_eq!(retired, Outcome::Done);
    assert_eq!(
        labels(&stage),
        labelled(&[(V1, &["AWSPREVIOUS", "RETIRED"]), (V2, &["AWSCURRENT", "AWSPENDING"])])
    );
    assert!(stage.door.opens_to("s3nt1nel-1") && !stage.door.opens_to("s3nt1nel-0"));

    rotate(&stage.shelf, &stage.rotation, ARN, V3).await.unwrap();
    step(&stage.rotation, ARN, Step::Retire, V3).await.unwrap();
    assert_eq!(
        labels(&stage),
        labelled(&[(V2, &["AWSPREVIOUS", "RETIRED"]), (V3, &["AWSCURRENT", "AWSPENDING"])])
    );
}

#[tokio::test]
async fn every_step_may_come_again_and_changes_nothing_then() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    for one in Step::ROTATION {
        step(&stage.rotation, ARN, one, V2).await.unwrap();
        let (before, made) = (labels(&stage), stage.door.keys().made);
        step(&stage.rotation, ARN, one, V2).await.unwrap();
        assert_eq!((labels(&stage), stage.door.keys().made), (before, made), "{one}");
        assert!(stage.both_get_in("s3nt1nel-0"), "{one}");
    }
    step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
    let again = step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
    assert_eq!(again, Outcome::Nothing);
    let late = step(&stage.rotation, ARN, Step::Set, V2).await.unwrap();
    assert_eq!((late, stage.door.opens_to("s3nt1nel-0")), (Outcome::Nothing, false));
}

#[tokio::test]
async fn a_rotation_that_is_killed_before_any_call_is_ended_by_the_next_attempt() {
    for call in 0..20 {
        let stage = Stage::new();
        stage.shelf.die_at(Some(call));
        let killed = rotate(&stage.shelf, &stage.rotation, ARN, V2).await.is_err();
        assert!(stage.both_get_in("s3nt1nel-0"), "killed before call {call}");
        let calls = stage.shelf.calls();
        stage.shelf.die_at(None);
        for one in Step::ROTATION {
            step(&stage.rotation, ARN, one, V2).await.unwrap();
        }
        assert!(stage.both_get_in("s3nt1nel-0"), "{calls:?}");
        assert_eq!(stage.key("AWSCURRENT"), Some(stage.door.keys().installed[0].clone()));
        step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
        assert!(!stage.door.opens_to("s3nt1nel-0") && stage.door.keys().installed.len() == 1);
        assert_eq!(killed, call < 12, "a rotation makes twelve calls: {calls:?}");
    }
}

#[tokio::test]
async fn a_retirement_that_is_killed_is_ended_by_the_next_one() {
    for call in 0..3 {
        let stage = Stage::new();
        rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
        stage.shelf.die_at(Some(call));
        step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap_err();
        stage.shelf.die_at(None);
        assert!(!stage.shelf.is_settled(ARN) && stage.door.opens_to("s3nt1nel-1"));
        assert_eq!(
            step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap(),
            Outcome::Done
        );
        assert!(stage.shelf.is_settled(ARN) && !stage.door.opens_to("s3nt1nel-0"));
    }
}

#[tokio::test]
async fn a_retirement_that_takes_its_time_is_not_recorded_before_its_end() {
    let stage = Stage::new();
    rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
    stage.door.keys().slow = true;
    assert_eq!(
        step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap(),
        Outcome::UnderWay
    );
    assert!(!stage.shelf.is_settled(ARN));
    stage.door.keys().slow = false;
    assert_eq!(
        step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap(),
        Outcome::Done
    );
    assert!(stage.shelf.is_settled(ARN));
}

#[tokio::test]
async fn of_two_deliveries_that_make_a_key_one_is_kept_and_the_other_taken_back() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    let (shelf, door) = (stage.shelf.clone(), stage.door.clone());
    let other = rotation::Rotation::new(shelf.client(|config| config), [ARN.to_owned()], door);
    stage.shelf.meanwhile("secretsmanager:PutSecretValue", move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let first = std::thread::spawn(move || runtime.block_on(step(&other, ARN, Step::Create, V2)).unwrap());
        assert_eq!(first.join().unwrap(), Outcome::Done);
    });
    assert_eq!(
        step(&stage.rotation, ARN, Step::Create, V2).await.unwrap(),
        Outcome::Nothing
    );
    let cut = stage.door.keys().cut.clone();
    assert_eq!(cut, [("key".to_owned(), stage.key("AWSPENDING").unwrap())]);
}

#[tokio::test]
async fn a_key_whose_writing_was_not_confirmed_is_kept_if_it_stands_there() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    stage.shelf.lose_answer_of("secretsmanager:PutSecretValue");
    assert_eq!(
        step(&stage.rotation, ARN, Step::Create, V2).await.unwrap(),
        Outcome::Done
    );
    assert_eq!(stage.door.keys().cut.len(), 1);
    for one in Step::ROTATION {
        step(&stage.rotation, ARN, one, V2).await.unwrap();
    }
    assert!(stage.both_get_in("s3nt1nel-0"));
}

#[tokio::test]
async fn a_key_that_could_not_be_written_is_taken_back() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    stage.shelf.die_at(Some(3));
    let error = step(&stage.rotation, ARN, Step::Create, V2).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "secretsmanager:PutSecretValue for secret {ARN} failed: AccessDeniedException: killed; allow \
             secretsmanager:PutSecretValue on it to the function's role"
        )
    );
    let keys = stage.door.keys();
    assert_eq!((keys.made, keys.cut.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_what_does_not_pass_is_told_before_the_deadline() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    for one in Step::ROTATION {
        // Finishing asks the door for nothing.
        if one != Step::Finish {
            let seconds = jammed(&stage, one).await;
            assert!(
                (40..=48).contains(&seconds),
                "of 60 s twelve are left: {one} took {seconds}"
            );
        }
        stage.door.keys().jammed = 3;
        step(&stage.rotation, ARN, one, V2).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_retirement_is_given_up_after_twenty_seconds_because_somebody_waits_for_it() {
    let stage = Stage::new();
    rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
    let seconds = jammed(&stage, Step::Retire).await;
    assert!((15..=20).contains(&seconds), "it took {seconds} s");
    assert!(stage.both_get_in("s3nt1nel-0") && !stage.shelf.is_settled(ARN));
    stage.door.keys().jammed = 3;
    let retired = step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
    assert_eq!(retired, Outcome::Done);
    assert!(stage.shelf.is_settled(ARN));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_hangs_is_broken_off_with_words_and_ended_by_the_next_attempt() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    for (one, seconds) in [
        (Step::Create, 58),
        (Step::Set, 58),
        (Step::Test, 58),
        (Step::Retire, 30),
    ] {
        stage.door.keys().is_silent = true;
        let start = tokio::time::Instant::now();
        let error = step(&stage.rotation, ARN, one, V2).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{one} of secret {ARN} was broken off after {seconds} s, because what it waits for does not answer: see in the \
                 function's log what it did last, and whether that service is up; the step is tried again by itself"
            )
        );
        let took = start.elapsed().as_secs();
        assert!((seconds - 1..=seconds).contains(&took), "{one} took {took} s");
        stage.door.keys().is_silent = false;
        assert!(stage.both_get_in("s3nt1nel-0"), "{one}");
        step(&stage.rotation, ARN, one, V2).await.unwrap();
        if one == Step::Test {
            step(&stage.rotation, ARN, Step::Finish, V2).await.unwrap();
        }
    }
    assert!(stage.shelf.is_settled(ARN) && !stage.door.opens_to("s3nt1nel-0"));
}

/// A step while the door is jammed for good: how long it bears that, in seconds.
async fn jammed(stage: &Stage, one: Step) -> u64 {
    stage.door.keys().jammed = usize::MAX;
    let start = tokio::time::Instant::now();
    let error = step(&stage.rotation, ARN, one, V2).await.unwrap_err();
    let (text, expected) = (error.to_string(), format!("{one} of secret {ARN}: the door is jammed"));
    assert_eq!(text, expected);
    let Error::Target { cause, .. } = error else {
        panic!("{text}")
    };
    assert_eq!(cause, Stuck::Jammed);
    start.elapsed().as_secs()
}
