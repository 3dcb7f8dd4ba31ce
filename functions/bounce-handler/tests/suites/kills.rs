//! A function that is killed, or a connection that breaks, between any two statements: all of a batch is recorded or
//! nothing, and all of it when it comes again.

use bounce_handler::Handler;
use tokio::time::{Duration, Instant};

use crate::report::{Report, batch};
use crate::scenario::{ALL, NOTHING, anew, clear, everything, reports, undisturbed};
use crate::wire::{Cut, Wire};
use crate::world::{World, all_well, hand, policy, worlds};

#[tokio::test]
async fn a_function_that_is_killed_between_any_two_statements_leaves_all_or_nothing_and_then_all() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        kill_everywhere(&world, &expected, false).await;
        // The very first batch finds no tables of its own, and makes them.
        kill_everywhere(&world, &expected, true).await;
    }
}

async fn kill_everywhere(world: &World, expected: &[String], first: bool) {
    let wire = Wire::to(world, Cut::Never).await;
    begin(world, first).await;
    let handler = world.handler_at(wire.port, policy(), None);
    assert_eq!(hand(&handler, &reports()).await, all_well());
    let all = wire.requests();
    assert!((30..60).contains(&all), "{all} requests, the handshake's among them");
    let (mut nothing, mut complete) = (0, 0);
    for number in 1..=all {
        for cut in [Cut::Before(number), Cut::After(number)] {
            begin(world, first).await;
            let wire = Wire::to(world, cut).await;
            let handler = world.handler_at(wire.port, policy(), None);
            kill(&handler, &wire, &format!("killed{number}{cut:?}")).await;
            match left(world).await.as_str() {
                NOTHING => nothing += 1,
                ALL => complete += 1,
                other => panic!("{cut:?} left {other}"),
            }
            assert_eq!(hand(&handler, &reports()).await, all_well(), "{cut:?}");
            assert_eq!(everything(world).await, expected, "{cut:?}");
        }
    }
    // The commit's own answer, and what is only tidied up after it.
    assert!(nothing > 40 && complete > 3, "{nothing} left nothing, {complete} all");
}

async fn begin(world: &World, first: bool) {
    if first {
        clear(world).await;
        world.run(&["DROP TABLE IF EXISTS {own}.events, {own}.subjects"]).await;
    } else {
        anew(world).await;
    }
}

/// The function works until the wire breaks, and not a moment longer: it has no time to try again.
async fn kill(handler: &Handler, wire: &Wire, claim: &str) {
    let texts: Vec<_> = reports().iter().map(Report::text).collect();
    let batch = batch(&texts);
    tokio::select! {
        biased;
        () = wire.broken() => {}
        answer = handler.handle(&batch, claim, Instant::now() + Duration::from_secs(20)) => drop(answer),
    }
}

/// Events, rows, failed sends.
async fn left(world: &World) -> String {
    let query = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{own}' AND TABLE_NAME = 'events'";
    let made = world.column(query).await == ["1"];
    let events = if made {
        "(SELECT COUNT(*) FROM {own}.events)"
    } else {
        "0"
    };
    let query = format!(
        "SELECT CONCAT_WS(' ', {events}, (SELECT COUNT(*) FROM {{rows}}), (SELECT SUM(is_failed) FROM {{sends}}))"
    );
    world.column(&query).await.remove(0)
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_again_while_there_is_time() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        for number in [9, 12, 16, 24] {
            anew(&world).await;
            let wire = Wire::to(&world, Cut::After(number)).await;
            assert_eq!(
                hand(&world.handler_at(wire.port, policy(), None), &reports()).await,
                all_well()
            );
            assert_eq!(everything(&world).await, expected, "{number}");
        }
    }
}
