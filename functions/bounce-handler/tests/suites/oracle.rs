//! Each row of the oracle: what a real Mautic 7.0.0 wrote for the same, to the byte.

use bounce_handler::Handler;

use crate::report::Report;
use crate::world::{World, all_well, hand, worlds};

const HASH: &str = "6b04ceb7e06a6739209454";
const PREFIXES: [&str; 2] = ["", "mtc_"];

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
    for prefix in PREFIXES {
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

/// A series of reports, handed over one at a time, and what they leave.
struct Case {
    name: &'static str,
    before: &'static [&'static str],
    reports: Vec<Report>,
    /// Sends that are not as they were.
    sends: Vec<(usize, String)>,
    rows: Vec<&'static str>,
}

impl Case {
    fn new(name: &'static str, reports: Vec<Report>, rows: Vec<&'static str>) -> Self {
        Self {
            name,
            before: &[],
            reports,
            sends: Vec::new(),
            rows,
        }
    }

    fn send(mut self, id: usize, failed: u8, entries: &[(&str, &str)]) -> Self {
        let entries: Vec<_> = entries.iter().map(|(at, reason)| entry(at, reason)).collect();
        let inside: Vec<_> = (0..)
            .zip(&entries)
            .map(|(index, entry): (usize, _)| format!("i:{index};{entry}"))
            .collect();
        let details = format!(
            r#"{id} {failed} a:1:{{s:7:"bounces";a:{}:{{{}}}}}"#,
            entries.len(),
            inside.concat()
        );
        self.sends.push((id, details));
        self
    }

    fn before(mut self, statements: &'static [&'static str]) -> Self {
        self.before = statements;
        self
    }

    /// With Mautic's tables under their own names, and with a prefix.
    async fn hold(&self) {
        for prefix in PREFIXES {
            for world in worlds(prefix).await {
                let handler = stage(&world).await;
                world.run(self.before).await;
                let mut sends: Vec<_> = world.sends().await;
                well(&handler, &self.reports).await;
                for (id, text) in &self.sends {
                    sends[id - 1].clone_from(text);
                }
                assert_eq!(world.sends().await, sends, "{} {prefix}", self.name);
                assert_eq!(world.rows().await, self.rows, "{} {prefix}", self.name);
            }
        }
    }
}

fn to(address: &str, id: &str) -> Report {
    Report::bounce(id, address, "550")
}

fn spam(address: &str, id: &str) -> Report {
    Report::complaint(id, address, "abuse").at("2026-11-23T23:38:29Z")
}

const FIRST: &str = "2026-11-23 23:38:25";
const SECOND: &str = "2026-11-23 23:38:29";
const HARD: &str = "Permanent/General: 550";

#[tokio::test]
async fn by_hash() {
    let by_mail = |report: Report, hash: &str| report.hash(hash);
    for case in [
        Case::new(
            "bounce",
            vec![by_mail(to("jane@example.com", "1"), HASH)],
            vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
        )
        .send(1, 1, &[(FIRST, HARD)]),
        Case::new(
            "unsubscribe after bounce",
            vec![
                by_mail(to("jane@example.com", "1"), HASH),
                by_mail(spam("jane@example.com", "2"), HASH),
            ],
            vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
        )
        .send(1, 1, &[(FIRST, HARD), (SECOND, "complaint: abuse")]),
        Case::new(
            "unsubscribe only",
            vec![by_mail(spam("jane@example.com", "1"), HASH)],
            vec!["1 2026-11-23 23:38:29 1 email 7 complaint: abuse"],
        )
        .send(1, 0, &[(SECOND, "complaint: abuse")]),
    ] {
        case.hold().await;
    }
}

#[tokio::test]
async fn by_hash_in_another_order_or_without_a_contact() {
    let by_mail = |report: Report, hash: &str| report.hash(hash);
    for case in [
        Case::new(
            "bounce after unsubscribe",
            vec![
                by_mail(spam("jane@example.com", "1"), HASH),
                by_mail(to("jane@example.com", "2"), HASH),
            ],
            vec!["1 2026-11-23 23:38:29 1 email 7 complaint: abuse"],
        )
        .send(1, 1, &[(SECOND, "complaint: abuse"), (FIRST, HARD)]),
        Case::new(
            "unsubscribe repeated",
            vec![
                by_mail(spam("jane@example.com", "1"), HASH),
                by_mail(spam("jane@example.com", "2"), HASH).at("2026-11-23T23:38:30Z"),
            ],
            vec!["1 2026-11-23 23:38:29 1 email 7 complaint: abuse"],
        )
        .send(
            1,
            0,
            &[
                (SECOND, "complaint: abuse"),
                ("2026-11-23 23:38:30", "complaint: abuse"),
            ],
        ),
        Case::new(
            "unknown hash",
            vec![by_mail(to("nobody@example.com", "1"), "unknown123456789012345")],
            vec![],
        ),
        Case::new(
            "stat with lead NULL",
            vec![by_mail(to("gone@example.com", "1"), "nobody1234567890123456")],
            vec![],
        ),
        Case::new(
            "stat's email_id NULL",
            vec![by_mail(to("jane@example.com", "1"), "nomail1234567890123456")],
            vec!["1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"],
        )
        .send(2, 1, &[(FIRST, HARD)]),
    ] {
        case.hold().await;
    }
}

#[tokio::test]
async fn by_address() {
    for case in [
        Case::new("bounce", vec![to("jane@example.com", "1")], vec!["1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]),
        Case::new(
            "bounce repeated",
            vec![to("jane@example.com", "1"), to("jane@example.com", "2").at("2026-11-24T00:00:00Z")],
            vec!["1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"],
        ),
        Case::new(
            "bounce after unsubscribe",
            vec![spam("jane@example.com", "1"), to("jane@example.com", "2")],
            vec!["1 2026-11-23 23:38:29 1 email NULL complaint: abuse"],
        ),
        Case::new(
            "unsubscribe after bounce: the same row",
            vec![to("jane@example.com", "1"), spam("jane@example.com", "2")],
            vec!["1 2026-11-23 23:38:29 1 email NULL complaint: abuse"],
        ),
        Case::new(
            "unsubscribe after a bounce that had a channel id: it stays",
            vec![spam("jane@example.com", "1")],
            vec!["1 2026-11-23 23:38:29 1 email 7 complaint: abuse"],
        )
        .before(&["INSERT INTO {rows} (lead_id, date_added, reason, channel, channel_id, comments) VALUES (1, '2026-01-01', 2, 'email', 7, 'x')"]),
        Case::new(
            "unsubscribe with channel id",
            vec![spam("joe@example.com", "1").email(8)],
            vec!["2 2026-11-23 23:38:29 1 email 8 complaint: abuse", "3 2026-11-23 23:38:29 1 email 8 complaint: abuse"],
        ),
        Case::new(
            "unsubscribe with channel id after bounce with channel id",
            vec![to("joe@example.com", "1").email(8), spam("joe@example.com", "2").email(8)],
            vec!["2 2026-11-23 23:38:25 2 email 8 Permanent/General: 550", "3 2026-11-23 23:38:25 2 email 8 Permanent/General: 550"],
        ),
        Case::new(
            "two contacts, same address",
            vec![to("joe@example.com", "1")],
            vec!["2 2026-11-23 23:38:25 2 email NULL Permanent/General: 550", "3 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"],
        ),
        Case::new("that exact contact exists", vec![to("user+tag@example.com", "1")], vec!["4 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]),
        Case::new("user where user+tag exists", vec![to("user@example.com", "1")], vec!["5 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]),
        Case::new("only the address without suffix", vec![to("a12+foo@example.com", "1")], vec!["6 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]),
        Case::new("other case", vec![to("JANE@Example.com", "1")], vec!["1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]),
        Case::new("unknown address", vec![to("nobody@example.com", "1")], vec![]),
    ] {
        case.hold().await;
    }
}

#[tokio::test]
async fn by_email_and_recipient() {
    for case in [
        Case::new(
            "the latest send of the e-mail",
            vec![to("jane@example.com", "1").email(7)],
            vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
        )
        .before(&["INSERT INTO {sends} (id, email_id, lead_id, email_address, date_sent, open_details) VALUES \
                   (4, 7, 1, 'jane@example.com', '2026-11-23 23:39:00', NULL), (5, 7, 1, 'other@example.com', '2026-11-23 23:40:00', NULL), \
                   (6, 8, 1, 'jane@example.com', '2026-11-23 23:40:00', NULL)"])
        .send(4, 1, &[(FIRST, HARD)]),
        Case::new(
            "an e-mail that is not there",
            vec![to("jane@example.com", "1").email(99)],
            vec!["1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"],
        ),
    ] {
        case.hold().await;
    }
}

#[tokio::test]
async fn a_hash_is_another_s_where_the_mail_went_to_several() {
    let both = to("jane@example.com", "1").also("joe@example.com").hash(HASH);
    Case::new(
        "one mail to two",
        vec![both],
        vec![
            "1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550",
            "2 2026-11-23 23:38:25 2 email NULL Permanent/General: 550",
            "3 2026-11-23 23:38:25 2 email NULL Permanent/General: 550",
        ],
    )
    .send(1, 1, &[(FIRST, HARD)])
    .hold()
    .await;
    // Forwarded, so that it bounced under another name: it is still the mail to Jane.
    Case::new(
        "one mail to one",
        vec![to("elsewhere@example.com", "1").hash(HASH)],
        vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
    )
    .send(1, 1, &[(FIRST, HARD)])
    .hold()
    .await;
}

#[tokio::test]
async fn what_a_person_chose_and_what_stands_with_a_send_stays() {
    Case::new(
        "opens stay under their numbers",
        vec![to("jane@example.com", "1").hash(HASH)],
        vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
    )
    .before(&[r#"UPDATE {sends} SET open_details = 'a:2:{i:0;a:1:{s:9:"useragent";s:2:"é";}i:1;d:0.1;}' WHERE id = 1"#])
    .with(
        1,
        r#"1 1 a:3:{i:0;a:1:{s:9:"useragent";s:2:"é";}i:1;d:0.1;s:7:"bounces";a:1:{i:0;ENTRY}}"#,
    )
    .hold()
    .await;
    Case::new(
        "details that are no text of PHP's",
        vec![to("jane@example.com", "1").hash(HASH)],
        vec!["1 2026-11-23 23:38:25 2 email 7 Permanent/General: 550"],
    )
    .before(&["UPDATE {sends} SET open_details = '[1]' WHERE id = 1"])
    .with(1, "1 1 [1]")
    .hold()
    .await;
    for (row, after) in [
        (
            "(1, '2026-01-01', 1, 'email', NULL, 'mine')",
            "1 2026-01-01 00:00:00 1 email NULL mine",
        ),
        (
            "(1, '2026-01-01', 3, 'email', NULL, 'by hand')",
            "1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550",
        ),
    ] {
        for world in worlds("").await {
            let handler = stage(&world).await;
            let insert = format!(
                "INSERT INTO {{rows}} (lead_id, date_added, reason, channel, channel_id, comments) VALUES {row}"
            );
            world.run(&[&insert]).await;
            well(&handler, &[to("jane@example.com", "1")]).await;
            assert_eq!(world.rows().await, [after]);
        }
    }
    Case::new(
        "another channel, and a row that says contactable",
        vec![to("jane@example.com", "1")],
        vec!["1 2026-01-01 00:00:00 3 sms NULL no", "1 2026-01-01 00:00:00 0 email NULL yes", "1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"],
    )
    .before(&["INSERT INTO {rows} (lead_id, date_added, reason, channel, channel_id, comments) VALUES (1, '2026-01-01', 3, 'sms', NULL, 'no'), (1, '2026-01-01', 0, 'email', NULL, 'yes')"])
    .hold()
    .await;
}

impl Case {
    /// A send with this text, in which the bounce's entry stands for ENTRY.
    fn with(mut self, id: usize, text: &str) -> Self {
        self.sends.push((id, text.replace("ENTRY", &entry(FIRST, HARD))));
        self
    }
}
