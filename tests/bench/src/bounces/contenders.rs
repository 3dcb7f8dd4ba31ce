//! Three ways to record the same bounces.

use std::fmt::Write;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use bounce_handler::incident::Incident;
use bounce_handler::policy::Policy;
use bounce_handler::store::Store;
use database::{Connection, Error};
use ses_events::{Event, Message};

use super::tables::Stage;
use super::{By, Measured};

const DATE: &str = "2026-11-23 23:38:25";
const REASON: &str = "Permanent/General: smtp; 550 5.1.1 user unknown";

/// Who records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// The function's own store, in batches of so many.
    Ours(usize),
    /// One event at a time: a transaction each, with the look-ups and changes that one event takes, on a connection that stays
    /// open.
    Alone,
    /// The same, on a connection each: SNS posts one notification a request, and PHP's connection ends with its request.
    Plugin,
    /// No more than the statements that leave the same rows, in batches of so many: nothing is locked, planned or kept.
    Floor(usize),
}

/// Why it could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// MySQL.
    #[error(transparent)]
    Database(#[from] Error),
    /// The function.
    #[error(transparent)]
    Function(#[from] bounce_handler::Error),
    /// The rows are not there.
    #[error("{contender:?} left {found} rows where {expected} should be")]
    Undone {
        /// Who.
        contender: Contender,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

/// Lets a contender record the bounces of `events` contacts from `first` on, who have none yet, and looks whether it did.
///
/// # Errors
/// When MySQL refuses, or the rows are not there afterwards.
pub async fn measure(
    contender: Contender,
    by: By,
    stage: &Stage<'_>,
    first: usize,
    events: usize,
) -> Result<Measured, BenchError> {
    let mut connection = stage.connect().await?;
    let contacts: Vec<usize> = (first..first + events).collect();
    let texts: Vec<Event> = contacts.iter().map(|contact| event(*contact, by)).collect();
    let own = stage.place().own;
    connection.run(&format!("USE {own}")).await?;
    let store = store(stage);
    // Warm: connected, the tables made, the statements prepared.
    let warm = incidents(&[event(first + events, by)]);
    result(store.record(&warm, "warm", deadline()).await)?;
    let before = stage.statements(&mut connection).await?;
    let began = Instant::now();
    record(contender, by, stage, &contacts, &texts, (&store, &mut connection)).await?;
    let time = began.elapsed();
    let statements = stage.statements(&mut connection).await?.saturating_sub(before + 1);
    connection.close().await;
    let found = rows(stage, first, events).await?;
    if found != events {
        return Err(BenchError::Undone {
            contender,
            expected: events,
            found,
        });
    }
    Ok(Measured {
        events,
        time,
        statements,
    })
}

/// How many of these contacts have bounced by now.
///
/// # Errors
/// When MySQL refuses.
pub async fn rows(stage: &Stage<'_>, first: usize, contacts: usize) -> Result<usize, Error> {
    let mut connection = stage.connect().await?;
    let query = format!(
        "SELECT COUNT(*) FROM {}.lead_donotcontact WHERE lead_id BETWEEN {} AND {} AND reason = 2",
        stage.place().mautic,
        first,
        first + contacts - 1
    );
    let found: Option<usize> = connection.first(&query, ()).await?;
    connection.close().await;
    Ok(found.unwrap_or_default())
}

/// What is measured.
async fn record(
    contender: Contender,
    by: By,
    stage: &Stage<'_>,
    contacts: &[usize],
    texts: &[Event],
    (store, connection): (&Store, &mut Connection),
) -> Result<(), BenchError> {
    match contender {
        Contender::Ours(size) => {
            for (number, part) in texts.chunks(size).enumerate() {
                result(
                    store
                        .record(&incidents(part), &format!("c{}-{number}", contacts[0]), deadline())
                        .await,
                )?;
            }
        }
        Contender::Alone | Contender::Plugin => {
            for (contact, event) in contacts.iter().zip(texts) {
                let incident = &incidents(std::slice::from_ref(event))[0];
                if contender == Contender::Plugin {
                    let mut own = stage.connect().await?;
                    own.run(&format!("USE {}", stage.place().own)).await?;
                    alone(&mut own, stage, *contact, incident, by).await?;
                    own.close().await;
                } else {
                    alone(connection, stage, *contact, incident, by).await?;
                }
            }
        }
        Contender::Floor(size) => {
            for (part, events) in contacts.chunks(size).zip(texts.chunks(size)) {
                together(connection, stage, part, &incidents(events), by).await?;
            }
        }
    }
    Ok(())
}

fn deadline() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_mins(5)
}

fn result<T>(results: Vec<Result<T, bounce_handler::Error>>) -> Result<(), bounce_handler::Error> {
    results.into_iter().try_for_each(|one| one.map(drop))
}

fn policy() -> Policy {
    Policy {
        soft_threshold: 3,
        soft_days: 14,
        permanent_statuses: Vec::new(),
    }
}

fn store(stage: &Stage<'_>) -> Store {
    let secret = stage.secret();
    let rule = mock!(Client::get_secret_value).then_output(move || {
        GetSecretValueOutput::builder()
            .set_secret_string(Some(secret.clone()))
            .build()
    });
    let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&rule]);
    Store::new(stage.connector(), secrets, "bench", stage.place(), policy())
}

fn hash(contact: usize) -> String {
    format!("bench{}x{contact:015}", contact % 5)
}

/// What SES reports of a bounce of one of a contact's mails, with the tracking hash.
#[must_use]
pub fn report(contact: usize) -> String {
    text(contact, By::Hash)
}

fn event(contact: usize, by: By) -> Event {
    match Message::read(&text(contact, by)) {
        Ok(Message::Event(event)) => *event,
        other => panic!("no event: {other:?}"),
    }
}

fn text(contact: usize, by: By) -> String {
    let headers = match by {
        By::Hash => format!(
            r#"{{"name": "X-Mautic-Track", "value": "https://m.example.com/email/{}.gif"}}"#,
            hash(contact)
        ),
        By::Address => String::new(),
    };
    let address = format!("contact{contact}@example.com");
    format!(
        r#"{{"eventType": "Bounce", "mail": {{"messageId": "m{contact}", "destination": ["{address}"], "headers": [{headers}]}},
        "bounce": {{"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "f{contact}", "timestamp": "2026-11-23T23:38:25Z",
        "bouncedRecipients": [{{"emailAddress": "{address}", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}}]}}}}"#
    )
}

fn incidents(events: &[Event]) -> Vec<Incident> {
    events
        .iter()
        .flat_map(|event| Incident::all(event, &policy(), 0))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

fn details() -> String {
    format!(
        r#"a:1:{{s:7:"bounces";a:1:{{i:0;a:2:{{s:8:"datetime";s:19:"{DATE}";s:6:"reason";s:{}:"{REASON}";}}}}}}"#,
        REASON.len()
    )
}

/// What one event takes when it is alone: prepared statements on a connection that stays open.
async fn alone(
    connection: &mut Connection,
    stage: &Stage<'_>,
    contact: usize,
    incident: &Incident,
    by: By,
) -> Result<(), Error> {
    let mautic = stage.place().mautic;
    connection.run("START TRANSACTION").await?;
    let insert = "INSERT INTO events (event_key, claim, verdict, recorded_at) VALUES (UNHEX(?), 'alone', 'bounced', UTC_TIMESTAMP())";
    connection.change(insert, (hex(&incident.key),)).await?;
    let mut email: Option<u32> = None;
    let mut send: Option<u64> = None;
    let lead: Option<u64> = match by {
        By::Hash => {
            let query =
                format!("SELECT id, email_id, lead_id FROM {mautic}.email_stats WHERE tracking_hash = ? FOR UPDATE");
            let found: Option<(u64, Option<u32>, u64)> = connection.first(&query, (hash(contact),)).await?;
            found.map(|(id, its_email, lead)| {
                (send, email) = (Some(id), its_email);
                lead
            })
        }
        By::Address => {
            let query = format!("SELECT id FROM {mautic}.leads WHERE email = ?");
            connection.first(&query, (incident.address.as_str(),)).await?
        }
    };
    let query = format!("SELECT id FROM {mautic}.lead_donotcontact WHERE lead_id = ? AND channel = 'email'");
    let present: Option<u32> = connection.first(&query, (lead,)).await?;
    if present.is_none() {
        let insert = format!(
            "INSERT INTO {mautic}.lead_donotcontact (lead_id, date_added, reason, channel, channel_id, comments) VALUES (?, ?, 2, 'email', ?, ?)"
        );
        connection.change(&insert, (lead, DATE, email, REASON)).await?;
    }
    if let Some(send) = send {
        let update = format!("UPDATE {mautic}.email_stats SET is_failed = 1, open_details = ? WHERE id = ?");
        connection.change(&update, (details(), send)).await?;
    }
    connection.run("COMMIT").await
}

/// The least that leaves the same rows for a batch.
async fn together(
    connection: &mut Connection,
    stage: &Stage<'_>,
    contacts: &[usize],
    incidents: &[Incident],
    by: By,
) -> Result<(), Error> {
    let mautic = stage.place().mautic;
    let listed = |one: &dyn Fn(usize) -> String| (0..contacts.len()).map(one).collect::<Vec<_>>().join(", ");
    connection.run("START TRANSACTION").await?;
    let keys = listed(&|n| format!("(0x{}, 'floor', 'bounced', UTC_TIMESTAMP())", hex(&incidents[n].key)));
    connection
        .run(&format!(
            "INSERT INTO events (event_key, claim, verdict, recorded_at) VALUES {keys}"
        ))
        .await?;
    let found: Vec<(Option<u64>, Option<u32>, u64)> = match by {
        By::Hash => {
            let hashes = listed(&|n| format!("'{}'", hash(contacts[n])));
            let query =
                format!("SELECT id, email_id, lead_id FROM {mautic}.email_stats WHERE tracking_hash IN ({hashes})");
            connection.rows(&query, ()).await?
        }
        By::Address => {
            let addresses = listed(&|n| format!("'{}'", incidents[n].address.as_str()));
            connection
                .rows(
                    &format!("SELECT NULL, NULL, id FROM {mautic}.leads WHERE email IN ({addresses})"),
                    (),
                )
                .await?
        }
    };
    let row = |(_, email, lead): &(Option<u64>, Option<u32>, u64)| {
        let email = email.map_or("NULL".to_owned(), |email| email.to_string());
        format!("({lead}, '{DATE}', 2, 'email', {email}, '{REASON}')")
    };
    let rows = found.iter().map(row).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO {mautic}.lead_donotcontact (lead_id, date_added, reason, channel, channel_id, comments) VALUES {rows}"
    );
    connection.run(&insert).await?;
    let sends: Vec<String> = found
        .iter()
        .filter_map(|(send, _, _)| send.map(|id| id.to_string()))
        .collect();
    if !sends.is_empty() {
        let text = connection.literal(&details());
        let update = format!(
            "UPDATE {mautic}.email_stats SET is_failed = 1, open_details = {text} WHERE id IN ({})",
            sends.join(", ")
        );
        connection.run(&update).await?;
    }
    connection.run("COMMIT").await
}
