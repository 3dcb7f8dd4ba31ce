//! What is written: each statement one round trip, whatever the number of rows.

use std::collections::BTreeSet;

use database::Connection;
use serde_json::{Value, json};

use super::hex;
use crate::error::Error;
use crate::incident::Incident;
use crate::plan::{Plan, REMEMBERED_DAYS, Row, date};
use crate::tables::Tables;

/// How long a report's repetition is recognised: SQS keeps a message for 14 days at most, and its dead-letter queue as long.
const KEPT_DAYS: u32 = 30;
/// The most expired rows that a batch deletes from each table, so that none takes long.
const MOST_DELETED: u32 = 1000;

/// Writes the keys, which decide who records an incident; for each incident, whether it is we who do. Another function that
/// is about to record one of them is waited for.
pub(super) async fn claim(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[Incident],
    claim: &str,
) -> Result<Vec<bool>, Error> {
    let events = &tables.events;
    // In the order of the keys, so that no two functions wait for each other.
    let mut list: Vec<(String, &str)> = incidents
        .iter()
        .map(|incident| (hex(&incident.key), incident.verdict.name()))
        .collect();
    list.sort_unstable();
    let list = json!(
        list.iter()
            .map(|(key, verdict)| json!({"k": key, "v": verdict}))
            .collect::<Vec<_>>()
    )
    .to_string();
    let insert = format!(
        "INSERT INTO {events} (event_key, claim, verdict, recorded_at) SELECT UNHEX(j.k), ?, j.v, UTC_TIMESTAMP() \
         FROM JSON_TABLE(?, '$[*]' COLUMNS (k CHAR(64) PATH '$.k', v VARCHAR(24) PATH '$.v')) j \
         ON DUPLICATE KEY UPDATE event_key = {events}.event_key"
    );
    let inserted = connection.change(&insert, (claim, &list)).await?;
    if usize::try_from(inserted).is_ok_and(|inserted| inserted == incidents.len()) {
        return Ok(vec![true; incidents.len()]);
    }
    let query = format!(
        "SELECT STRAIGHT_JOIN j.k FROM JSON_TABLE(?, '$[*]' COLUMNS (k CHAR(64) PATH '$.k')) j \
         JOIN {events} e ON e.event_key = UNHEX(j.k) WHERE e.claim = ?"
    );
    let ours: Vec<String> = connection.rows(&query, (&list, claim)).await?;
    let ours: BTreeSet<String> = ours.into_iter().collect();
    Ok(incidents
        .iter()
        .map(|incident| ours.contains(&hex(&incident.key)))
        .collect())
}

/// Carries out a plan.
pub(super) async fn write(connection: &mut Connection, tables: &Tables, plan: &Plan) -> Result<(), Error> {
    let Tables {
        contacts,
        rows,
        sends,
        subjects,
        ..
    } = tables;
    let row = |id: u64, row: &Row| json!({"i": id, "d": date(row.at), "r": row.reason.number(), "e": row.email, "t": row.comments});
    let columns = "i BIGINT UNSIGNED PATH '$.i', d DATETIME PATH '$.d', r SMALLINT PATH '$.r', e INT PATH '$.e', t LONGTEXT PATH '$.t'";
    // Joined with the contacts: one that was deleted in the meantime gets no row, and breaks nothing.
    let insert = format!(
        "INSERT INTO {rows} (lead_id, date_added, reason, channel, channel_id, comments) SELECT STRAIGHT_JOIN l.id, j.d, j.r, 'email', j.e, j.t \
         FROM JSON_TABLE(?, '$[*]' COLUMNS ({columns})) j JOIN {contacts} l FORCE INDEX (PRIMARY) ON l.id = j.i"
    );
    let list = plan.new.iter().map(|(id, new)| row(*id, new));
    change(connection, &insert, list).await?;
    let update = format!(
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS ({columns})) j STRAIGHT_JOIN {rows} d FORCE INDEX (PRIMARY) ON d.id = j.i \
         SET d.reason = j.r, d.date_added = j.d, d.comments = j.t"
    );
    let list = plan.changed.iter().map(|(id, changed)| row(u64::from(*id), changed));
    change(connection, &update, list).await?;
    let update = format!(
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (i BIGINT UNSIGNED PATH '$.i', f TINYINT PATH '$.f', t LONGTEXT PATH '$.t')) j \
         STRAIGHT_JOIN {sends} s FORCE INDEX (PRIMARY) ON s.id = j.i \
         SET s.is_failed = GREATEST(s.is_failed, j.f), s.open_details = COALESCE(j.t, s.open_details)"
    );
    let list = plan.sends.iter();
    let list = list.map(|(id, send)| json!({"i": id, "f": u8::from(send.failed), "t": send.details}));
    change(connection, &update, list).await?;
    let upsert = format!(
        "INSERT INTO {subjects} (subject, soft_bounces, recorded_at) SELECT UNHEX(j.k), j.w, UTC_TIMESTAMP() \
         FROM JSON_TABLE(?, '$[*]' COLUMNS (k CHAR(64) PATH '$.k', w JSON PATH '$.w')) j \
         ON DUPLICATE KEY UPDATE soft_bounces = j.w, recorded_at = UTC_TIMESTAMP()"
    );
    let list = plan
        .windows
        .iter()
        .map(|(subject, window)| json!({"k": hex(subject), "w": window}));
    change(connection, &upsert, list).await
}

/// Runs a statement with a list, if there is anything on it.
async fn change(connection: &mut Connection, statement: &str, list: impl Iterator<Item = Value>) -> Result<(), Error> {
    let list: Vec<Value> = list.collect();
    if !list.is_empty() {
        connection.change(statement, (Value::from(list).to_string(),)).await?;
    }
    Ok(())
}

/// After the commit: gives the locks back, and deletes some of what is no longer needed. What fails here changes nothing,
/// and is done by the next batch; false if so, and then the connection must go, and its locks with it.
pub(super) async fn tidy(connection: &mut Connection, tables: &Tables) -> bool {
    let mut statements = vec!["DO RELEASE_ALL_LOCKS()".to_owned()];
    for (table, days) in [(&tables.events, KEPT_DAYS), (&tables.subjects, REMEMBERED_DAYS)] {
        statements.push(format!(
            "DELETE FROM {table} WHERE recorded_at < UTC_TIMESTAMP() - INTERVAL {days} DAY ORDER BY recorded_at LIMIT {MOST_DELETED}"
        ));
    }
    for statement in statements {
        if let Err(error) = connection.run(&statement).await {
            tracing::warn!(%error, "expired rows stay until the next batch");
            return false;
        }
    }
    true
}
