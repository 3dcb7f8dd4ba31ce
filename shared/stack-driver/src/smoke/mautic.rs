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
                format!("Mautic's answer {action} has no {lacks}."),
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
