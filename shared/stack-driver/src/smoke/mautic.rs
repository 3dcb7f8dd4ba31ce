//! Mautic's REST API, with the administrator's name and password.

use crate::smoke::administrator::Administrator;
use crate::smoke::login;
use crate::smoke::outcome::Judgement;
use crate::smoke::site::{Body, NoReply, Reply, Site};
use reqwest::Method;
use serde_json::Value;

/// Why the API did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is switched off.
    Off,
    /// It takes no passwords, or not from this user.
    NoEntry(String),
    /// It does not know the name and the password.
    Unknown,
    /// Nobody answered.
    NoReply(NoReply),
    /// Something else than Mautic answered, or Mautic itself failed.
    Status(Box<Reply>),
    /// Mautic refused, in its own words.
    Refused {
        /// What was tried: "to make a form".
        action: String,
        /// The status.
        status: u16,
        /// Mautic's words.
        message: String,
    },
    /// The answer lacks what it should hold.
    Strange {
        /// What was tried.
        action: String,
        /// What is missing.
        lacks: String,
    },
}

impl From<Refusal> for Judgement {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Off => Self::skipped("Mautic's API is off.", TURN_ON),
            Refusal::NoEntry(words) => Self::skipped(
                format!("Mautic's API does not let the administrator in by password: {words}"),
                "Deploy with MauticApi=true, which lets it take passwords, and give the administrator a role with all rights.",
            ),
            Refusal::Unknown => Self::skipped(
                "Mautic does not know the administrator's name and password of the secret (401).",
                "Somebody has changed the password, as they should: put the present one into the secret that the output \
                 ReadAdministratorPasswordCommand reads, if the smoke test is to sign in.",
            ),
            Refusal::NoReply(error) => (&error).into(),
            Refusal::Status(reply) => login::refused(&reply),
            Refusal::Refused {
                action,
                status,
                message,
            } => Self::failed(
                format!("Mautic refused {action} ({status}): {message}"),
                "Its log of web tasks may say more.",
            ),
            Refusal::Strange { action, lacks } => Self::failed(
                format!("Mautic's answer, when it was {action}, has no {lacks}."),
                "This version of Mautic may answer in another way: see docs/operations.md, Smoke test.",
            ),
        }
    }
}

/// What turns the API on.
pub const TURN_ON: &str = "To have it tested, deploy with MauticApi=true.";

/// Longer texts are shortened: an error page is no reason.
const LONGEST_WORDS: usize = 300;

/// Speaks to the API.
#[derive(Debug, Clone, Copy)]
pub struct Mautic<'a> {
    /// Where it is.
    pub site: &'a Site,
    /// Who signs in.
    pub administrator: &'a Administrator,
}

impl Mautic<'_> {
    /// Asks the API; `action` says what for.
    ///
    /// # Errors
    /// It refuses, or its answer is no JSON.
    pub async fn ask(
        &self,
        action: &str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Refusal> {
        let body = body.map_or(Body::None, Body::Json);
        let reply = self.site.ask_as(self.administrator, method, path, query, body).await;
        judge(action, reply.map_err(Refusal::NoReply)?)
    }
}

/// Tells the API's answers apart.
fn judge(action: &str, reply: Reply) -> Result<Value, Refusal> {
    let Some(json) = reply.json.as_ref().filter(|json| json.is_object()) else {
        return Err(Refusal::Status(reply.into()));
    };
    let error = &json["errors"][0];
    if (200..300).contains(&reply.status) && error.is_null() {
        return Ok(reply.json.unwrap_or_default());
    }
    let words = error["message"].as_str().unwrap_or("no reason").trim();
    let message: String = words.chars().take(LONGEST_WORDS).collect();
    Err(match (reply.status, error["type"].as_str()) {
        (401, _) => Refusal::Unknown,
        (403, Some("api_disabled")) => Refusal::Off,
        (403, _) => Refusal::NoEntry(message),
        (status, _) => Refusal::Refused {
            action: action.to_owned(),
            status,
            message,
        },
    })
}

/// The number at a place of the answer, which Mautic gives as a number or as text.
///
/// # Errors
/// There is none.
pub fn number(action: &str, answer: &Value, pointer: &str) -> Result<u64, Refusal> {
    let found = answer.pointer(pointer);
    found
        .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
        .ok_or_else(|| Refusal::Strange {
            action: action.to_owned(),
            lacks: pointer.trim_start_matches('/').replace('/', "."),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoke::outcome::Mark;
    use serde_json::json;

    fn told(status: u16, json: Option<Value>) -> Result<Value, Judgement> {
        let reply = Reply {
            url: "https://mautic.example.com/api/forms/new".to_owned(),
            status,
            location: None,
            body: String::new(),
            json,
        };
        judge("to make a form", reply).map_err(Judgement::from)
    }

    fn error(status: u16, kind: Option<&str>) -> Result<Value, Judgement> {
        told(
            status,
            Some(json!({"errors": [{"message": "No. ", "code": status, "type": kind}]})),
        )
    }

    #[test]
    fn a_password_that_is_not_let_in_skips_with_what_to_set() {
        let skipped = |seen: &str, remedy: &str| Err(Judgement::skipped(seen, remedy));
        assert_eq!(
            error(403, Some("api_disabled")),
            skipped("Mautic's API is off.", "To have it tested, deploy with MauticApi=true.")
        );
        assert_eq!(
            error(403, Some("access_denied")),
            skipped(
                "Mautic's API does not let the administrator in by password: No.",
                "Deploy with MauticApi=true, which lets it take passwords, and give the administrator a role with all rights."
            )
        );
        assert_eq!(
            error(401, None),
            skipped(
                "Mautic does not know the administrator's name and password of the secret (401).",
                "Somebody has changed the password, as they should: put the present one into the secret that the output \
                 ReadAdministratorPasswordCommand reads, if the smoke test is to sign in."
            )
        );
    }

    #[test]
    fn a_refusal_is_a_failure_in_mautics_words() {
        let failed = Judgement::failed(
            "Mautic refused to make a form (400): No.",
            "Its log of web tasks may say more.",
        );
        assert_eq!(error(400, None), Err(failed));
        let long = told(400, Some(json!({"errors": [{"message": "x".repeat(5000)}]}))).expect_err("refused");
        assert_eq!(
            long.seen.len(),
            "Mautic refused to make a form (400): ".len() + LONGEST_WORDS
        );
    }

    #[test]
    fn what_is_no_json_is_somebody_elses_answer() {
        let judgement = told(403, None).expect_err("refused");
        assert_eq!(
            (judgement.mark, judgement.seen.as_str()),
            (Mark::Failed, "https://mautic.example.com/api/forms/new answered 403.")
        );
        assert!(
            judgement.remedy.starts_with("The web firewall refuses"),
            "{}",
            judgement.remedy
        );
    }

    #[test]
    fn a_number_may_be_text_and_one_that_is_missing_is_named() {
        let answer = json!({"form": {"id": 12, "text": "13", "name": "x"}});
        assert_eq!(number("to make a form", &answer, "/form/id"), Ok(12));
        assert_eq!(number("to make a form", &answer, "/form/text"), Ok(13));
        let missing = number("to make a form", &answer, "/form/name").expect_err("none");
        assert_eq!(
            Judgement::from(missing),
            Judgement::failed(
                "Mautic's answer, when it was to make a form, has no form.name.",
                "This version of Mautic may answer in another way: see docs/operations.md, Smoke test."
            )
        );
    }
}
