//! A form: made through Mautic's API, seen and filled in as a visitor does, and counted.

use crate::smoke::login;
use crate::smoke::made::{Kind, Ledger};
use crate::smoke::mautic::{Mautic, Refusal, number};
use crate::smoke::outcome::Judgement;
use crate::smoke::site::{Body, Reply};
use reqwest::Method;
use serde_json::{Value, json};

/// The field that the visitor fills in.
const FIELD: &str = "email";

/// Makes the form, fills it in, and looks at what came of it.
pub async fn check(mautic: &Mautic<'_>, ledger: &Ledger) -> Judgement {
    match run(mautic, ledger).await {
        Ok(judgement) => judgement,
        Err(refusal) => refusal.into(),
    }
}

/// The form, as the API takes it.
fn wish(title: &str) -> Value {
    json!({
        "name": title,
        "description": "Made by the smoke test, which removes it again.",
        "formType": "standalone",
        "isPublished": true,
        "postAction": "message",
        "postActionProperty": "Thank you.",
        "fields": [
            {"label": "Email", "type": "email", "alias": FIELD, "mappedObject": "contact", "mappedField": "email", "isRequired": true},
            {"label": "Submit", "type": "button", "alias": "submit"},
        ],
    })
}

async fn run(mautic: &Mautic<'_>, ledger: &Ledger) -> Result<Judgement, Refusal> {
    let (title, address) = (ledger.names.title(), ledger.names.address("form"));
    ledger.note(Kind::Form, title.clone(), None);
    let made = mautic
        .ask(
            "to make a form",
            Method::POST,
            "/api/forms/new",
            &[],
            Some(&wish(&title)),
        )
        .await?;
    let id = number("to make a form", &made, "/form/id")?.to_string();
    let page = mautic
        .site
        .visit(Method::GET, &format!("/form/{id}"), &[], Body::None)
        .await
        .map_err(Refusal::NoReply)?;
    if page.status != 200 || !page.body.contains("mauticform[formId]") {
        return Ok(unseen(&page));
    }
    let added = made
        .pointer("/form/dateAdded")
        .and_then(Value::as_str)
        .map(str::to_owned);
    ledger.note(Kind::Contact, address.clone(), added);
    let fields = [
        ("mauticform[email]", address.as_str()),
        ("mauticform[formId]", id.as_str()),
        ("mauticform[return]", ""),
        ("mauticform[submit]", ""),
    ];
    let query = [("formId", id.as_str()), ("ajax", "1")];
    let sent = mautic
        .site
        .visit(Method::POST, "/form/submit", &query, Body::Form(&fields))
        .await
        .map_err(Refusal::NoReply)?;
    if let Err(judgement) = taken(&sent) {
        return Ok(judgement);
    }
    let path = format!("/api/forms/{id}/submissions");
    let counted = mautic
        .ask("to count the submissions", Method::GET, &path, &[], None)
        .await?;
    Ok(count(&address, &counted))
}

/// The form's page is another one.
fn unseen(page: &Reply) -> Judgement {
    if page.status != 200 {
        return login::refused(page);
    }
    Judgement::failed(
        format!("{} answered 200, but shows no form.", page.url),
        "Look at it in a browser while it is there.",
    )
}

/// Whether Mautic took what the visitor sent.
fn taken(reply: &Reply) -> Result<(), Judgement> {
    let Some(answer) = reply.json.as_ref().filter(|_| reply.status == 200) else {
        return Err(login::refused(reply));
    };
    if answer["success"] == 1 || answer["success"] == true {
        return Ok(());
    }
    let words = match (&answer["errorMessage"], &answer["validationErrors"]) {
        (Value::String(words), _) => words.clone(),
        (_, Value::Null) => "no reason".to_owned(),
        (_, errors) => errors.to_string(),
    };
    Err(Judgement::failed(
        format!("Mautic did not take the form that a visitor sent: {words}"),
        "Its log of web tasks may say more.",
    ))
}

/// Whether the submission was counted, with what was sent.
fn count(address: &str, answer: &Value) -> Judgement {
    let submissions: Vec<&Value> = match &answer["submissions"] {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    };
    let held = submissions
        .iter()
        .filter(|one| one["results"][FIELD] == address)
        .count();
    if held == 1 {
        return Judgement::passed("A form was made, filled in by a visitor, and its submission counted.");
    }
    Judgement::failed(
        format!(
            "Of {} submissions {held} hold what the visitor sent, instead of one.",
            submissions.len()
        ),
        "Its log of web tasks may say more.",
    )
}
