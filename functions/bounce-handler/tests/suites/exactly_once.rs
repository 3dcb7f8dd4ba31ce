//! Whatever comes twice, late, at once or half: the end is the same.

use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::report::{Report, batch};
use crate::wire::{Cut, wire};
use crate::world::{World, all_well, hand, policy, worlds};

/// Contacts 1 to 9 at c1@example.com ..., each with a send of e-mail 7 and its hash; the tenth has no send.
async fn stage(world: &World) {
    world
        .run(&[
            "INSERT INTO {emails} (id, name) VALUES (7, 'Spring')",
            "INSERT INTO {leads} (id, email) SELECT n, CONCAT('c', n, '@example.com') FROM JSON_TABLE('[1,2,3,4,5,6,7,8,9,10]', '$[*]' COLUMNS (n INT PATH '$')) j",
            "INSERT INTO {sends} (id, email_id, lead_id, email_address, date_sent, tracking_hash, open_details) \
             SELECT id, 7, id, email, '2026-11-23 23:00:00', CONCAT('hash1234567890123456', id), 'a:0:{}' FROM {leads} WHERE id < 10",
        ])
        .await;
}

/// A bounce of each contact's mail; soft ones of the tenth's address, just enough; a complaint of the first.
fn reports() -> Vec<Report> {
    let address = |n: usize| format!("c{n}@example.com");
    let mut reports: Vec<_> = (1..10)
        .map(|n| Report::bounce(&format!("b{n}"), &address(n), "550").hash(&format!("hash1234567890123456{n}")))
        .collect();
    reports.extend((0..3).map(|n| Report::soft(&format!("s{n}"), &address(10))));
    reports.push(Report::complaint("c", &address(1), "abuse").at("2026-11-23T23:39:00Z"));
    reports
}

/// Everything that the function may have changed.
async fn everything(world: &World) -> Vec<String> {
    let mut all = world.column("SELECT CONCAT_WS(' ', lead_id, date_added, reason, channel, COALESCE(channel_id, 'NULL'), comments) FROM {rows} ORDER BY lead_id, id").await;
    all.extend(world.sends().await);
    all.extend(
        world
            .column("SELECT CONCAT(HEX(subject), soft_bounces) FROM {own}.subjects ORDER BY subject")
            .await,
    );
    all.extend(
        world
            .column("SELECT CONCAT(HEX(event_key), verdict) FROM {own}.events ORDER BY event_key")
            .await,
    );
    all
}

async fn anew(world: &World) {
    world
        .run(&[
            "DELETE FROM {sends}",
            "DELETE FROM {leads}",
            "DELETE FROM {emails}",
            "DELETE FROM {own}.events",
            "DELETE FROM {own}.subjects",
        ])
        .await;
    stage(world).await;
}

/// What is left when everything comes once and in one piece.
async fn undisturbed(world: &World) -> Vec<String> {
    stage(world).await;
    assert_eq!(hand(&world.handler(), &reports()).await, all_well());
    let all = everything(world).await;
    assert_eq!(all.len(), 10 + 9 + 1 + 13, "{all:#?}");
    all
}

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

#[tokio::test]
async fn a_connection_that_breaks_anywhere_leaves_all_or_nothing_and_then_all() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        let (port, requests) = wire(world.server.host.clone(), world.server.port, Cut::Before(0)).await;
        anew(&world).await;
        assert_eq!(
            hand(&world.handler_at(port, policy(), None), &reports()).await,
            all_well()
        );
        let all = requests.load(Ordering::SeqCst);
        assert!((12..60).contains(&all), "{all} requests, the handshake's among them");
        for number in 1..=all {
            for cut in [Cut::Before(number), Cut::After(number)] {
                anew(&world).await;
                let (port, _) = wire(world.server.host.clone(), world.server.port, cut).await;
                let handler = world.handler_at(port, policy(), None);
                // The function is killed at this point: it has no time to try again.
                let texts: Vec<_> = reports().iter().map(Report::text).collect();
                let now = tokio::time::Instant::now();
                handler
                    .handle(&batch(&texts), &format!("killed{number}{cut:?}"), now)
                    .await
                    .expect("a queue's");
                let left = world.column("SELECT CONCAT((SELECT COUNT(*) FROM {rows}), ' ', (SELECT COUNT(*) FROM {own}.events), ' ', (SELECT SUM(is_failed) FROM {sends}))").await;
                assert!(
                    ["0 0 0", "10 13 9"].contains(&left[0].as_str()),
                    "{cut:?} left {left:?}"
                );
                assert_eq!(hand(&handler, &reports()).await, all_well(), "{cut:?}");
                assert_eq!(everything(&world).await, expected, "{cut:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_again_while_there_is_time() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        for number in [9, 12, 16] {
            anew(&world).await;
            let (port, _) = wire(world.server.host.clone(), world.server.port, Cut::After(number)).await;
            assert_eq!(
                hand(&world.handler_at(port, policy(), None), &reports()).await,
                all_well()
            );
            assert_eq!(everything(&world).await, expected, "{number}");
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
                    reports.rotate_left((function * 3 + round) % 12);
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
            ["1", "10"]
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
        let all: Vec<Report> = reports().into_iter().take(12).collect();
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
        let (port, requests) = wire(world.server.host.clone(), world.server.port, Cut::Before(0)).await;
        let handler = world.handler_at(port, policy(), None);
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
            let before = requests.load(Ordering::SeqCst);
            assert_eq!(hand(&handler, &reports).await, all_well());
            let after = requests.load(Ordering::SeqCst);
            counts.push(after - before);
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
        assert_eq!(world.column("SELECT COUNT(*) FROM {own}.events").await, ["13"]);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_fails_every_message_that_needs_it_and_no_other() {
    let world = worlds("").await.remove(0);
    let handler = world.handler_at(1, policy(), None);
    let texts = [
        reports()[0].text(),
        json!({"eventType": "Send", "mail": {}}).to_string(),
    ];
    let soon = tokio::time::Instant::now() + Duration::from_millis(300);
    let answer = handler.handle(&batch(&texts), "x", soon).await.expect("a queue's");
    assert_eq!(
        serde_json::to_value(answer).expect("JSON"),
        json!({"batchItemFailures": [{"itemIdentifier": "q-0"}]})
    );
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

#[tokio::test]
async fn a_server_that_is_away_for_a_while_is_waited_for() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        anew(&world).await;
        // In the middle of the transaction; then nobody answers for two seconds.
        let (port, _) = wire(world.server.host.clone(), world.server.port, Cut::Away(12)).await;
        assert_eq!(
            hand(&world.handler_at(port, policy(), None), &reports()).await,
            all_well()
        );
        assert_eq!(everything(&world).await, expected);
    }
}
