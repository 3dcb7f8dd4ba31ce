//! What each type and subtype of report leaves in Mautic's tables, and what it does not.

use std::fmt::Write;

use bounce_handler::incident::Incident;
use serde_json::json;
use ses_events::Message;

use crate::report::{Format, Report, Way, batch_by};
use crate::world::{all_well, hand, hand_batch, hand_texts, policy, worlds};

const JANE: &str = "INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com'), (2, 'joe@example.com')";
const BOUNCED: &str = "1 2026-11-23 23:38:25 2 email NULL";

fn bounce(class: &'static str, subtype: &'static str) -> Report {
    Report {
        class,
        subtype,
        ..Report::bounce("", "", "said")
    }
}

fn complaint(subtype: &'static str, feedback: &'static str) -> Report {
    Report {
        class: subtype,
        ..Report::complaint("", "", feedback)
    }
}

const SUPPRESSED: &str = "provider-suppressed";

/// Each type and subtype, what is recorded of it, and the reason and words of the row that it leaves, if it leaves one.
fn reports() -> Vec<(Report, &'static str, Option<&'static str>)> {
    vec![
        (
            bounce("Permanent", "General"),
            "bounced",
            Some("2 email NULL Permanent/General: said"),
        ),
        (
            bounce("Permanent", "NoEmail"),
            "bounced",
            Some("2 email NULL Permanent/NoEmail: said"),
        ),
        (
            bounce("Permanent", "Suppressed"),
            "bounced",
            Some("2 email NULL Permanent/Suppressed: said"),
        ),
        (bounce("Permanent", "OnAccountSuppressionList"), SUPPRESSED, None),
        (bounce("Permanent", "OnTenantSuppressionList"), SUPPRESSED, None),
        (bounce("Permanent", "EmailValidationSuppressed"), SUPPRESSED, None),
        (bounce("Permanent", "Tomorrow"), "unknown", None),
        (bounce("Undetermined", "Undetermined"), "soft", None),
        (bounce("Transient", "General"), "soft", None),
        (bounce("Transient", "MailboxFull"), "soft", None),
        (bounce("Transient", "MessageTooLarge"), "soft", None),
        (bounce("Transient", "CustomTimeoutExceeded"), "soft", None),
        (bounce("Transient", "ContentRejected"), "soft", None),
        (bounce("Transient", "AttachmentRejected"), "soft", None),
        (bounce("Sideways", "General"), "unknown", None),
        (
            complaint("", "abuse"),
            "complained",
            Some("1 email NULL complaint: abuse"),
        ),
        (
            complaint("", "auth-failure"),
            "complained",
            Some("1 email NULL complaint: auth-failure"),
        ),
        (
            complaint("", "fraud"),
            "complained",
            Some("1 email NULL complaint: fraud"),
        ),
        (
            complaint("", "other"),
            "complained",
            Some("1 email NULL complaint: other"),
        ),
        (
            complaint("", "virus"),
            "complained",
            Some("1 email NULL complaint: virus"),
        ),
        (complaint("", ""), "complained", Some("1 email NULL complaint")),
        (complaint("", "not-spam"), "harmless", None),
        (complaint("OnAccountSuppressionList", ""), SUPPRESSED, None),
        (complaint("OnAccountSuppressionList", "abuse"), SUPPRESSED, None),
    ]
}

/// The key under which a report of one recipient is recorded.
fn key(text: &str) -> String {
    let Ok(Message::Event(event)) = Message::read(text) else {
        panic!("{text}")
    };
    let incident = Incident::all(&event, &policy(), 0).remove(0);
    incident.key.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// In both formats and on every way: each report to a contact of its own, all of them in one batch.
#[tokio::test]
async fn only_hard_bounces_and_complaints_act_at_once_and_each_verdict_is_recorded() {
    let ways = [Format::Published, Format::Notified]
        .into_iter()
        .flat_map(|format| [Way::Raw, Way::Wrapped, Way::Topic].map(|way| (format, way)));
    for world in worlds("").await {
        for (format, way) in ways.clone() {
            let mut statements = vec![
                "DELETE FROM {leads}".to_owned(),
                "DROP TABLE IF EXISTS {own}.events, {own}.subjects".to_owned(),
            ];
            let (mut texts, mut rows, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
            for (number, (report, verdict, row)) in reports().into_iter().enumerate() {
                let (contact, address) = (number + 1, format!("c{number}@example.com"));
                statements.push(format!(
                    "INSERT INTO {{leads}} (id, email) VALUES ({contact}, '{address}')"
                ));
                let report = Report {
                    format,
                    id: format!("f{number}"),
                    recipients: vec![address],
                    ..report
                };
                texts.push(report.text());
                rows.extend(row.map(|row| format!("{contact} 2026-11-23 23:38:25 {row}")));
                verdicts.push(format!("{} {verdict}", key(&report.text())));
            }
            world
                .run(&statements.iter().map(String::as_str).collect::<Vec<_>>())
                .await;
            assert_eq!(hand_batch(&world.handler(), &batch_by(way, &texts)).await, all_well());
            let left = "SELECT CONCAT_WS(' ', lead_id, date_added, reason, channel, COALESCE(channel_id, 'NULL'), comments) FROM {rows} ORDER BY lead_id";
            assert_eq!(world.column(left).await, rows, "{format:?} {way:?}");
            let recorded = "SELECT CONCAT(HEX(event_key), ' ', verdict) FROM {own}.events ORDER BY event_key";
            verdicts.sort();
            assert_eq!(world.column(recorded).await, verdicts, "{format:?} {way:?}");
        }
    }
}

#[tokio::test]
async fn soft_bounces_within_the_window_are_as_good_as_a_hard_one() {
    let on = |id: &str, at: &str| Report::soft(id, "jane@example.com").at(at);
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let handler = world.handler();
        let (first, second, third) = (
            on("1", "2026-11-01T00:00:00Z"),
            on("2", "2026-11-15T00:00:00Z"),
            on("3", "2026-11-15T12:00:00Z"),
        );
        hand(
            &handler,
            &[first.clone(), second.clone(), second.clone(), third.clone()],
        )
        .await;
        hand(&handler, &[first, second, third]).await;
        assert_eq!(
            world.rows().await,
            Vec::<String>::new(),
            "the first is too old, and repetitions do not count"
        );
        // It comes late, and after it all three lie within fourteen days, whatever their order.
        hand(&handler, &[on("4", "2026-11-14T00:00:00Z")]).await;
        assert_eq!(
            world.rows().await,
            ["1 2026-11-14 00:00:00 2 email NULL Transient/MailboxFull: full"]
        );
    }
}

#[tokio::test]
async fn soft_bounces_of_the_same_days_count_together_though_a_later_one_was_recorded_first() {
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let handler = world.handler();
        for (id, at) in [
            ("1", "2026-11-20T00:00:00Z"),
            ("2", "2026-11-01T00:00:00Z"),
            ("3", "2026-11-02T00:00:00Z"),
        ] {
            hand(&handler, &[Report::soft(id, "jane@example.com").at(at)]).await;
        }
        assert_eq!(world.rows().await, Vec::<String>::new());
        let third = Report::soft("4", "jane@example.com").at("2026-11-03T00:00:00Z");
        hand(&handler, &[third]).await;
        assert_eq!(
            world.rows().await,
            ["1 2026-11-03 00:00:00 2 email NULL Transient/MailboxFull: full"]
        );
    }
}

#[tokio::test]
async fn a_threshold_of_nothing_never_acts_and_a_status_acts_at_once() {
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let never = bounce_handler::policy::Policy {
            soft_threshold: 0,
            ..policy()
        };
        let handler = world.handler_at(world.server.port, never, None);
        let many: Vec<_> = (0..10)
            .map(|id| Report::soft(&id.to_string(), "jane@example.com"))
            .collect();
        assert_eq!(hand(&handler, &many).await, all_well());
        assert_eq!(world.rows().await, Vec::<String>::new());
        let text = Report::soft("s", "jane@example.com")
            .text()
            .replace(r#""diagnosticCode""#, r#""status":"5.1.1","diagnosticCode""#);
        assert_eq!(hand_texts(&handler, &[text]).await, all_well());
        assert_eq!(world.rows().await, [format!("{BOUNCED} Transient/MailboxFull: full")]);
    }
}

#[tokio::test]
async fn a_later_delivery_and_every_other_event_clear_nothing() {
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let handler = world.handler();
        hand(&handler, &[Report::bounce("1", "jane@example.com", "550")]).await;
        let others = [
            "Delivery",
            "Send",
            "Reject",
            "Open",
            "Click",
            "Rendering Failure",
            "DeliveryDelay",
            "Subscription",
            "Teleport",
        ];
        let texts: Vec<_> = others
            .iter()
            .map(|kind| json!({"eventType": kind, "mail": {"messageId": "m-1", "destination": ["jane@example.com"]}, "delivery": {"recipients": ["jane@example.com"]}}).to_string())
            .chain(["Successfully validated SNS topic for Amazon SES event publishing.".to_owned()])
            .collect();
        assert_eq!(hand_texts(&handler, &texts).await, all_well());
        assert_eq!(world.rows().await, [format!("{BOUNCED} Permanent/General: 550")]);
    }
}

#[tokio::test]
async fn a_poison_message_fails_alone() {
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let texts = [
            "hello".to_owned(),
            Report::bounce("1", "jane@example.com", "550").text(),
            r#"{"eventType": "Bounce", "mail": {}, "bounce": {}}"#.to_owned(),
            "[".repeat(200_000),
            Report::bounce("2", "no address at all", "550").text(),
            // More than MySQL's statement may hold, if nobody shortened it.
            Report::bounce("3", "joe@example.com", &"x".repeat(20_000_000)).text(),
        ];
        let failed = json!({"batchItemFailures": [{"itemIdentifier": "q-0"}, {"itemIdentifier": "q-2"}, {"itemIdentifier": "q-3"}]});
        assert_eq!(hand_texts(&world.handler(), &texts).await, failed);
        let long = format!(
            "2 2026-11-23 23:38:25 2 email NULL Permanent/General: {}",
            "x".repeat(1000 - "Permanent/General: ".len())
        );
        assert_eq!(world.rows().await, [format!("{BOUNCED} Permanent/General: 550"), long]);
    }
}

#[tokio::test]
async fn what_the_server_rejects_of_one_message_keeps_no_other_back() {
    for world in worlds("").await {
        // A constraint that Mautic does not have: the server itself then refuses one contact's row.
        world
            .run(&[JANE, "ALTER TABLE {rows} ADD CONSTRAINT CHECK (lead_id <> 1)"])
            .await;
        let reports: Vec<_> = ["jane@example.com", "joe@example.com", "nobody@example.com"]
            .iter()
            .enumerate()
            .map(|(id, address)| Report::bounce(&id.to_string(), address, "550"))
            .collect();
        assert_eq!(
            hand(&world.handler(), &reports).await,
            json!({"batchItemFailures": [{"itemIdentifier": "q-0"}]})
        );
        assert_eq!(
            world.rows().await,
            ["2 2026-11-23 23:38:25 2 email NULL Permanent/General: 550"]
        );
        assert_eq!(world.column("SELECT COUNT(*) FROM {own}.events").await, ["2"]);
    }
}

#[tokio::test]
async fn a_panic_while_some_are_recorded_keeps_no_other_back() {
    for world in worlds("").await {
        world.run(&[JANE]).await;
        let reports: Vec<_> = ["jane@example.com", "joe@example.com"]
            .iter()
            .enumerate()
            .map(|(id, address)| Report::bounce(&id.to_string(), address, "550"))
            .collect();
        // The whole batch meets it, then the first half of it.
        let handler = world.handler_with(world.server.port, policy(), None, 2);
        let answer = hand(&handler, &reports).await;
        let failed = answer["batchItemFailures"].as_array().map(Vec::len);
        assert_eq!((failed, world.rows().await.len()), (Some(1), 1));
        assert_eq!(hand(&handler, &reports).await, all_well());
        assert_eq!(world.rows().await.len(), 2);
    }
}
