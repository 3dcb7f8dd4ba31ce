//! What is refused, in which words, and that nothing is changed then.

use rotation::testing::{rotate, step};
use rotation::{Outcome, Step};
use serde_json::json;

use crate::door::{ARN, Stage, V1, V2, V3};

async fn refused(stage: &Stage, one: Step, token: &str) -> String {
    let before = (stage.shelf.labels(ARN), stage.door.keys().installed.clone());
    let error = step(&stage.rotation, ARN, one, token).await.unwrap_err().to_string();
    assert_eq!(
        before,
        (stage.shelf.labels(ARN), stage.door.keys().installed.clone()),
        "{error}"
    );
    error
}

#[tokio::test]
async fn a_secret_that_the_function_is_not_told_of_is_not_even_looked_at() {
    let stage = Stage::new();
    let error = step(&stage.rotation, "arn:other", Step::Create, V2).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret arn:other is none that this function rotates; name the function in the secret's own rotation only"
    );
    assert_eq!(stage.shelf.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_secret_without_rotation_is_refused() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    stage.shelf.stop_rotating(ARN);
    for one in Step::ROTATION {
        let error = refused(&stage, one, V2).await;
        assert!(
            error.starts_with(&format!("secret {ARN} is not set up for rotation; ")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_pending_version_of_another_token_is_left_alone_and_named() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V3);
    step(&stage.rotation, ARN, Step::Create, V3).await.unwrap();
    for one in Step::ROTATION {
        let error = refused(&stage, one, V2).await;
        assert_eq!(
            error,
            format!(
                "secret {ARN} is being rotated to version {V3}, not to {V2}; let that rotation end. If it never will: aws \
                 secretsmanager update-secret-version-stage --secret-id SECRET --version-stage AWSPENDING \
                 --remove-from-version-id {V3}"
            )
        );
    }
    assert_eq!(stage.key("AWSPENDING").as_deref(), Some("s3nt1nel-1"));
}

#[tokio::test]
async fn a_version_that_is_not_there_is_refused_with_the_command_that_makes_one() {
    let stage = Stage::new();
    for one in Step::ROTATION {
        assert_eq!(
            refused(&stage, one, V2).await,
            format!(
                "secret {ARN} has no version {V2}; start a rotation with aws secretsmanager rotate-secret, which makes one"
            )
        );
    }
}

#[tokio::test]
async fn the_probe_on_a_version_that_was_never_filled_succeeds_and_changes_nothing() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    let before = stage.shelf.labels(ARN);
    assert_eq!(
        step(&stage.rotation, ARN, Step::Test, V2).await.unwrap(),
        Outcome::Nothing
    );
    assert_eq!((stage.shelf.labels(ARN), stage.door.keys().made), (before, 0));
}

#[tokio::test]
async fn what_was_never_made_is_neither_installed_nor_put_into_use() {
    let stage = Stage::new();
    stage.shelf.begin(ARN, V2);
    for one in [Step::Set, Step::Finish] {
        assert_eq!(
            refused(&stage, one, V2).await,
            format!(
                "secret {ARN} has nothing in its pending version {V2}; start the rotation again with aws secretsmanager \
                 rotate-secret"
            )
        );
    }
}

#[tokio::test]
async fn a_second_rotation_waits_for_the_retirement_of_the_first() {
    let stage = Stage::new();
    rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
    stage.shelf.begin(ARN, V3);
    let error = refused(&stage, Step::Create, V3).await;
    assert!(
        error.starts_with(&format!(
            "secret {ARN} was rotated before, and the credential of its previous version {V1} is still good, because tasks \
             may use it: a third one would end it. "
        )),
        "{error}"
    );
    assert!(stage.both_get_in("s3nt1nel-0") && stage.door.keys().made == 1);
    step(&stage.rotation, ARN, Step::Retire, V2).await.unwrap();
    for one in Step::ROTATION {
        step(&stage.rotation, ARN, one, V3).await.unwrap();
    }
    assert!(stage.both_get_in("s3nt1nel-1"));
}

#[tokio::test]
async fn a_secret_changed_by_hand_after_any_step_of_a_rotation_stays_in_use_until_the_retirement() {
    for done in [&Step::ROTATION[..1], &Step::ROTATION[..2], &Step::ROTATION[..3]] {
        let stage = Stage::new();
        stage.shelf.begin(ARN, V2);
        for one in done {
            step(&stage.rotation, ARN, *one, V2).await.unwrap();
        }
        stage
            .shelf
            .write_by_hand(ARN, V3, &json!({"username": "porter", "password": "by hand"}));
        stage.door.keys().installed = vec!["by hand".to_owned(), "s3nt1nel-0".to_owned()];
        for one in [Step::Set, Step::Finish] {
            let error = refused(&stage, one, V2).await;
            assert!(
                error.contains(&format!("the credential of its previous version {V1} is still good")),
                "{error}"
            );
        }
        assert_eq!(
            step(&stage.rotation, ARN, Step::Create, V2).await.unwrap(),
            Outcome::Nothing
        );
        assert!(stage.both_get_in("s3nt1nel-0"), "after {done:?}");
        step(&stage.rotation, ARN, Step::Retire, V3).await.unwrap();
        for one in Step::ROTATION {
            step(&stage.rotation, ARN, one, V2).await.unwrap();
        }
        assert!(stage.both_get_in("by hand"), "after {done:?}");
    }
}

#[tokio::test]
async fn nothing_is_retired_for_a_version_that_is_no_longer_current() {
    let stage = Stage::new();
    rotate(&stage.shelf, &stage.rotation, ARN, V2).await.unwrap();
    let error = refused(&stage, Step::Retire, V1).await;
    assert_eq!(
        error,
        format!("secret {ARN} has moved on from version {V1}: nothing was retired; the next look sees to it")
    );
}

#[tokio::test]
async fn content_that_is_no_object_is_named_without_its_text() {
    let stage = Stage::new();
    stage.shelf.write_by_hand(ARN, V3, &json!("hunter2"));
    step(&stage.rotation, ARN, Step::Retire, V3).await.unwrap_err();
    let error = refused(&stage, Step::Retire, V3).await;
    assert_eq!(
        error,
        format!("secret {ARN}, version {V3}, is no JSON object; write it anew with all its members")
    );
}
