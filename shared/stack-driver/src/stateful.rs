//! The kinds of resources that hold what no deployment can make again.

/// A kind of resource whose replacement or removal loses something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stateful {
    /// As CloudFormation spells it.
    pub resource_type: &'static str,
    /// In plain words: "database".
    pub kind: &'static str,
    /// What goes with it: "the data in it".
    pub loss: &'static str,
}

const fn holds(resource_type: &'static str, kind: &'static str, loss: &'static str) -> Stateful {
    Stateful {
        resource_type,
        kind,
        loss,
    }
}

/// Every such kind. A template may use any of them in any module: nothing else is known about where they stand.
pub const STATEFUL: [Stateful; 9] = [
    holds("AWS::Backup::BackupVault", "backup vault", "the backups in it"),
    holds("AWS::DynamoDB::Table", "table", "the items in it"),
    holds("AWS::EFS::FileSystem", "file system", "the files on it"),
    holds(
        "AWS::ElastiCache::ReplicationGroup",
        "cache",
        "the sessions and queued messages in it",
    ),
    holds(
        "AWS::KMS::Key",
        "encryption key",
        "whatever only this key decrypts, snapshots and backups too",
    ),
    holds("AWS::RDS::DBCluster", "database cluster", "the data in it"),
    holds("AWS::RDS::DBInstance", "database", "the data in it"),
    holds("AWS::S3::Bucket", "bucket", "the objects in it"),
    holds(
        "AWS::SecretsManager::Secret",
        "secret",
        "its value, with which others sign in or decrypt",
    ),
];

/// What is known of a resource type, if it holds something.
#[must_use]
pub fn stateful(resource_type: &str) -> Option<&'static Stateful> {
    STATEFUL.iter().find(|one| one.resource_type == resource_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_holds_something_and_a_topic_does_not() {
        assert_eq!(stateful("AWS::RDS::DBInstance").map(|one| one.kind), Some("database"));
        assert_eq!(stateful("AWS::SNS::Topic"), None);
    }

    #[test]
    fn no_kind_is_listed_twice() {
        let mut types = STATEFUL.map(|one| one.resource_type).to_vec();
        types.dedup();
        assert_eq!(
            types.len(),
            STATEFUL.len(),
            "the table is sorted, so twins are neighbours"
        );
        assert!(types.is_sorted());
    }
}
