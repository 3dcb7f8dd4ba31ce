//! What stops a rotation, in which words; that both clients get in all the same, and that the rotation then ends well.

use custom_resource::testing::Log;
use rotate_cache::{Cache, CacheUser};
use rotation::testing::Scene;
use rotation::{Rotation, Step};
use tls_connection::Trust;

use crate::world::{USER_ID, World, rotation, worlds};

/// The steps that talk to the cache.
const TALKING: [Step; 3] = [Step::Set, Step::Test, Step::Retire];

/// Who asks the node at this port, and believes the authorities in this file.
fn asking(world: &World, port: u16, authorities: &std::path::Path) -> Rotation<CacheUser> {
    let trust = Trust::from_file(authorities).unwrap();
    rotation(&world.shelf, &world.user, Cache::new(&world.server.host, port, trust))
}

#[tokio::test]
async fn a_cache_that_is_down_is_tried_again_and_named() {
    for world in worlds("down") {
        let log = Log::capture();
        let down = asking(&world, 1, &world.server.ca_file);
        let words = format!("no conversation with {}:1 (", world.server.host);
        world
            .rotate_stopped(&down, |_| {}, &TALKING.map(|one| (one, words.as_str())))
            .await;
        assert!(log.text().contains("tried again"), "{}", log.text());
    }
}

#[tokio::test]
async fn a_cache_whose_certificate_is_not_believed_gets_no_password() {
    for world in worlds("untrusted") {
        let (host, port) = (&world.server.host, world.server.ports[0]);
        let other = asking(&world, port, &world.server.wrong_ca_file);
        let words = format!("{host}:{port} cannot be trusted (");
        world
            .rotate_stopped(&other, |_| {}, &TALKING.map(|one| (one, words.as_str())))
            .await;
    }
}

#[tokio::test]
async fn a_user_who_is_off_stays_off_and_is_named() {
    let words = format!(
        "ElastiCache user {USER_ID} does not sign in with the secret's current password, so that there is nothing to keep; see \
         that the user is on and has this password (aws elasticache modify-user --passwords), and rotate again"
    );
    for world in worlds("off") {
        let switch = |is_off: bool| world.user().turn(if is_off { "off" } else { "on" });
        let stops = [Step::Set, Step::Retire].map(|one| (one, words.as_str()));
        world.rotate_stopped(&world.rotation, switch, &stops).await;
        assert_eq!(world.user().changes, 2);
    }
}

#[tokio::test]
async fn a_user_who_is_off_is_no_proof() {
    for world in worlds("off-amid") {
        let (host, port, name) = (&world.server.host, world.server.ports[0], "rotated-off-amid");
        let words = format!(
            "{host}:{port} does not let user `{name}` in with the pending password, although ElastiCache changes nothing any \
             more; rotate again, which installs it"
        );
        let switch = |is_off: bool| world.user().turn(if is_off { "off" } else { "on" });
        world
            .rotate_stopped(&world.rotation, switch, &[(Step::Test, &words)])
            .await;
    }
}

#[tokio::test]
async fn a_current_password_that_does_not_work_is_not_built_upon() {
    let words = format!("ElastiCache user {USER_ID} does not sign in with the secret's current password, ");
    for world in worlds("wrong") {
        let right = world.user().passwords.clone();
        let change = |is_wrong: bool| {
            let right: Vec<_> = right.iter().map(String::as_str).collect();
            world.user().give(if is_wrong { &["another"] } else { &right });
        };
        world
            .rotate_stopped(&world.rotation, change, &[(Step::Set, &words)])
            .await;
    }
}

#[tokio::test]
async fn a_role_that_may_not_look_at_the_user_or_change_it_is_named() {
    let looks = ("unseen", "elasticache:DescribeUsers", &TALKING[..]);
    let changes = ("unchanged", "elasticache:ModifyUser", &[Step::Set, Step::Retire][..]);
    for (test, action, stopped) in [looks, changes] {
        let words = format!(
            "{action} for user {USER_ID} failed: AccessDenied: not authorized to perform: {action}; allow {action} on it to the \
             function's role"
        );
        let stops: Vec<_> = stopped.iter().map(|one| (*one, words.as_str())).collect();
        for world in worlds(test) {
            let deny = |is_denied: bool| world.user().denied = is_denied.then_some(action);
            world.rotate_stopped(&world.rotation, deny, &stops).await;
        }
    }
}
