//! What fails half-way: nothing stays that nobody knows of, and the next event finishes.

use std::time::Duration;

use custom_resource::testing::{create, delete};

use crate::world::{ID, SECRET, Stage, TYPE, fails, properties, seconds, send, succeeds};

#[tokio::test]
async fn a_key_whose_password_could_not_be_written_is_deleted_again() {
    for code in ["EncryptionFailure", "InvalidRequestException", "AccessDeniedException"] {
        let stage = Stage::new();
        stage.refuse("secretsmanager:PutSecretValue", 1, code);
        let reason = fails(&stage, &create(TYPE, properties())).await;
        assert!(
            reason.starts_with(&format!(
                "secretsmanager:PutSecretValue for secret {SECRET} failed: {code}"
            )),
            "{reason}"
        );
        let world = stage.world();
        assert_eq!((world.made, world.keys.len(), world.versions.len()), (1, 0, 0));
    }
}

#[tokio::test]
async fn a_key_that_could_not_even_be_deleted_again_is_named_with_the_command() {
    let stage = Stage::new();
    // Everything from the write on is denied.
    let before_the_write = 7;
    stage.die_at(Some(before_the_write));
    let reason = fails(&stage, &create(TYPE, properties())).await;
    assert_eq!(stage.calls()[before_the_write], "secretsmanager:PutSecretValue");
    assert_eq!(
        reason,
        format!(
            "secretsmanager:PutSecretValue for secret {SECRET} failed: AccessDenied: killed; allow \
             secretsmanager:PutSecretValue on it to the function's role. The access key AKIA-1 that was made for \
             it could not be deleted again (iam:DeleteAccessKey for access key AKIA-1 of IAM user \
             shop-MailUser-1ABCDEFGHIJKL failed: AccessDenied: killed; allow iam:DeleteAccessKey on it to the function's \
             role): delete it with aws iam delete-access-key --user-name shop-MailUser-1ABCDEFGHIJKL --access-key-id \
             AKIA-1."
        )
    );
}

#[tokio::test]
async fn wherever_the_function_dies_a_repeat_finishes_and_a_delete_leaves_no_key() {
    for (at, repeat) in (0..14).flat_map(|at| [(at, true), (at, false)]) {
        let stage = Stage::new();
        stage.die_at(Some(at));
        send(&stage, &create(TYPE, properties())).await;
        stage.die_at(None);
        // A minute passes.
        stage.edit().keys.iter_mut().for_each(|key| key.made = seconds() - 61);
        if repeat {
            succeeds(&stage, &create(TYPE, properties())).await;
            assert!(stage.world().serves(), "after {at} calls");
        }
        succeeds(&stage, &delete(TYPE, ID, properties())).await;
        assert_eq!(stage.world().keys, [], "after {at} calls");
    }
}

#[tokio::test]
async fn wherever_a_delete_dies_the_next_one_finishes() {
    for at in 0..5 {
        let stage = Stage::new();
        succeeds(&stage, &create(TYPE, properties())).await;
        stage.edit().make_key().expect("room");
        stage.die_at(Some(at));
        send(&stage, &delete(TYPE, ID, properties())).await;
        stage.die_at(None);
        succeeds(&stage, &delete(TYPE, ID, properties())).await;
        assert_eq!(stage.world().keys, [], "after {at} calls");
    }
}

#[tokio::test]
async fn a_user_that_iam_does_not_show_yet_costs_a_pause_and_no_failure() {
    for code in ["NoSuchEntity", "AccessDenied"] {
        let stage = Stage::new();
        stage.refuse("iam:ListUserTags", 2, code);
        let patient = create(TYPE, properties()).propagation(Duration::from_secs(20));
        succeeds(&stage, &patient).await;
    }
}

#[tokio::test]
async fn a_policy_that_is_not_known_everywhere_yet_costs_a_pause_and_no_failure() {
    for action in [
        "iam:ListUserTags",
        "iam:CreateAccessKey",
        "cloudformation:DescribeStackResource",
        "secretsmanager:PutSecretValue",
    ] {
        let stage = Stage::new();
        stage.refuse(action, 2, "AccessDenied");
        let patient = create(TYPE, properties()).propagation(Duration::from_secs(20));
        succeeds(&stage, &patient).await;
        assert!(stage.world().serves() && stage.world().keys.len() == 1, "{action}");
    }
}
