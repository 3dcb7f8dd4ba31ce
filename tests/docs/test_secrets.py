"""Prevents: a secret that no page explains, and data that stays after a removal without a word."""

import unittest

from pages.page import ROOT
from pages.templates import every_module, resources

# What stays when the stack goes -> the command that the README gives to remove it.
REMOVED_BY = {
    "AWS::Backup::BackupVault": "aws backup delete-backup-vault ",
    "AWS::EFS::FileSystem": "aws efs delete-file-system ",
    "AWS::ElastiCache::ReplicationGroup": "aws elasticache delete-snapshot ",
    "AWS::KMS::Key": "aws kms schedule-key-deletion ",
    "AWS::Logs::LogGroup": "aws logs delete-log-group ",
    "AWS::RDS::DBInstance": "aws rds delete-db-snapshot ",
    "AWS::S3::Bucket": "aws s3 rb ",
    "AWS::SecretsManager::Secret": "aws secretsmanager delete-secret ",
}


class SecretsAndRemains(unittest.TestCase):
    """See the sentences."""

    def test_every_secret_of_the_templates_is_on_the_page(self):
        text = (ROOT / "docs/secrets.md").read_text()
        found = {name: module for module, name, _ in resources(every_module(), "AWS::SecretsManager::Secret")}
        self.assertGreater(len(found), 1)
        self.assertEqual({name: module for name, module in found.items() if f"`{name}`" not in text}, {})

    def test_what_a_removal_leaves_can_be_removed_by_the_readme(self):
        text = (ROOT / "README.md").read_text().split("\n## Removal\n")[1]
        kept = {
            declared["Type"]
            for template in every_module().values()
            for declared in template["Resources"].values()
            if declared.get("DeletionPolicy", "Delete") != "Delete"
        }
        self.assertGreater(len(kept), 3)
        self.assertEqual({one for one in kept if REMOVED_BY[one] not in text}, set())


if __name__ == "__main__":
    unittest.main()
