//! Each row of the oracle: what a real Mautic 7.0.0 wrote for the same, to the byte.

use bounce_handler::Handler;

use crate::world::{Report, World, all_well, hand, worlds};

const HASH: &str = "6b04ceb7e06a6739209454";

/// Contact 1 with a send of e-mail 7, and others that only their addresses tell.
async fn stage(world: &World) -> Handler {
    world
        .run(&[
            "INSERT INTO {emails} (id, name) VALUES (7, 'Spring'), (8, 'Summer')",
            "INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com'), (2, 'joe@example.com'), (3, 'joe@example.com'), \
             (4, 'user+tag@example.com'), (5, 'user@example.com'), (6, 'a12@example.com'), (7, NULL)",
            "INSERT INTO {sends} (id, email_id, lead_id, email_address, date_sent, tracking_hash, open_details) VALUES \
             (1, 7, 1, 'jane@example.com', '2026-11-23 23:38:00', '6b04ceb7e06a6739209454', 'a:0:{}'), \
             (2, NULL, 1, 'jane@example.com', '2026-11-23 23:38:00', 'nomail1234567890123456', 'a:0:{}'), \
             (3, 7, NULL, 'gone@example.com', '2026-11-23 23:38:00', 'nobody1234567890123456', 'a:0:{}')",
        ])
        .await;
    world.handler()
}

async fn well(handler: &Handler, reports: &[Report]) {
    for report in reports {
        assert_eq!(hand(handler, std::slice::from_ref(report)).await, all_well());
    }
}

fn jane(id: &str, diagnostic: &str) -> Report {
    Report::bounce(id, "jane@example.com", diagnostic)
}

/// Everything before the reports that is not failed and has no entry.
const UNTOUCHED: [&str; 3] = ["1 0 a:0:{}", "2 0 a:0:{}", "3 0 a:0:{}"];

fn entry(datetime: &str, reason: &str) -> String {
    format!(
        r#"a:2:{{s:8:"datetime";s:19:"{datetime}";s:6:"reason";s:{}:"{reason}";}}"#,
        reason.len()
    )
}

#[tokio::test]
async fn four_events_of_one_send_leave_what_mautic_left() {
    for prefix in ["", "mtc_"] {
        for world in worlds(prefix).await {
            let handler = stage(&world).await;
            let bounce = |id, said, at: &str| jane(id, said).hash(HASH).at(at);
            well(
                &handler,
                &[
                    bounce("1", "550 no such user", "2026-11-23T23:38:25Z"),
                    bounce("2", "550 again", "2026-11-23T23:38:27Z"),
                    Report::complaint("3", "jane@example.com", "abuse")
                        .hash(HASH)
                        .at("2026-11-23T23:38:28Z"),
                    bounce("4", "550 thïrd", "2026-11-23T23:38:29Z"),
                ],
            )
            .await;
            let entries = [
                entry("2026-11-23 23:38:25", "Permanent/General: 550 no such user"),
                entry("2026-11-23 23:38:27", "Permanent/General: 550 again"),
                entry("2026-11-23 23:38:28", "complaint: abuse"),
                entry("2026-11-23 23:38:29", "Permanent/General: 550 thïrd"),
            ];
            let [one, two, three, four] = entries;
            let details = format!(r#"1 1 a:1:{{s:7:"bounces";a:4:{{i:0;{one}i:1;{two}i:2;{three}i:3;{four}}}}}"#);
            assert_eq!(world.sends().await, [details.as_str(), UNTOUCHED[1], UNTOUCHED[2]]);
            assert_eq!(
                world.rows().await,
                ["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550 no such user"]
            );
        }
    }
}
