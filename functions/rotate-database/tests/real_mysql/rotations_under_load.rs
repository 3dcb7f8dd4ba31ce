//! Who opens connections all the time is never refused: not with the password that a running task holds.

use rotation::testing::Scene;

use crate::world::World;

const ROTATIONS: usize = 10;

#[tokio::test]
async fn fifty_connections_a_second_through_ten_rotations_with_rollouts_are_all_let_in() {
    for server in local_servers::mysql() {
        let mut world = World::new(&server, &server.admin_user).await;
        let opened = world.rotate_under_load(ROTATIONS).await;
        println!(
            "MySQL {}: {opened} connections through {ROTATIONS} rotations",
            server.version
        );
        world.sql("DROP USER THEM").await;
    }
}
