//! Whatever comes twice, late, at once or in another order: the end is the same.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::report::Report;
use crate::scenario::{anew, everything, reports, stage, undisturbed};
use crate::wire::{Cut, Wire};
use crate::world::{all_well, hand, policy, worlds};

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        let handler = world.handler();
        for _ in 0..2 {
            assert_eq!(hand(&handler, &[reports(), reports()].concat()).await, all_well());
            assert_eq!(everything(&world).await, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn functions_at_work_on_the_same_recipients_at_once_leave_what_one_leaves() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        let world = std::sync::Arc::new(world);
        for round in 0..5_usize {
            anew(&world).await;
            let works = (0..4).map(|function: usize| {
                let world = std::sync::Arc::clone(&world);
                tokio::spawn(async move {
                    let handler = world.handler();
                    let mut reports = reports();
                    // Each from another end; the complaint stays behind the bounce, since Mautic keeps the first.
                    let last = reports.pop().expect("the complaint");
                    reports.rotate_left((function * 3 + round) % 14);
                    let (first, second) = reports.split_at(6);
                    assert_eq!(hand(&handler, first).await, all_well());
                    assert_eq!(hand(&handler, second).await, all_well());
                    assert_eq!(hand(&handler, &[last]).await, all_well());
                })
            });
            for work in works.collect::<Vec<_>>() {
                work.await.expect("a function");
            }
            assert_eq!(everything(&world).await, expected, "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_reports_of_one_contact_at_once_make_one_row_and_all_entries() {
    for world in worlds("").await {
        let world = std::sync::Arc::new(world);
        stage(&world).await;
        let works = (0..8).map(|n: usize| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                let by_hash = Report::bounce(&format!("h{n}"), "c1@example.com", "550").hash("hash12345678901234561");
                let by_address = Report::bounce(&format!("a{n}"), "c10@example.com", "550");
                assert_eq!(hand(&world.handler(), &[by_hash, by_address]).await, all_well());
            })
        });
        for work in works.collect::<Vec<_>>() {
            work.await.expect("a function");
        }
        assert_eq!(
            world.column("SELECT lead_id FROM {rows} ORDER BY lead_id").await,
            ["1", "10", "11"]
        );
        let details = world
            .column("SELECT open_details FROM {sends} WHERE id = 1")
            .await
            .remove(0);
        assert!(
            details.starts_with(r#"a:1:{s:7:"bounces";a:8:{i:0;"#) && details.contains("}i:7;a:2:"),
            "{details}"
        );
    }
}

#[test]
fn any_order_and_any_repetition_end_alike() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for world in runtime.block_on(worlds("")) {
        let expected = runtime.block_on(undisturbed(&world));
        let all: Vec<Report> = reports().into_iter().take(14).collect();
        let twice = [all.clone(), all].concat();
        let parts = (Just(twice).prop_shuffle(), prop::collection::vec(1..8_usize, 1..8));
        let mut runner = TestRunner::new(Config {
            cases: 12,
            failure_persistence: None,
            ..Config::default()
        });
        let held = runner.run(&parts, |(shuffled, sizes)| {
            runtime.block_on(async {
                anew(&world).await;
                let handler = world.handler();
                let mut rest = shuffled.as_slice();
                for size in sizes.iter().cycle() {
                    if rest.is_empty() {
                        break;
                    }
                    let (now, later) = rest.split_at((*size).min(rest.len()));
                    assert_eq!(hand(&handler, now).await, all_well());
                    rest = later;
                }
                let complaint = reports().pop().expect("the complaint");
                assert_eq!(hand(&handler, &[complaint]).await, all_well());
                assert_eq!(everything(&world).await, expected);
            });
            Ok(())
        });
        held.expect("every order");
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_grow_with_the_batch() {
    for world in worlds("").await {
        stage(&world).await;
        let of = |count: usize, from: usize| -> Vec<Report> {
            (0..count)
                .flat_map(|n| {
                    let id = |kind: &str| format!("{kind}{}", from + n);
                    let contact = n % 9 + 1;
                    [
                        Report::bounce(&id("h"), &format!("c{contact}@example.com"), "550")
                            .hash(&format!("hash1234567890123456{contact}")),
                        Report::bounce(&id("e"), &format!("c{contact}@example.com"), "550").email(7),
                        Report::soft(&id("s"), "c10@example.com"),
                        Report::complaint(&id("c"), &format!("C10+{n}@example.com"), "abuse"),
                    ]
                })
                .collect()
        };
        let wire = Wire::to(&world, Cut::Never).await;
        let handler = world.handler_at(wire.port, policy(), None);
        // Statements are prepared once a connection.
        hand(&handler, &of(1, 1000)).await;
        world
            .run(&["INSERT INTO {rows} (lead_id, date_added, reason, channel) VALUES (9, NOW(), 3, 'email')"])
            .await;
        hand(
            &handler,
            &[
                Report::complaint("warm", "c9@example.com", "abuse"),
                of(1, 1000).remove(0),
            ],
        )
        .await;
        let mut counts = Vec::new();
        for (round, count) in [1_usize, 10, 250].into_iter().enumerate() {
            world
                .run(&[
                    "DELETE FROM {rows}",
                    "INSERT INTO {rows} (lead_id, date_added, reason, channel) VALUES (10, NOW(), 3, 'email')",
                ])
                .await;
            // One of them repeated, so that the keys are asked for as well.
            let reports = [of(count, 10_000 * (round + 1)), of(1, 1000)].concat();
            // Round trips of this connection: the server's own counter also counts what other tests do.
            let before = wire.requests();
            assert_eq!(hand(&handler, &reports).await, all_well());
            counts.push(wire.requests() - before);
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    }
}

#[tokio::test]
async fn expired_keys_go_some_at_a_time_and_others_stay() {
    for world in worlds("").await {
        undisturbed(&world).await;
        world
            .run(&[
                "UPDATE {own}.events SET recorded_at = UTC_TIMESTAMP() - INTERVAL 29 DAY",
                "UPDATE {own}.subjects SET recorded_at = UTC_TIMESTAMP() - INTERVAL 59 DAY",
                "INSERT INTO {own}.subjects (subject, soft_bounces, recorded_at) VALUES (UNHEX(SHA2('old', 256)), '[]', UTC_TIMESTAMP() - INTERVAL 61 DAY)",
                "SET SESSION cte_max_recursion_depth = 5000",
                "INSERT INTO {own}.events (event_key, claim, verdict, recorded_at) SELECT UNHEX(SHA2(n, 256)), 'old', 'soft', UTC_TIMESTAMP() - INTERVAL 31 DAY \
                 FROM (WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 900) SELECT n FROM numbers) n",
                "INSERT INTO {own}.events (event_key, claim, verdict, recorded_at) SELECT UNHEX(SHA2(n + 5000, 256)), 'old', 'soft', UTC_TIMESTAMP() - INTERVAL 31 DAY \
                 FROM (WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 900) SELECT n FROM numbers) n",
            ])
            .await;
        let handler = world.handler();
        for left in [800, 0, 0] {
            assert_eq!(hand(&handler, &reports()).await, all_well());
            let old = world
                .column("SELECT COUNT(*) FROM {own}.events WHERE claim = 'old'")
                .await;
            assert_eq!(old, [left.to_string()]);
        }
        assert_eq!(world.column("SELECT COUNT(*) FROM {own}.events").await, ["15"]);
        let subjects = world.column("SELECT soft_bounces FROM {own}.subjects").await;
        assert_eq!(subjects.len(), 1);
        assert_ne!(subjects, ["[]"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_ends_connections_at_any_moment_loses_nothing_and_doubles_nothing() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        let world = std::sync::Arc::new(world);
        anew(&world).await;
        let ending = {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                // A user may end its own connections.
                let mut same = world.same_user().await;
                let mut killed = 0;
                for pause in (0..120_u64).map(|n| n * 7 % 13) {
                    let query = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()";
                    let ids: Vec<u64> = same.rows(query, ()).await.expect("the processes");
                    for id in ids {
                        // It may have ended by itself.
                        killed += u32::from(same.run(&format!("KILL {id}")).await.is_ok());
                    }
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                killed
            })
        };
        let works = (0..3).map(|_| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                let handler = world.handler();
                let mut reports = reports();
                let last = reports.pop().expect("the complaint");
                for _ in 0..5 {
                    for part in reports.chunks(4) {
                        assert_eq!(hand(&handler, part).await, all_well());
                    }
                }
                assert_eq!(hand(&handler, &[last]).await, all_well());
            })
        });
        for work in works.collect::<Vec<_>>() {
            work.await.expect("a function");
        }
        let killed = ending.await.expect("it ends them");
        assert!(killed > 3, "only {killed} connections were ended");
        assert_eq!(everything(&world).await, expected);
    }
}
