//! A form from its making to its removal, and every way in which that can end early.

use crate::server::{PASSWORD, Server, Told, administrator, api, page};
use serde_json::{Value, json};
use stack_driver::smoke::form;
use stack_driver::smoke::made::{Ledger, Names, remove};
use stack_driver::smoke::mautic::Mautic;
use stack_driver::smoke::outcome::{Judgement, Mark};
use std::time::{Duration, SystemTime};

const PAGE: &str = r#"<input type="hidden" name="mauticform[formId]" value="12">"#;

fn ledger() -> Ledger {
    Ledger::new(Names::new(
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_764_259_200_123),
    ))
}

/// The check, then the removal of what it made, as a run does both.
async fn tried(server: &Server, ledger: &Ledger) -> (Judgement, Judgement) {
    let (site, administrator) = (server.site().await, administrator());
    let mautic = Mautic {
        site: &site,
        administrator: &administrator,
    };
    let judgement = form::check(&mautic, ledger).await;
    let removal = remove(&mautic, &ledger.names, &ledger.made()).await;
    assert!(!format!("{judgement:?}{removal:?}").contains(PASSWORD));
    (judgement, removal)
}

/// What Mautic answers when all goes well; what stands before it in a list wins.
fn well(ledger: &Ledger) -> Vec<Told> {
    let (title, address) = (ledger.names.title(), ledger.names.address("form"));
    let added = "2026-11-27T16:00:00+00:00";
    let submission = json!({"id": 3, "results": {"email": address}, "lead": {"id": 41}});
    let contact = json!({"id": 41, "dateAdded": added, "fields": {"all": {"email": address}}});
    vec![
        api(
            "POST /api/forms/new",
            201,
            &json!({"form": {"id": 12, "name": title, "dateAdded": added}}),
        ),
        page("GET /form/12", 200, PAGE),
        api(
            "POST /form/submit",
            200,
            &json!({"success": 1, "results": {"email": address}}),
        ),
        api(
            "GET /api/forms/12/submissions",
            200,
            &json!({"total": "1", "submissions": [submission]}),
        ),
        api(
            "GET /api/contacts",
            200,
            &json!({"total": "1", "contacts": {"41": contact}}),
        ),
        api(
            "GET /api/forms?",
            200,
            &json!({"total": "1", "forms": [{"id": 12, "name": title, "dateAdded": added}]}),
        ),
        api("DELETE /api/contacts/41/delete", 200, &json!({"contact": {"id": null}})),
        api("DELETE /api/forms/12/delete", 200, &json!({"form": {"id": null}})),
    ]
}

fn with(first: Told, rest: Vec<Told>) -> Vec<Told> {
    [vec![first], rest].concat()
}

#[tokio::test]
async fn a_form_is_made_filled_in_counted_and_removed_with_its_contact() {
    let ledger = ledger();
    let server = Server::start(well(&ledger)).await;
    let (judgement, removal) = tried(&server, &ledger).await;
    assert_eq!(
        judgement,
        Judgement::passed("A form was made, filled in by a visitor, and its submission counted.")
    );
    assert_eq!(removal, Judgement::passed("What was made in Mautic is removed: 2."));
    let stamp = ledger.names.title().trim_start_matches("Smoke test ").to_owned();
    assert_eq!(
        server.paths(),
        [
            "POST /api/forms/new".to_owned(),
            "GET /form/12".to_owned(),
            "POST /form/submit?formId=12&ajax=1".to_owned(),
            "GET /api/forms/12/submissions".to_owned(),
            format!("GET /api/contacts?search={stamp}&limit=30"),
            "DELETE /api/contacts/41/delete".to_owned(),
            format!("GET /api/forms?search={stamp}&limit=30"),
            "DELETE /api/forms/12/delete".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_visitor_has_no_password_and_sends_what_the_forms_page_would() {
    let ledger = ledger();
    let server = Server::start(well(&ledger)).await;
    tried(&server, &ledger).await;
    for asked in server.asked() {
        let signs_in = asked.head.to_lowercase().contains("authorization: basic");
        assert_eq!(signs_in, asked.what.contains(" /api/"), "{}", asked.what);
    }
    let sent = server.asked().swap_remove(2);
    assert_eq!(
        sent.body,
        format!(
            "mauticform%5Bemail%5D=success%2B{}&mauticform%5BformId%5D=12&mauticform%5Breturn%5D=&mauticform%5Bsubmit%5D=",
            ledger
                .names
                .address("form")
                .trim_start_matches("success+")
                .replace('@', "%40")
        )
    );
}

#[tokio::test]
async fn an_api_that_is_off_or_knows_another_password_skips_the_check() {
    let refusal = |status: u16, kind: Value, words: &str| {
        let errors = json!({"errors": [{"message": words, "code": status, "type": kind}]});
        vec![api("", status, &errors)]
    };
    let cases = [
        (
            refusal(403, json!("api_disabled"), "API disabled."),
            "Mautic's API is off.",
        ),
        (
            refusal(403, json!("access_denied"), "Basic auth is disabled."),
            "Mautic's API does not let the administrator in by password: Basic auth is disabled.",
        ),
        (
            refusal(401, Value::Null, "Access denied."),
            "Mautic does not know the administrator's name and password of the secret (401).",
        ),
    ];
    for (told, seen) in cases {
        let (judgement, _) = tried(&Server::start(told).await, &ledger()).await;
        assert_eq!((judgement.mark, judgement.seen.as_str()), (Mark::Skipped, seen));
        assert!(!judgement.remedy.is_empty());
    }
}

#[tokio::test]
async fn what_a_failed_check_has_made_is_removed_all_the_same() {
    let ledger = ledger();
    let broken = page("POST /form/submit", 502, "<h1>502 Bad Gateway</h1>");
    let server = Server::start(with(broken, well(&ledger))).await;
    let (judgement, removal) = tried(&server, &ledger).await;
    assert_eq!(
        judgement.seen,
        "https://mautic.example.com/form/submit?formId=12&ajax=1 answered 502."
    );
    assert_eq!((judgement.mark, removal.mark), (Mark::Failed, Mark::Passed));
    assert!(server.paths().contains(&"DELETE /api/forms/12/delete".to_owned()));
}

#[tokio::test]
async fn a_form_whose_making_was_not_answered_is_looked_for_and_removed() {
    let ledger = ledger();
    let server = Server::start(with(page("POST /api/forms/new", 504, "<h1>504</h1>"), well(&ledger))).await;
    let (judgement, removal) = tried(&server, &ledger).await;
    assert_eq!(judgement.seen, "https://mautic.example.com/api/forms/new answered 504.");
    assert_eq!(removal, Judgement::passed("What was made in Mautic is removed: 1."));
}

#[tokio::test]
async fn what_mautic_does_not_take_from_a_visitor_is_told_in_its_words() {
    let cases = [
        (
            json!({"success": 0, "errorMessage": "Form is unavailable."}),
            "Form is unavailable.",
        ),
        (
            json!({"success": 0, "validationErrors": {"email": "'Email' is required."}}),
            r#"{"email":"'Email' is required."}"#,
        ),
    ];
    for (answer, words) in cases {
        let ledger = ledger();
        let server = Server::start(with(api("POST /form/submit", 200, &answer), well(&ledger))).await;
        let (judgement, _) = tried(&server, &ledger).await;
        assert_eq!(
            judgement.seen,
            format!("Mautic did not take the form that a visitor sent: {words}")
        );
    }
}

#[tokio::test]
async fn a_submission_that_was_not_counted_is_a_failure() {
    let other = json!({"total": "1", "submissions": [{"id": 3, "results": {"email": "somebody@example.com"}}]});
    let ledger = ledger();
    let server = Server::start(with(api("GET /api/forms/12/submissions", 200, &other), well(&ledger))).await;
    let (judgement, _) = tried(&server, &ledger).await;
    assert_eq!(
        (judgement.mark, judgement.seen.as_str()),
        (
            Mark::Failed,
            "Of 1 submissions 0 hold what the visitor sent, instead of one."
        )
    );
}

#[tokio::test]
async fn a_contact_that_was_there_before_is_not_removed() {
    let ledger = ledger();
    let address = ledger.names.address("form");
    let known = json!({"id": 7, "dateAdded": "2025-01-01T00:00:00+00:00", "fields": {"all": {"email": address}}});
    let list = api(
        "GET /api/contacts",
        200,
        &json!({"total": "1", "contacts": {"7": known}}),
    );
    let server = Server::start(with(list, well(&ledger))).await;
    let (_, removal) = tried(&server, &ledger).await;
    assert_eq!(
        removal,
        Judgement::failed(
            format!("Left in Mautic: the contact 7 was there before, and got the address {address}."),
            "Put that right in Mautic by hand; nothing uses it."
        )
    );
    assert!(
        !server
            .paths()
            .iter()
            .any(|path| path.starts_with("DELETE /api/contacts"))
    );
}

#[tokio::test]
async fn what_cannot_be_removed_is_named() {
    let ledger = ledger();
    let refused = json!({"errors": [{"message": "You do not have access.", "code": 500, "type": null}]});
    let server = Server::start(with(api("DELETE /api/forms/12", 500, &refused), well(&ledger))).await;
    let (_, removal) = tried(&server, &ledger).await;
    assert_eq!(
        removal.seen,
        format!(
            "Left in Mautic: the form \"{}\", if it was made (Mautic refused to delete the form (500): You do not have access).",
            ledger.names.title()
        )
    );
}
