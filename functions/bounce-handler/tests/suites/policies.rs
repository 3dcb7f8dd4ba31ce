//! What each type and subtype of report leaves in Mautic's tables, and what it does not.

use serde_json::json;

use crate::world::{Report, all_well, hand, hand_texts, policy, worlds};

const JANE: &str = "INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com'), (2, 'joe@example.com')";
const BOUNCED: &str = "1 2026-11-23 23:38:25 2 email NULL";

fn report(class: &'static str, subtype: &'static str) -> Report {
    Report {
        class,
        subtype,
        ..Report::bounce("1", "jane@example.com", "said")
    }
}

/// Each type and subtype, and the reason and words of the row that it leaves, if it leaves one.
fn reports() -> Vec<(Report, Option<&'static str>)> {
    vec![
        (
            report("Permanent", "General"),
            Some("2 email NULL Permanent/General: said"),
        ),
        (
            report("Permanent", "NoEmail"),
            Some("2 email NULL Permanent/NoEmail: said"),
        ),
        (
            report("Permanent", "Suppressed"),
            Some("2 email NULL Permanent/Suppressed: said"),
        ),
        (report("Permanent", "OnAccountSuppressionList"), None),
        (report("Permanent", "OnTenantSuppressionList"), None),
        (report("Permanent", "EmailValidationSuppressed"), None),
        (report("Permanent", "Tomorrow"), None),
        (report("Undetermined", "Undetermined"), None),
        (report("Transient", "General"), None),
        (report("Transient", "MailboxFull"), None),
        (report("Transient", "MessageTooLarge"), None),
        (report("Transient", "CustomTimeoutExceeded"), None),
        (report("Transient", "ContentRejected"), None),
        (report("Transient", "AttachmentRejected"), None),
        (report("Sideways", "General"), None),
        (
            Report::complaint("1", "jane@example.com", "abuse"),
            Some("1 email NULL complaint: abuse"),
        ),
        (
            Report::complaint("1", "jane@example.com", "auth-failure"),
            Some("1 email NULL complaint: auth-failure"),
        ),
        (
            Report::complaint("1", "jane@example.com", "fraud"),
            Some("1 email NULL complaint: fraud"),
        ),
        (
            Report::complaint("1", "jane@example.com", "other"),
            Some("1 email NULL complaint: other"),
        ),
        (
            Report::complaint("1", "jane@example.com", "virus"),
            Some("1 email NULL complaint: virus"),
        ),
        (
            Report::complaint("1", "jane@example.com", ""),
            Some("1 email NULL complaint"),
        ),
        (Report::complaint("1", "jane@example.com", "not-spam"), None),
    ]
}

#[tokio::test]
async fn only_hard_bounces_and_complaints_act_at_once() {
    let reports = reports();
    for world in worlds("").await {
        world.run(&[JANE]).await;
        for (number, (report, expected)) in reports.iter().enumerate() {
            world.run(&["DELETE FROM {rows}"]).await;
            let report = Report {
                id: number.to_string(),
                ..report.clone()
            };
            assert_eq!(hand(&world.handler(), std::slice::from_ref(&report)).await, all_well());
            let expected: Vec<_> = expected
                .iter()
                .map(|rest| format!("1 2026-11-23 23:38:25 {rest}"))
                .collect();
            assert_eq!(world.rows().await, expected, "{}", report.text());
            // Soft ones are counted per address: each of these alone.
            if number == 0 {
                assert_eq!(world.column("SELECT verdict FROM {own}.events").await, ["bounced"]);
            }
            world.run(&["DELETE FROM {own}.subjects"]).await;
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
