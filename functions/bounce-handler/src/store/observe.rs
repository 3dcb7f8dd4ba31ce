//! What is there: each query one round trip, whatever the number of incidents, which go along as one list in JSON.

use std::collections::{BTreeSet, HashMap};

use database::Connection;
use serde_json::{Value, json};

use super::hex;
use crate::error::Error;
use crate::incident::{Incident, Key};
use crate::plan::{Correlation, Observed, Target};
use crate::policy::Verdict;
use crate::tables::Tables;

/// A send as a look-up finds it.
struct Found {
    send: u64,
    email: Option<u32>,
    contact: u64,
}

/// What each incident is about, the best way first: hash, e-mail and recipient, address, address without suffix.
pub(super) async fn targets(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[&Incident],
) -> Result<Vec<Target>, Error> {
    let by_hash = by_hash(connection, tables, incidents).await?;
    let rest: Vec<usize> = (0..incidents.len())
        .filter(|index| !by_hash.contains_key(index) && matters(incidents[*index]))
        .collect();
    let contacts = by_address(connection, tables, incidents, &rest).await?;
    let (sends, emails) = by_email(connection, tables, incidents, &contacts).await?;
    let target = |index: usize| {
        if let Some(found) = by_hash.get(&index) {
            return on_send(Correlation::Hash, found);
        }
        if let Some(found) = sends.get(&index) {
            return on_send(Correlation::EmailId, found);
        }
        let email = incidents[index].clues.email_id.filter(|id| emails.contains(id));
        match contacts.get(&index) {
            Some((correlation, contacts)) => Target {
                correlation: *correlation,
                contacts: contacts.clone(),
                send: None,
                email,
            },
            None => Target::default(),
        }
    };
    Ok((0..incidents.len()).map(target).collect())
}

/// Whether an incident may change anything in Mautic.
fn matters(incident: &Incident) -> bool {
    matches!(incident.verdict, Verdict::Suppress(_) | Verdict::Soft)
}

fn on_send(correlation: Correlation, found: &Found) -> Target {
    Target {
        correlation,
        contacts: vec![found.contact],
        send: Some(found.send),
        email: found.email,
    }
}

/// The hash tells the very mail; of a mail to several, whose it was only if the addresses agree.
async fn by_hash(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[&Incident],
) -> Result<HashMap<usize, Found>, Error> {
    let asked = |(index, incident): (usize, &&Incident)| {
        let hash = incident.clues.hash.as_ref().filter(|_| matters(incident))?;
        let address = (!incident.alone).then(|| incident.address.as_str());
        Some(json!({"n": index, "h": hash, "a": address}))
    };
    let list: Vec<Value> = incidents.iter().enumerate().filter_map(asked).collect();
    if list.is_empty() {
        return Ok(HashMap::new());
    }
    let query = format!(
        "SELECT STRAIGHT_JOIN j.n, s.id, s.email_id, s.lead_id FROM JSON_TABLE(?, '$[*]' COLUMNS (n INT UNSIGNED PATH '$.n', \
         h VARCHAR(191) {} PATH '$.h', a VARCHAR(320) {} PATH '$.a')) j JOIN {} s ON s.tracking_hash = j.h \
         WHERE s.lead_id IS NOT NULL AND (j.a IS NULL OR s.email_address = j.a) ORDER BY j.n, s.id",
        tables.hash.0, tables.send_address.0, tables.sends
    );
    let rows: Vec<(usize, u64, Option<u32>, u64)> = connection.rows(&query, (Value::from(list).to_string(),)).await?;
    let mut found = HashMap::new();
    for (index, send, email, contact) in rows {
        found.entry(index).or_insert(Found { send, email, contact });
    }
    Ok(found)
}

/// All contacts of an address; those of the address without its suffix only where it has none itself.
async fn by_address(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[&Incident],
    which: &[usize],
) -> Result<HashMap<usize, (Correlation, Vec<u64>)>, Error> {
    if which.is_empty() {
        return Ok(HashMap::new());
    }
    let mut list = Vec::new();
    for index in which {
        let address = &incidents[*index].address;
        list.push(json!({"n": index, "r": 0, "a": address.as_str()}));
        if let Some(stripped) = address.without_suffix() {
            list.push(json!({"n": index, "r": 1, "a": stripped.as_str()}));
        }
    }
    let query = format!(
        "SELECT STRAIGHT_JOIN j.n, j.r, l.id FROM JSON_TABLE(?, '$[*]' COLUMNS (n INT UNSIGNED PATH '$.n', r TINYINT PATH '$.r', \
         a VARCHAR(320) {} PATH '$.a')) j JOIN {} l ON l.email = j.a ORDER BY j.n, j.r, l.id",
        tables.contact_address.0, tables.contacts
    );
    let rows: Vec<(usize, u8, u64)> = connection.rows(&query, (Value::from(list).to_string(),)).await?;
    let mut found: HashMap<usize, (Correlation, Vec<u64>)> = HashMap::new();
    for (index, rank, contact) in rows {
        let correlation = if rank == 0 {
            Correlation::Address
        } else {
            Correlation::Stripped
        };
        let (kept, contacts) = found.entry(index).or_insert((correlation, Vec::new()));
        if *kept == correlation {
            contacts.push(contact);
        }
    }
    Ok(found)
}

/// The latest send of an e-mail to a contact at the incident's address, and which of the e-mails exist at all.
async fn by_email(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[&Incident],
    contacts: &HashMap<usize, (Correlation, Vec<u64>)>,
) -> Result<(HashMap<usize, Found>, BTreeSet<u32>), Error> {
    let mut list = Vec::new();
    for (index, (_, contacts)) in contacts {
        let Incident { clues, address, .. } = incidents[*index];
        if let Some(email) = clues.email_id {
            let one = |contact| json!({"n": index, "e": email, "c": contact, "a": address.as_str()});
            list.extend(contacts.iter().map(one));
        }
    }
    if list.is_empty() {
        return Ok(Default::default());
    }
    let query = format!(
        "SELECT STRAIGHT_JOIN j.n, e.id, s.id, s.lead_id FROM JSON_TABLE(?, '$[*]' COLUMNS (n INT UNSIGNED PATH '$.n', \
         e INT UNSIGNED PATH '$.e', c BIGINT UNSIGNED PATH '$.c', a VARCHAR(320) {} PATH '$.a')) j JOIN {} e ON e.id = j.e \
         LEFT JOIN {} s ON s.email_id = j.e AND s.lead_id = j.c AND s.email_address = j.a \
         ORDER BY j.n, s.date_sent DESC, s.id DESC",
        tables.send_address.0, tables.emails, tables.sends
    );
    let rows: Vec<(usize, u32, Option<u64>, Option<u64>)> =
        connection.rows(&query, (Value::from(list).to_string(),)).await?;
    let (mut found, mut emails) = (HashMap::new(), BTreeSet::new());
    for (index, email, send, contact) in rows {
        emails.insert(email);
        if let (Some(send), Some(contact)) = (send, contact) {
            found.entry(index).or_insert(Found {
                send,
                email: Some(email),
                contact,
            });
        }
    }
    Ok((found, emails))
}

/// Takes a lock for each contact and each address whose soft bounces are counted, in the order of their names, so that no
/// two functions wait for each other. Mautic's table has no key that would keep two rows of a contact apart. All of them
/// together are waited for no longer than `seconds`: who has waited in vain for one does not wait for the next.
pub(super) async fn lock(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[&Incident],
    targets: &[Target],
    seconds: u32,
) -> Result<(), Error> {
    let contacts = targets
        .iter()
        .flat_map(|target| &target.contacts)
        .map(|id| format!("{}c{id}", tables.lock));
    let counted = incidents.iter().filter(|incident| incident.verdict == Verdict::Soft);
    let subjects = counted.map(|incident| format!("{}s{}", tables.lock, hex(&incident.subject()[..16])));
    let names: BTreeSet<String> = contacts.chain(subjects).collect();
    if names.is_empty() {
        return Ok(());
    }
    // NOW() is when the statement began, SYSDATE() when this row's turn came.
    let query = format!(
        "SELECT CAST(COALESCE(SUM(GET_LOCK(j.name, GREATEST(0, {seconds} - TIMESTAMPDIFF(SECOND, NOW(), SYSDATE())))), 0) AS UNSIGNED) \
         FROM JSON_TABLE(?, '$[*]' COLUMNS (name VARCHAR(64) PATH '$')) j"
    );
    let got: Option<usize> = connection.first(&query, (json!(names).to_string(),)).await?;
    if got == Some(names.len()) {
        Ok(())
    } else {
        Err(Error::Busy { seconds })
    }
}

/// What may be changed, as it is now that nobody else of us can change it. Windows are read for repeated incidents as well.
pub(super) async fn under_lock(
    connection: &mut Connection,
    tables: &Tables,
    incidents: &[Incident],
    targets: &[Target],
) -> Result<Observed, Error> {
    let contacts: BTreeSet<u64> = targets
        .iter()
        .flat_map(|target| target.contacts.iter().copied())
        .collect();
    let sends: BTreeSet<u64> = targets.iter().filter_map(|target| target.send).collect();
    let soft = incidents.iter().filter(|incident| incident.verdict == Verdict::Soft);
    let subjects: BTreeSet<String> = soft.map(|incident| hex(&incident.subject())).collect();
    let mut observed = Observed::default();
    if !contacts.is_empty() {
        let query = format!(
            "SELECT STRAIGHT_JOIN d.lead_id, d.id, d.reason FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j \
             JOIN {} d ON d.lead_id = j.id WHERE d.channel = 'email' ORDER BY d.id",
            tables.rows
        );
        let rows: Vec<(u64, u32, i16)> = connection.rows(&query, (json!(contacts).to_string(),)).await?;
        for (contact, id, reason) in rows {
            observed.rows.entry(contact).or_default().push((id, reason));
        }
    }
    if !sends.is_empty() {
        // Locked: Mautic notes openings in the same column.
        let query = format!(
            "SELECT STRAIGHT_JOIN s.id, s.open_details FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j \
             JOIN {} s FORCE INDEX (PRIMARY) ON s.id = j.id FOR UPDATE OF s",
            tables.sends
        );
        let rows: Vec<(u64, Option<Vec<u8>>)> = connection.rows(&query, (json!(sends).to_string(),)).await?;
        observed.sends = rows.into_iter().collect();
    }
    if !subjects.is_empty() {
        let query = format!(
            "SELECT STRAIGHT_JOIN s.subject, CAST(s.soft_bounces AS CHAR) FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$')) j \
             JOIN {} s ON s.subject = UNHEX(j.id)",
            tables.subjects
        );
        let rows: Vec<(Vec<u8>, String)> = connection.rows(&query, (json!(subjects).to_string(),)).await?;
        let window = |(subject, text): (Vec<u8>, String)| {
            Some((Key::try_from(subject).ok()?, serde_json::from_str(&text).ok()?))
        };
        observed.windows = rows.into_iter().filter_map(window).collect();
    }
    Ok(observed)
}
