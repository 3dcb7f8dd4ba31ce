//! What a run makes in Mautic, under names that no other run has, and its removal by those names.
//!
//! Nothing is removed by an id that an answer gave: an answer can be lost after Mautic has done its part.

use crate::smoke::mautic::{Mautic, Refusal};
use crate::smoke::outcome::Judgement;
use reqwest::Method;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The names of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    stamp: String,
}

impl Names {
    /// Names after this moment.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            stamp: format!("{}-{}", since.as_millis(), std::process::id()),
        }
    }

    /// The name of a form or an e-mail.
    #[must_use]
    pub fn title(&self) -> String {
        format!("Smoke test {}", self.stamp)
    }

    /// An address of SES's mailbox simulator, which takes what stands behind the plus as a label: its mail is delivered, and
    /// counts for no reputation.
    #[must_use]
    pub fn address(&self, of: &str) -> String {
        format!("success+{of}-{}@simulator.amazonses.com", self.stamp)
    }

    /// What makes a repeated request to AWS the same one.
    #[must_use]
    pub fn token(&self) -> String {
        format!("smoke-test-{}", self.stamp)
    }
}

/// What a run has made so far. A note precedes the request, whose answer may never come.
#[derive(Debug)]
pub struct Ledger {
    /// The run's names.
    pub names: Names,
    made: Mutex<Vec<Made>>,
}

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new(names: Names) -> Self {
        Self {
            names,
            made: Mutex::default(),
        }
    }

    /// Notes what is about to be made.
    pub fn note(&self, kind: Kind, name: String, since: Option<String>) {
        self.lock().push(Made { kind, name, since });
    }

    /// All of it.
    #[must_use]
    pub fn made(&self) -> Vec<Made> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A kind of thing that a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A form.
    Form,
    /// An e-mail.
    Email,
    /// A contact.
    Contact,
}

impl Kind {
    /// As people call it.
    fn noun(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Email => "e-mail",
            Self::Contact => "contact",
        }
    }

    /// The list's member, which is its path, too.
    fn plural(self) -> &'static str {
        match self {
            Self::Form => "forms",
            Self::Email => "emails",
            Self::Contact => "contacts",
        }
    }

    /// Where an entry of the list has its name.
    fn name_of(self, entry: &Value) -> Option<&str> {
        match self {
            Self::Form | Self::Email => entry["name"].as_str(),
            Self::Contact => entry["fields"]["all"]["email"].as_str(),
        }
    }
}

/// One thing that this run has made, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its kind.
    pub kind: Kind,
    /// Its name; of a contact, the address.
    pub name: String,
    /// The time, as Mautic writes it, before which nothing of that name is this run's: Mautic may take a visitor for a contact
    /// that it knew already.
    pub since: Option<String>,
}

/// What a list holds of a thing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    /// This run's.
    own: Vec<u64>,
    /// That were there before.
    older: Vec<u64>,
}

impl Made {
    /// Looks through a list; it holds what only resembles the name, too.
    fn among(&self, answer: &Value) -> Entries {
        // The API gives a list, or an object by id.
        let list: Vec<&Value> = match &answer[self.kind.plural()] {
            Value::Array(entries) => entries.iter().collect(),
            Value::Object(entries) => entries.values().collect(),
            _ => Vec::new(),
        };
        let mut entries = Entries::default();
        for entry in list {
            let named = self
                .kind
                .name_of(entry)
                .is_some_and(|name| name.eq_ignore_ascii_case(&self.name));
            let Some(id) = entry["id"].as_u64().filter(|_| named) else {
                continue;
            };
            // Times of one server in one form: their order is that of their texts.
            let is_older = match (&self.since, entry["dateAdded"].as_str()) {
                (Some(since), Some(added)) => added < since.as_str(),
                _ => false,
            };
            if is_older {
                entries.older.push(id);
            } else {
                entries.own.push(id);
            }
        }
        entries
    }
}

/// Removes all of it, the last first; what cannot be removed is named.
pub async fn remove(mautic: &Mautic<'_>, names: &Names, made: &[Made]) -> Judgement {
    let mut removed = 0;
    let mut left = Vec::new();
    for thing in made.iter().rev() {
        let noun = thing.kind.noun();
        match remove_one(mautic, names, thing).await {
            Ok(entries) => {
                removed += entries.own.len();
                let older = entries.older.iter();
                left.extend(
                    older.map(|id| format!("the contact {id} was there before, and got the address {}", thing.name)),
                );
            }
            Err(refusal) => {
                let cause = Judgement::from(refusal).seen;
                left.push(format!(
                    "the {noun} {:?}, if it was made ({})",
                    thing.name,
                    cause.trim_end_matches('.')
                ));
            }
        }
    }
    if left.is_empty() {
        return Judgement::passed(format!("What was made in Mautic is removed: {removed}."));
    }
    Judgement::failed(
        format!("Left in Mautic: {}.", left.join("; ")),
        "Put that right in Mautic by hand; nothing uses it.",
    )
}

async fn remove_one(mautic: &Mautic<'_>, names: &Names, thing: &Made) -> Result<Entries, Refusal> {
    let (noun, plural) = (thing.kind.noun(), thing.kind.plural());
    let query = [("search", names.stamp.as_str()), ("limit", "30")];
    let path = format!("/api/{plural}");
    let answer = mautic
        .ask(&format!("to look for the {noun}"), Method::GET, &path, &query, None)
        .await?;
    let entries = thing.among(&answer);
    for id in &entries.own {
        let path = format!("/api/{plural}/{id}/delete");
        mautic
            .ask(&format!("to delete the {noun}"), Method::DELETE, &path, &[], None)
            .await?;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn the_names_of_a_run_hold_what_mautic_is_searched_for() {
        let names = Names::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_764_259_200_123));
        let stamp = format!("1764259200123-{}", std::process::id());
        assert_eq!(names.title(), format!("Smoke test {stamp}"));
        assert_eq!(
            names.address("form"),
            format!("success+form-{stamp}@simulator.amazonses.com")
        );
        assert_eq!(names.token(), format!("smoke-test-{stamp}"));
        assert!(names.title().contains(&names.stamp) && names.address("mail").contains(&names.stamp));
    }

    #[test]
    fn only_what_has_exactly_the_name_and_is_not_older_is_this_runs() {
        let contact = |id: u64, email: &str, added: &str| json!({"id": id, "dateAdded": added, "fields": {"all": {"email": email}}});
        let answer = json!({"total": "4", "contacts": {
            "7": contact(7, "success+form-1@simulator.amazonses.com", "2026-11-27T16:00:05+00:00"),
            "8": contact(8, "Success+form-1@simulator.amazonses.com", "2026-11-27T15:59:59+00:00"),
            "9": contact(9, "success+form-12@simulator.amazonses.com", "2026-11-27T16:00:05+00:00"),
            "10": {"id": 10, "fields": {"all": {"email": null}}},
        }});
        let made = Made {
            kind: Kind::Contact,
            name: "success+form-1@simulator.amazonses.com".to_owned(),
            since: Some("2026-11-27T16:00:00+00:00".to_owned()),
        };
        assert_eq!(
            made.among(&answer),
            Entries {
                own: vec![7],
                older: vec![8]
            }
        );
    }

    #[test]
    fn a_list_without_entries_holds_nothing() {
        let made = Made {
            kind: Kind::Form,
            name: "Smoke test 1".to_owned(),
            since: None,
        };
        for answer in [
            json!({"total": 0, "forms": []}),
            json!({"total": 0}),
            json!({"forms": [{"id": 3, "name": "Smoke test 12"}]}),
        ] {
            assert_eq!(made.among(&answer), Entries::default(), "{answer}");
        }
    }
}
