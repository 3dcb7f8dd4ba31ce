//! Rights as values: which privilege on which schema, table or column.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use database::quoting::{identifier, schema_pattern};
use database::{Name, NameKind};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::properties::GrantProperty;
use crate::schema::is_reserved;

// <https://dev.mysql.com/doc/refman/8.4/en/grant.html>, "Permissible Static Privileges" by level; without GRANT OPTION.
const ON_SCHEMAS: [&str; 18] = [
    "ALTER",
    "ALTER ROUTINE",
    "CREATE",
    "CREATE ROUTINE",
    "CREATE TEMPORARY TABLES",
    "CREATE VIEW",
    "DELETE",
    "DROP",
    "EVENT",
    "EXECUTE",
    "INDEX",
    "INSERT",
    "LOCK TABLES",
    "REFERENCES",
    "SELECT",
    "SHOW VIEW",
    "TRIGGER",
    "UPDATE",
];
const ON_TABLES: [&str; 12] = [
    "ALTER",
    "CREATE",
    "CREATE VIEW",
    "DELETE",
    "DROP",
    "INDEX",
    "INSERT",
    "REFERENCES",
    "SELECT",
    "SHOW VIEW",
    "TRIGGER",
    "UPDATE",
];
const ON_COLUMNS: [&str; 4] = ["INSERT", "REFERENCES", "SELECT", "UPDATE"];

/// One of MySQL's static privileges, by its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Privilege(&'static str);

/// What a right is on: a schema, one of its tables, or one column of that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The schema.
    pub database: Name,
    /// The table; all tables where there is none.
    pub table: Option<Name>,
    /// The column; all columns where there is none.
    pub column: Option<Name>,
}

/// One privilege on one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// On what.
    pub object: Object,
    /// What may be done.
    pub privilege: Privilege,
}

/// A set of rights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights(BTreeSet<Right>);

impl Object {
    /// What MySQL can give here.
    #[must_use]
    pub fn privileges(&self) -> &'static [&'static str] {
        match (&self.table, &self.column) {
            (None, _) => &ON_SCHEMAS,
            (Some(_), None) => &ON_TABLES,
            (Some(_), Some(_)) => &ON_COLUMNS,
        }
    }

    /// A privilege by its name, in either case, if it can be given here.
    #[must_use]
    pub fn privilege(&self, name: &str) -> Option<Privilege> {
        self.privileges()
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name.trim()))
            .map(|known| Privilege(known))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            database,
            table,
            column,
        } = self;
        match (table, column) {
            (Some(table), Some(column)) => write!(f, "column `{column}` of `{database}`.`{table}`"),
            (Some(table), None) => write!(f, "table `{database}`.`{table}`"),
            (None, _) => write!(f, "schema `{database}`"),
        }
    }
}

impl Rights {
    /// What a template lists.
    ///
    /// # Errors
    /// If a name or a privilege is none, or an entry makes no sense.
    pub fn from_properties(grants: &[GrantProperty]) -> Result<Self, Error> {
        let mut rights = BTreeSet::new();
        for grant in grants {
            for object in objects(grant)? {
                if grant.privileges.is_empty() {
                    return Err(Error::NoPrivileges(object.to_string()));
                }
                for privilege in &grant.privileges {
                    let known = object.privileges().to_vec();
                    let unknown = || Error::Privilege {
                        privilege: privilege.clone(),
                        object: object.to_string(),
                        known,
                    };
                    let privilege = object.privilege(privilege).ok_or_else(unknown)?;
                    rights.insert(Right {
                        object: object.clone(),
                        privilege,
                    });
                }
            }
        }
        Ok(Self(rights))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Those that are in `other` too.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Those of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The parts of GRANT and REVOKE statements: the privileges, and what they are on. One statement a schema or table.
    #[must_use]
    pub fn clauses(&self) -> Vec<(String, String)> {
        let mut by_place: BTreeMap<_, BTreeMap<Privilege, Vec<Option<&Name>>>> = BTreeMap::new();
        for Right { object, privilege } in &self.0 {
            let place = by_place.entry((&object.database, object.table.as_ref())).or_default();
            place.entry(*privilege).or_default().push(object.column.as_ref());
        }
        by_place
            .into_iter()
            .map(|((database, table), privileges)| (listed(&privileges), on(database, table)))
            .collect()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

/// What a template's entry is about: a schema, a table, or each of its columns.
fn objects(grant: &GrantProperty) -> Result<Vec<Object>, Error> {
    let database = Name::new(NameKind::Schema, &grant.database)?;
    if is_reserved(database.as_str()) {
        return Err(Error::ReservedGrant(grant.database.clone()));
    }
    let Some(table) = &grant.table else {
        if !grant.columns.is_empty() {
            return Err(Error::ColumnsWithoutTable(grant.database.clone()));
        }
        return Ok(vec![Object {
            database,
            table: None,
            column: None,
        }]);
    };
    let table = Object {
        database,
        table: Some(Name::new(NameKind::Table, table)?),
        column: None,
    };
    if grant.columns.is_empty() {
        return Ok(vec![table]);
    }
    let column = |name: &String| {
        Ok(Object {
            column: Some(Name::new(NameKind::Column, name)?),
            ..table.clone()
        })
    };
    grant.columns.iter().map(column).collect()
}

/// Such as `DELETE, SELECT (a, b)`; a privilege may stand for the whole table and for columns besides.
fn listed(privileges: &BTreeMap<Privilege, Vec<Option<&Name>>>) -> String {
    let mut parts = Vec::new();
    for (Privilege(privilege), columns) in privileges {
        if columns.contains(&None) {
            parts.push((*privilege).to_owned());
        }
        let columns: Vec<_> = columns
            .iter()
            .flatten()
            .map(|column| identifier(column.as_str()))
            .collect();
        if !columns.is_empty() {
            parts.push(format!("{privilege} ({})", columns.join(", ")));
        }
    }
    parts.join(", ")
}

/// In a schema's name `_` and `%` would match other characters; in a table's place they are plain.
fn on(database: &Name, table: Option<&Name>) -> String {
    match table {
        None => format!("{}.*", schema_pattern(database.as_str())),
        Some(table) => format!("{}.{}", identifier(database.as_str()), identifier(table.as_str())),
    }
}

/// Rights as they are recorded, grouped by object.
#[derive(Serialize, Deserialize)]
pub(super) struct Recorded {
    database: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    privileges: Vec<String>,
}

impl Rights {
    pub(super) fn to_record(&self) -> Vec<Recorded> {
        let mut by_object: BTreeMap<&Object, Vec<String>> = BTreeMap::new();
        for Right { object, privilege } in &self.0 {
            by_object.entry(object).or_default().push(privilege.0.to_owned());
        }
        let record = |(object, privileges): (&Object, _)| Recorded {
            database: object.database.to_string(),
            table: object.table.as_ref().map(Name::to_string),
            column: object.column.as_ref().map(Name::to_string),
            privileges,
        };
        by_object.into_iter().map(record).collect()
    }

    /// What is not understood, of a later version perhaps, is left out: rights that are not known are not revoked.
    pub(super) fn from_record(record: &[Recorded]) -> Self {
        let mut rights = BTreeSet::new();
        for entry in record {
            let parts = (&entry.database, entry.table.as_deref(), entry.column.as_deref());
            let Some(object) = object(parts.0, parts.1, parts.2) else {
                continue;
            };
            let known = entry.privileges.iter().filter_map(|name| object.privilege(name));
            rights.extend(known.map(|privilege| Right {
                object: object.clone(),
                privilege,
            }));
        }
        Self(rights)
    }
}

/// An object from its parts, if they are names.
pub(super) fn object(database: &str, table: Option<&str>, column: Option<&str>) -> Option<Object> {
    Some(Object {
        database: Name::new(NameKind::Schema, database).ok()?,
        table: table.map(|table| Name::new(NameKind::Table, table)).transpose().ok()?,
        column: column
            .map(|column| Name::new(NameKind::Column, column))
            .transpose()
            .ok()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rights(grants: serde_json::Value) -> Result<Rights, Error> {
        Rights::from_properties(&serde_json::from_value::<Vec<GrantProperty>>(grants).expect("grants"))
    }

    fn fault(grants: serde_json::Value) -> String {
        rights(grants).expect_err("it is invalid").to_string()
    }

    #[test]
    fn a_privilege_that_is_none_at_its_level_is_named_with_those_that_are() {
        assert_eq!(
            fault(
                json!([{"Database": "shop", "Table": "orders", "Columns": ["id"], "Privileges": ["select", "DELETE"]}])
            ),
            "Grants name the privilege `DELETE` for column `id` of `shop`.`orders`, which MySQL does not give there; \
             it gives INSERT, REFERENCES, SELECT, UPDATE"
        );
        for (table, privilege) in [
            ("", "GRANT OPTION"),
            ("", "ALL PRIVILEGES"),
            ("", "SUPER"),
            ("t", "EXECUTE"),
            ("t", "LOCK TABLES"),
        ] {
            let grants = if table.is_empty() {
                json!([{"Database": "shop", "Privileges": [privilege]}])
            } else {
                json!([{"Database": "shop", "Table": table, "Privileges": [privilege]}])
            };
            assert!(fault(grants).starts_with(&format!("Grants name the privilege `{privilege}` for ")));
        }
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_refused_with_the_remedy() {
        assert_eq!(
            fault(json!([{"Database": "shop", "Privileges": []}])),
            "Grants name no privilege for schema `shop`; list at least one, or leave the entry out"
        );
        assert_eq!(
            fault(json!([{"Database": "shop", "Columns": ["a"], "Privileges": ["SELECT"]}])),
            "Grants name columns of schema `shop` but no table; add Table"
        );
        assert_eq!(
            fault(json!([{"Database": "MySQL", "Privileges": ["SELECT"]}])),
            "Grants name the schema `MySQL`, which is MySQL's own or this function's; leave it out, whoever may write there may do anything"
        );
    }

    #[test]
    fn rights_become_one_clause_for_each_schema_and_table() {
        let rights = rights(json!([
            {"Database": "my_shop", "Privileges": ["SELECT", "insert", "CREATE TEMPORARY TABLES"]},
            {"Database": "my_shop", "Table": "or_ders", "Privileges": ["DELETE", "SELECT"]},
            {"Database": "my_shop", "Table": "or_ders", "Columns": ["b`c", "a"], "Privileges": ["SELECT", "UPDATE"]},
        ]));
        assert_eq!(
            rights.expect("valid").clauses(),
            [
                (
                    "CREATE TEMPORARY TABLES, INSERT, SELECT".to_owned(),
                    r"`my\_shop`.*".to_owned()
                ),
                (
                    "DELETE, SELECT, SELECT (`a`, `b``c`), UPDATE (`a`, `b``c`)".to_owned(),
                    "`my_shop`.`or_ders`".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_record_reads_back_and_what_it_does_not_know_is_left_out() {
        let rights = rights(json!([
            {"Database": "shop", "Privileges": ["SELECT"]},
            {"Database": "shop", "Table": "t", "Columns": ["c"], "Privileges": ["UPDATE"]},
        ]));
        let rights = rights.expect("valid");
        let mut record = serde_json::to_value(rights.to_record()).expect("JSON");
        assert_eq!(
            record,
            json!([
                {"database": "shop", "privileges": ["SELECT"]},
                {"database": "shop", "table": "t", "column": "c", "privileges": ["UPDATE"]},
            ])
        );
        record[0]["privileges"] = json!(["SELECT", "TIME TRAVEL"]);
        let read: Vec<Recorded> = serde_json::from_value(record).expect("a record");
        assert_eq!(Rights::from_record(&read), rights);
    }
}
