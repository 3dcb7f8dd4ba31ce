//! The server itself restarts and dies, again and again, while functions are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use local_servers::{MySql, Private};

use crate::report::Report;
use crate::world::{World, all_well, hand};

const CONTACTS: usize = 40;
/// Reports in a batch; batches of a function that are recorded between two ends of the server.
const BATCH: usize = 10;
const BETWEEN: usize = 5;
const PATIENCE: Duration = Duration::from_mins(2);

/// Contacts with a send of e-mail 7 each.
async fn stage(world: &World) {
    world
        .run(&[
            "INSERT INTO {emails} (id, name) VALUES (7, 'Spring')",
            &format!(
                "INSERT INTO {{leads}} (id, email) SELECT n, CONCAT('c', n, '@example.com') FROM \
                 (WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {CONTACTS}) SELECT n FROM numbers) j"
            ),
            "INSERT INTO {sends} (id, email_id, lead_id, email_address, date_sent, tracking_hash, open_details) \
             SELECT id, 7, id, email, '2026-11-23 23:00:00', CONCAT('hash1234567890123456', id), 'a:0:{}' FROM {leads}",
        ])
        .await;
}

/// What functions and the one who ends the server tell each other.
#[derive(Default)]
struct Progress {
    batches: AtomicUsize,
    done: AtomicBool,
}

/// New reports without end, in batches; one that failed comes again, as from the queue. How many reports there were.
async fn work(world: Arc<World>, progress: Arc<Progress>, function: usize) -> usize {
    let handler = world.handler();
    let mut number = 0;
    while !progress.done.load(Ordering::SeqCst) {
        let reports: Vec<_> = (number..number + BATCH)
            .map(|n| {
                let contact = n % CONTACTS + 1;
                Report::bounce(&format!("{function}-{n}"), &format!("c{contact}@example.com"), "550")
                    .hash(&format!("hash1234567890123456{contact}"))
            })
            .collect();
        let given_up = Instant::now() + PATIENCE;
        while hand(&handler, &reports).await != all_well() {
            assert!(Instant::now() < given_up, "a batch failed for {PATIENCE:?}");
        }
        number += BATCH;
        progress.batches.fetch_add(1, Ordering::SeqCst);
        // As a queue does now and then: it comes though it was recorded.
        if number % (7 * BATCH) == 0 {
            hand(&handler, &reports).await;
        }
    }
    number
}

/// Ends the server in both ways, each in the middle of the functions' work; whatever becomes of it, they stop then.
fn end_it(private: &Private, server: &MySql, progress: &Progress) {
    let go_on = || {
        let (before, given_up) = (progress.batches.load(Ordering::SeqCst), Instant::now() + PATIENCE);
        while progress.batches.load(Ordering::SeqCst) < before + BETWEEN {
            assert!(Instant::now() < given_up, "the functions did nothing for {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    for _ in 0..2 {
        go_on();
        private.restart(server);
        go_on();
        private.crash(server);
    }
    go_on();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_or_dies_loses_nothing_and_doubles_nothing() {
    let private = Arc::new(Private::start("bounce-handler"));
    for server in private.servers() {
        let world = Arc::new(World::new(server.clone(), "").await);
        stage(&world).await;
        let progress = Arc::new(Progress::default());
        let works: Vec<_> = (0..2)
            .map(|function| tokio::spawn(work(Arc::clone(&world), Arc::clone(&progress), function)))
            .collect();
        let ending = {
            let (private, server, progress) = (Arc::clone(&private), server.clone(), Arc::clone(&progress));
            tokio::task::spawn_blocking(move || end_it(&private, &server, &progress))
        };
        let ended = ending.await;
        progress.done.store(true, Ordering::SeqCst);
        let mut reports = 0;
        for work in works {
            reports += work.await.expect("a function");
        }
        ended.expect("the server came back each time");
        // Each report once: one key, one entry with its send; each contact once, however many reports there were.
        let counted = world
            .column(
                "SELECT CONCAT((SELECT COUNT(*) FROM {own}.events), ' ', \
                 (SELECT SUM((LENGTH(open_details) - LENGTH(REPLACE(open_details, '\"reason\"', ''))) DIV 8) FROM {sends}), ' ', \
                 (SELECT SUM(is_failed) FROM {sends}))",
            )
            .await;
        assert_eq!(counted, [format!("{reports} {reports} {CONTACTS}")], "{server:?}");
        let mut rows = world.rows().await;
        rows.sort();
        let mut expected: Vec<_> = (1..=CONTACTS)
            .map(|n| format!("{n} 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"))
            .collect();
        expected.sort();
        assert_eq!(rows, expected, "{server:?}");
    }
}
