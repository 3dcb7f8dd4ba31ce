//! What stops a rotation, in which words; that both clients get in all the same, and that the rotation then ends well.

use custom_resource::testing::Log;
use rotation::testing::{AGAIN, ARN, Scene, refused, version};
use rotation::{Outcome, Step};

use crate::world::{USER, World, rotation, trusting};

/// `host:port` of the server.
fn address(world: &World) -> String {
    let iam = world.iam();
    format!("{}:{}", iam.smtp.host, iam.smtp.port)
}

fn keys(world: &World) -> Vec<String> {
    world.iam().keys.iter().map(|key| key.id.clone()).collect()
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_and_named() {
    let (world, log) = (World::new(), Log::capture());
    let words = format!("no conversation with {} (", address(&world));
    let leave = |is_down: bool| world.iam().smtp.listen(!is_down);
    world
        .rotate_stopped_within(AGAIN, &world.rotation, leave, &[(Step::Test, &words)])
        .await;
    assert!(log.text().contains("tried again"), "{}", log.text());
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_believed_gets_no_password() {
    let world = World::new();
    let wrong = trusting(&world.iam().smtp.wrong_ca_file);
    let other = rotation(&world.shelf, &world.iam, wrong);
    let words = format!("{} cannot be trusted (", address(&world));
    world.rotate_stopped(&other, |_| {}, &[(Step::Test, &words)]).await;
}

#[tokio::test]
async fn a_role_that_may_not_list_make_or_delete_keys_is_named() {
    let lists = ("iam:ListAccessKeys", &[Step::Create, Step::Retire][..]);
    let makes = ("iam:CreateAccessKey", &[Step::Create][..]);
    for (action, stopped) in [lists, makes] {
        let world = World::new();
        let deny = |is_denied: bool| world.iam().denied = is_denied.then_some(action);
        let words = denied(action, &format!("IAM user {USER}"));
        let stops: Vec<_> = stopped.iter().map(|one| (*one, words.as_str())).collect();
        world.rotate_stopped(&world.rotation, deny, &stops).await;
    }
    let (world, action) = (World::new(), "iam:DeleteAccessKey");
    let deny = |is_denied: bool| world.iam().denied = is_denied.then_some(action);
    let words = denied(action, &format!("access key KEY1 of IAM user {USER}"));
    world
        .rotate_stopped(&world.rotation, deny, &[(Step::Retire, &words)])
        .await;
}

fn denied(action: &str, thing: &str) -> String {
    format!(
        "{action} for {thing} failed: AccessDenied: not authorized to perform: {action}; allow {action} on it to the function's \
         role"
    )
}

#[tokio::test]
async fn a_retirement_without_the_current_key_deletes_nothing() {
    let words = format!(
        "the secret's current key KEY2 is none of IAM user {USER}'s active keys, so that nothing was deleted; deploy the stack \
         with another value of Reconcile, which makes one"
    );
    let world = World::new();
    let turn = |is_off: bool| world.iam().turn("KEY2", !is_off);
    world
        .rotate_stopped(&world.rotation, turn, &[(Step::Retire, &words)])
        .await;

    let world = World::new();
    world.rotate(&version(2)).await.unwrap();
    world.iam().keys.retain(|key| key.id != "KEY2");
    assert_eq!(
        refused(&world.rotation, Step::Retire).await,
        format!("retireSecret of secret {ARN}: {words}")
    );
    assert_eq!(keys(&world), ["KEY1"]);
}

#[tokio::test]
async fn a_leaked_key_that_was_deactivated_is_rotated_and_deleted() {
    let world = World::new();
    let before = world.held();
    world.iam().turn("KEY1", false);
    world.rotate(&version(2)).await.unwrap();
    assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
    assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Done);
    assert_eq!(keys(&world), ["KEY2"]);
}
