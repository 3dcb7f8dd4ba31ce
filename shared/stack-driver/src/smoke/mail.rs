//! A mail that Mautic sends: its settings, its queue, the SMTP user, SES.

use crate::smoke::made::{Kind, Ledger};
use crate::smoke::mautic::{Mautic, Refusal, number};
use crate::smoke::outcome::Judgement;
use reqwest::Method;
use serde_json::{Value, json};

/// Makes a contact and an e-mail, and has the one sent to the other.
pub async fn check(mautic: &Mautic<'_>, ledger: &Ledger) -> Judgement {
    match run(mautic, ledger).await {
        Ok(judgement) => judgement,
        Err(refusal) => refusal.into(),
    }
}

/// The e-mail, as the API takes it.
fn wish(title: &str) -> Value {
    json!({
        "name": title,
        "subject": title,
        "emailType": "template",
        "isPublished": true,
        "customHtml": "<!DOCTYPE html><html><body><p>Sent by the smoke test, which removes it again.</p></body></html>",
    })
}

async fn run(mautic: &Mautic<'_>, ledger: &Ledger) -> Result<Judgement, Refusal> {
    let (title, address) = (ledger.names.title(), ledger.names.address("mail"));
    ledger.note(Kind::Contact, address.clone(), None);
    let wanted = json!({"email": address});
    let made = mautic
        .ask(
            "to make a contact",
            Method::POST,
            "/api/contacts/new",
            &[],
            Some(&wanted),
        )
        .await?;
    let contact = number("to make a contact", &made, "/contact/id")?;
    ledger.note(Kind::Email, title.clone(), None);
    let made = mautic
        .ask(
            "to make an e-mail",
            Method::POST,
            "/api/emails/new",
            &[],
            Some(&wish(&title)),
        )
        .await?;
    let email = number("to make an e-mail", &made, "/email/id")?;
    let path = format!("/api/emails/{email}/contact/{contact}/send");
    let answer = mautic
        .ask("to send an e-mail", Method::POST, &path, &[], Some(&json!({})))
        .await?;
    Ok(judge(&address, &answer))
}

/// Judges the answer to the order to send.
fn judge(address: &str, answer: &Value) -> Judgement {
    if answer["success"] == 1 || answer["success"] == true {
        return Judgement::passed(format!("Mautic took the order to send an e-mail to {address}."));
    }
    let words: String = match &answer["failed"] {
        Value::Null => "it gave no reason".to_owned(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    };
    Judgement::failed(
        format!("Mautic could not send an e-mail to {address}: {words}"),
        "Look at the log of web tasks, at the output SmtpEndpoint, and whether the check ses went well.",
    )
}
