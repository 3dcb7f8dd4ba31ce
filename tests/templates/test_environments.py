"""Prevents: production without a standby, without protection, or deleted with its only copy.

Rules judge parameters and cannot read mappings; what follows from the environment is held here.
"""

from __future__ import annotations

import unittest

from combinations import deployments
from support import PropertyTest
from template_model import TEMPLATES, load, templates

# What holds data or the key to it -> the deletion policies that keep it.
STATEFUL = {
    "AWS::EFS::FileSystem": {"Retain", "RetainExceptOnCreate"},
    "AWS::ElastiCache::ReplicationGroup": {"Snapshot"},
    "AWS::KMS::Key": {"RetainExceptOnCreate"},
    "AWS::RDS::DBInstance": {"Snapshot"},
    "AWS::S3::Bucket": {"RetainExceptOnCreate"},
}


class Production(PropertyTest):
    def databases(self, environment: str):
        return [
            (deployment, resource)
            for deployment, resource in self.everywhere("AWS::RDS::DBInstance")
            if deployment.environment == environment
        ]

    def test_production_has_a_standby_protection_and_five_weeks_of_backups(self):
        def findings():
            for deployment, instance in self.databases("prod"):
                for name, least in (("MultiAZ", "true"), ("DeletionProtection", "true")):
                    if str(instance.properties[name]) != least:
                        yield deployment, instance, f"{name} is {instance.properties[name]}"
                blank = "DatabaseBackupDays" not in deployment.parameters
                if int(instance.properties["BackupRetentionPeriod"]) < (35 if blank else 7):
                    yield deployment, instance, f"backups for {instance.properties['BackupRetentionPeriod']} days"

        self.holds(findings())

    def test_a_development_database_is_small_and_can_be_deleted(self):
        self.holds(
            (deployment, instance, f"{name} is {instance.properties[name]}")
            for deployment, instance in self.databases("dev")
            if "DatabaseInstanceClass" not in deployment.parameters
            for name, wanted in (
                ("DBInstanceClass", "db.t4g.small"),
                ("MultiAZ", "false"),
                ("DeletionProtection", "false"),
                ("EnablePerformanceInsights", False),
            )
            if instance.properties[name] != wanted
        )

    def test_no_database_is_without_backups(self):
        self.holds(
            (deployment, instance, "no automated backups")
            for deployment, instance in self.everywhere("AWS::RDS::DBInstance")
            if int(instance.properties["BackupRetentionPeriod"]) < 1 or instance.properties["DeleteAutomatedBackups"]
        )


class Survival(PropertyTest):
    def test_what_holds_data_outlives_its_stack(self):
        def findings():
            for path in templates():
                for logical_id, declared in load(path)["Resources"].items():
                    kept = STATEFUL.get(declared["Type"])
                    if kept and declared.get("DeletionPolicy") not in kept:
                        yield (
                            path.name,
                            logical_id,
                            f"DeletionPolicy {declared.get('DeletionPolicy')}, not one of {kept}",
                        )
                    if kept and declared.get("UpdateReplacePolicy") not in {"Snapshot", "Retain"}:
                        yield path.name, logical_id, f"UpdateReplacePolicy {declared.get('UpdateReplacePolicy')}"

        self.holds(findings())

    def test_a_new_generation_is_the_only_way_to_another_instance(self):
        names = {
            (
                one.parameters.get("Application", "mautic"),
                one.environment,
                one.parameters.get("DatabaseGeneration", "1"),
            ): [instance.properties["DBInstanceIdentifier"] for instance in one.resources("AWS::RDS::DBInstance")]
            for one in deployments()
        }
        self.assertEqual(
            {"-".join(key): value[0] for key, value in names.items()}, {"-".join(key): "-".join(key) for key in names}
        )

    def test_a_snapshot_brings_its_own_key_and_master_and_adopts_what_it_contains(self):
        def findings():
            for deployment, instance in self.everywhere("AWS::RDS::DBInstance"):
                is_restored = "DatabaseSnapshot" in deployment.parameters
                for name in ("KmsKeyId", "MasterUsername"):
                    if (name in instance.properties) == is_restored:
                        yield deployment, instance, f"{name} beside a snapshot, or neither"
                adopts = is_restored or deployment.parameters.get("AdoptExistingDatabase") == "true"
                for resource in deployment.resources("Custom::Database", "Custom::DatabaseUser"):
                    if resource.properties["AdoptExisting"] != str(adopts).lower():
                        yield deployment, resource, f"AdoptExisting is {resource.properties['AdoptExisting']}"

        self.holds(findings())


class Engine(PropertyTest):
    def test_only_mysql_8_0_pays_for_extended_support(self):
        found = {
            (instance.properties["EngineVersion"][:3], instance.properties["EngineLifecycleSupport"])
            for _, instance in self.everywhere("AWS::RDS::DBInstance")
        }
        self.assertEqual(
            found,
            {("8.4", "open-source-rds-extended-support-disabled"), ("8.0", "open-source-rds-extended-support")},
        )

    def test_the_parameter_group_is_of_the_engines_line(self):
        self.holds(
            (deployment, group, f"{group.properties['Family']} for {instance.properties['EngineVersion']}")
            for deployment in deployments()
            for group in deployment.resources("AWS::RDS::DBParameterGroup")
            for instance in deployment.resources("AWS::RDS::DBInstance")
            if group.properties["Family"] != "mysql" + instance.properties["EngineVersion"][:3]
        )

    def test_advanced_insights_have_the_fifteen_months_that_they_demand(self):
        self.holds(
            (deployment, instance, "advanced Database Insights without 465 days of Performance Insights")
            for deployment, instance in self.everywhere("AWS::RDS::DBInstance")
            if instance.properties["DatabaseInsightsMode"] == "advanced"
            and (
                not instance.properties["EnablePerformanceInsights"]
                or instance.properties["PerformanceInsightsRetentionPeriod"] < 465
            )
        )

    def test_the_connections_alarm_fires_at_four_fifths_of_the_limit(self):
        mapping = load(TEMPLATES / "modules" / "database.yaml")["Mappings"]["Environment"]
        for environment, values in mapping.items():
            with self.subTest(environment):
                self.assertEqual(values["ManyConnections"], values["MaxConnections"] * 8 // 10)
                self.assertEqual(values["LowStorageBytes"], values["AllocatedStorage"] * 2**30 // 20)


if __name__ == "__main__":
    unittest.main()
