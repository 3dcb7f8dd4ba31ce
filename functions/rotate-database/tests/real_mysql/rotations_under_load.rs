//! Who opens connections all the time is never refused: not with the password that a running task holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rotation::Step;
use tokio::sync::RwLock;
use tokio::time::{interval, sleep};

use crate::world::{World, version};

/// How often a connection is opened.
const EVERY: Duration = Duration::from_millis(20);
const ROTATIONS: usize = 10;

#[tokio::test]
async fn fifty_connections_a_second_through_ten_rotations_with_rollouts_are_all_let_in() {
    for server in local_servers::mysql() {
        let mut world = World::new(&server, &server.admin_user).await;
        // A task that runs holds what the secret was when it started.
        let task = Arc::new(RwLock::new(world.held()));
        let over = Arc::new(AtomicBool::new(false));
        let client = async {
            let (mut ticks, mut opened) = (interval(EVERY), 0);
            while !over.load(Ordering::Relaxed) {
                ticks.tick().await;
                let held = task.read().await.clone();
                assert!(world.lets_in(&held).await, "connection {opened} was refused");
                opened += 1;
            }
            opened
        };
        let rotations = async {
            for number in 0..ROTATIONS {
                let (before, token) = (world.held(), version(number + 2));
                world.rotate(&token).await.unwrap();
                sleep(Duration::from_millis(150)).await;
                // The rollout: from here on, no task holds the old one.
                *task.write().await = world.held();
                sleep(Duration::from_millis(100)).await;
                world.step(Step::Retire, &token).await.unwrap();
                sleep(Duration::from_millis(100)).await;
                assert!(!world.lets_in(&before).await, "the old password is retired");
            }
            over.store(true, Ordering::Relaxed);
        };
        let (opened, ()) = tokio::join!(client, rotations);
        assert!(opened > 10 * ROTATIONS, "only {opened} connections were opened");
        println!(
            "MySQL {}: {opened} connections through {ROTATIONS} rotations",
            server.version
        );
        world.sql("DROP USER THEM").await;
    }
}
