//! The tables: Mautic's, under the names and collations that they have here, and this function's own.

use std::collections::HashMap;

use database::quoting::identifier;
use database::{Connection, Name};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Mautic's schema.
    pub mautic: Name,
    /// What the names of Mautic's tables begin with; empty as a rule.
    pub prefix: String,
    /// This function's own schema.
    pub own: Name,
}

/// Names for statements, ready to stand there.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) contacts: String,
    pub(crate) emails: String,
    pub(crate) rows: String,
    pub(crate) sends: String,
    pub(crate) events: String,
    pub(crate) subjects: String,
    /// Of `leads.email`, `email_stats.email_address` and `email_stats.tracking_hash`: an index serves only comparisons under the column's own.
    pub(crate) contact_address: Collation,
    pub(crate) send_address: Collation,
    pub(crate) hash: Collation,
    /// What the names of this function's locks begin with: they are the whole server's.
    pub(crate) lock: String,
}

/// How a column compares texts, as a column definition has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collation(pub(crate) String);

const CONTACTS: &str = "leads";
const EMAILS: &str = "emails";
const ROWS: &str = "lead_donotcontact";
const SENDS: &str = "email_stats";

/// Each column that is used, by table.
const COLUMNS: [(&str, &[&str]); 4] = [
    (CONTACTS, &["id", "email"]),
    (EMAILS, &["id"]),
    (
        ROWS,
        &[
            "id",
            "lead_id",
            "date_added",
            "reason",
            "channel",
            "channel_id",
            "comments",
        ],
    ),
    (
        SENDS,
        &[
            "id",
            "email_id",
            "lead_id",
            "email_address",
            "date_sent",
            "is_failed",
            "tracking_hash",
            "open_details",
        ],
    ),
];

impl Tables {
    /// Looks at Mautic's tables.
    ///
    /// # Errors
    /// If one of them, or a column, is not there or may not be used.
    pub(crate) async fn find(connection: &mut Connection, place: &Place) -> Result<Self, Error> {
        let table = |name: &str| format!("{}{name}", place.prefix);
        let query = "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
                     WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?, ?, ?, ?)";
        let [contacts, emails, rows, sends] = [CONTACTS, EMAILS, ROWS, SENDS].map(table);
        let schema = place.mautic.as_str();
        let found: Vec<(String, String, Option<String>, Option<String>)> = connection
            .rows(query, (schema, &contacts, &emails, &rows, &sends))
            .await?;
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|(table, column, set, collation)| ((table, column), (set, collation)))
            .collect();
        let wanted = COLUMNS
            .into_iter()
            .flat_map(|(name, columns)| columns.iter().map(move |column| (table(name), (*column).to_owned())));
        let missing: Vec<_> = wanted
            .filter(|wanted| !found.contains_key(wanted))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect();
        if !missing.is_empty() {
            return Err(Error::Tables {
                schema: schema.to_owned(),
                missing: missing.join(", "),
                user: connection.user().to_owned(),
            });
        }
        let collation = |table: &str, column: &str| match found.get(&(table.to_owned(), column.to_owned())) {
            Some((Some(set), Some(collation))) => Collation(format!("CHARACTER SET {set} COLLATE {collation}")),
            _ => Collation("CHARACTER SET utf8mb4".to_owned()),
        };
        let qualified = |schema: &Name, table: &str| format!("{}.{}", identifier(schema.as_str()), identifier(table));
        let digest = Sha256::digest(place.own.as_str());
        Ok(Self {
            contact_address: collation(&contacts, "email"),
            send_address: collation(&sends, "email_address"),
            hash: collation(&sends, "tracking_hash"),
            contacts: qualified(&place.mautic, &contacts),
            emails: qualified(&place.mautic, &emails),
            rows: qualified(&place.mautic, &rows),
            sends: qualified(&place.mautic, &sends),
            events: qualified(&place.own, "events"),
            subjects: qualified(&place.own, "subjects"),
            lock: format!(
                "bounces-{:02x}{:02x}{:02x}{:02x}-",
                digest[0], digest[1], digest[2], digest[3]
            ),
        })
    }

    /// Makes this function's own tables.
    pub(crate) async fn make(&self, connection: &mut Connection) -> Result<(), Error> {
        let Self { events, subjects, .. } = self;
        for statement in [
            format!(
                "CREATE TABLE IF NOT EXISTS {events} (event_key BINARY(32) NOT NULL PRIMARY KEY, claim VARCHAR(64) NOT NULL, \
                 verdict VARCHAR(24) NOT NULL, recorded_at DATETIME NOT NULL, KEY recorded_at (recorded_at)) \
                 COMMENT 'Reports of SES that were recorded in Mautic, by the SHA-256 of type, id and recipient'"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {subjects} (subject BINARY(32) NOT NULL PRIMARY KEY, soft_bounces JSON NOT NULL, \
                 recorded_at DATETIME NOT NULL, KEY recorded_at (recorded_at)) \
                 COMMENT 'When soft bounces of an address came, by the SHA-256 of the address'"
            ),
        ] {
            connection.run(&statement).await?;
        }
        Ok(())
    }
}
