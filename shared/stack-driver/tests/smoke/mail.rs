//! A mail that Mautic is told to send.

use crate::server::{Server, Told, administrator, api};
use serde_json::{Value, json};
use stack_driver::smoke::made::{Ledger, Names, remove};
use stack_driver::smoke::mail;
use stack_driver::smoke::mautic::Mautic;
use stack_driver::smoke::outcome::{Judgement, Mark};
use std::time::SystemTime;

fn told(ledger: &Ledger, sent: &Value) -> Vec<Told> {
    let (title, address) = (ledger.names.title(), ledger.names.address("mail"));
    let contact = json!({"id": 41, "fields": {"all": {"email": address}}});
    vec![
        api("POST /api/contacts/new", 201, &json!({"contact": contact})),
        api("POST /api/emails/new", 201, &json!({"email": {"id": 5, "name": title}})),
        api("POST /api/emails/5/contact/41/send", 200, sent),
        api(
            "GET /api/contacts",
            200,
            &json!({"total": "1", "contacts": {"41": contact}}),
        ),
        api(
            "GET /api/emails",
            200,
            &json!({"total": "1", "emails": [{"id": 5, "name": title}]}),
        ),
        api("DELETE /api/contacts/41/delete", 200, &json!({"contact": {}})),
        api("DELETE /api/emails/5/delete", 200, &json!({"email": {}})),
    ]
}

async fn tried(sent: Value) -> (Ledger, Judgement, Vec<String>) {
    let ledger = Ledger::new(Names::new(SystemTime::now()));
    let server = Server::start(told(&ledger, &sent)).await;
    let (site, administrator) = (server.site().await, administrator());
    let mautic = Mautic {
        site: &site,
        administrator: &administrator,
    };
    let judgement = mail::check(&mautic, &ledger).await;
    let removal = remove(&mautic, &ledger.names, &ledger.made()).await;
    assert_eq!(removal, Judgement::passed("What was made in Mautic is removed: 2."));
    (ledger, judgement, server.paths())
}

#[tokio::test]
async fn an_e_mail_is_sent_to_the_simulator_and_removed_before_its_contact() {
    let (ledger, judgement, paths) = tried(json!({"success": true})).await;
    assert_eq!(
        judgement,
        Judgement::passed(format!(
            "Mautic took the order to send an e-mail to {}.",
            ledger.names.address("mail")
        ))
    );
    let changes: Vec<&str> = paths
        .iter()
        .map(String::as_str)
        .filter(|path| !path.starts_with("GET"))
        .collect();
    assert_eq!(
        changes,
        [
            "POST /api/contacts/new",
            "POST /api/emails/new",
            "POST /api/emails/5/contact/41/send",
            "DELETE /api/emails/5/delete",
            "DELETE /api/contacts/41/delete",
        ]
    );
}

#[tokio::test]
async fn a_mail_that_mautic_cannot_send_is_told_in_its_words() {
    let (ledger, judgement, _) =
        tried(json!({"success": false, "failed": "Expected response code 250 but got 554"})).await;
    assert_eq!(
        (judgement.mark, judgement.seen),
        (
            Mark::Failed,
            format!(
                "Mautic could not send an e-mail to {}: Expected response code 250 but got 554",
                ledger.names.address("mail")
            )
        )
    );
}
