//! The roles that AWS's services make for themselves at their first use in an account.

use crate::aws_query::Answer;
use crate::preflight::finding::Finding;
use std::collections::BTreeSet;

const CHECK: &str = "roles";

/// A service-linked role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceRole {
    /// It matters where a template has a resource of this type.
    pub resource_type: &'static str,
    /// The role.
    pub name: &'static str,
    /// Whose it is.
    pub service: &'static str,
}

const fn role(resource_type: &'static str, name: &'static str, service: &'static str) -> ServiceRole {
    ServiceRole {
        resource_type,
        name,
        service,
    }
}

const ROLES: [ServiceRole; 9] = [
    role("AWS::ECS::Cluster", "AWSServiceRoleForECS", "ecs.amazonaws.com"),
    role("AWS::RDS::DBInstance", "AWSServiceRoleForRDS", "rds.amazonaws.com"),
    role(
        "AWS::ElastiCache::ReplicationGroup",
        "AWSServiceRoleForElastiCache",
        "elasticache.amazonaws.com",
    ),
    role(
        "AWS::EFS::FileSystem",
        "AWSServiceRoleForAmazonElasticFileSystem",
        "elasticfilesystem.amazonaws.com",
    ),
    role(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWSServiceRoleForElasticLoadBalancing",
        "elasticloadbalancing.amazonaws.com",
    ),
    role(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "ecs.application-autoscaling.amazonaws.com",
    ),
    role(
        "AWS::Backup::BackupPlan",
        "AWSServiceRoleForBackup",
        "backup.amazonaws.com",
    ),
    role(
        "AWS::Backup::RestoreTestingPlan",
        "AWSServiceRoleForBackupRestoreTesting",
        "restore-testing.backup.amazonaws.com",
    ),
    role(
        "AWS::WAFv2::LoggingConfiguration",
        "AWSServiceRoleForWAFV2Logging",
        "wafv2.amazonaws.com",
    ),
];

/// The roles that a stack of these types uses.
#[must_use]
pub fn used(types: &BTreeSet<String>) -> Vec<ServiceRole> {
    ROLES
        .into_iter()
        .filter(|role| types.contains(role.resource_type))
        .collect()
}

/// The question whose answer lists the roles that are there.
pub const QUESTION: [&str; 4] = ["iam", "list-roles", "--path-prefix", "/aws-service-role/"];

/// Judges the list: all present, or some to be made.
#[must_use]
pub fn judge(used: &[ServiceRole], answer: &Answer) -> Finding {
    let list = match answer {
        Ok(list) => list,
        Err(error) => {
            return Finding::warning(
                CHECK,
                format!("The roles of AWS's services could not be read: {error}."),
                "Whoever deploys needs iam:ListRoles to see them, and iam:CreateServiceLinkedRole where one is missing.",
            );
        }
    };
    let names: Vec<&str> = list["Roles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|role| role["RoleName"].as_str())
        .collect();
    let missing: Vec<&ServiceRole> = used.iter().filter(|role| !names.contains(&role.name)).collect();
    if missing.is_empty() {
        return Finding::fine(CHECK, format!("All {} that AWS's services use are there.", used.len()));
    }
    let names: Vec<&str> = missing.iter().map(|role| role.name).collect();
    let command =
        |role: &&ServiceRole| format!("aws iam create-service-linked-role --aws-service-name {}", role.service);
    let commands: Vec<String> = missing.iter().map(command).collect();
    Finding::warning(
        CHECK,
        format!("Not in this account yet: {}.", names.join(", ")),
        format!(
            "Each service makes its own at its first use, where whoever deploys may iam:CreateServiceLinkedRole; a first use can fail \
             because the role is seconds old. Making them beforehand avoids that:\n{}",
            commands.join("\n")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::NoAnswer;
    use serde_json::json;

    fn list(names: &[&str]) -> serde_json::Value {
        let roles: Vec<_> = names.iter().map(|name| json!({ "RoleName": name })).collect();
        json!({ "Roles": roles })
    }

    #[test]
    fn roles_that_are_there_take_one_line() {
        let answer = list(&[
            "AWSServiceRoleForECS",
            "AWSServiceRoleForRDS",
            "AWSServiceRoleForSupport",
        ]);
        assert_eq!(
            judge(&ROLES[..2], &Ok(answer)),
            Finding::fine("roles", "All 2 that AWS's services use are there.")
        );
    }

    #[test]
    fn a_missing_role_is_told_with_the_command_that_makes_it() {
        let finding = judge(&ROLES[..2], &Ok(list(&["AWSServiceRoleForRDS"])));
        assert_eq!(finding.text, "Not in this account yet: AWSServiceRoleForECS.");
        assert!(
            finding
                .remedy
                .ends_with("avoids that:\naws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"),
            "{}",
            finding.remedy
        );
    }

    #[test]
    fn roles_that_may_not_be_read_are_not_said_to_be_missing() {
        let refused = Err(NoAnswer::Refused {
            code: "AccessDenied".to_owned(),
            message: "no".to_owned(),
        });
        assert_eq!(
            judge(&ROLES[..2], &refused).text,
            "The roles of AWS's services could not be read: no (AccessDenied)."
        );
    }

    #[test]
    fn only_the_roles_of_used_types_are_asked_for() {
        let types = BTreeSet::from(["AWS::ECS::Cluster".to_owned(), "AWS::SNS::Topic".to_owned()]);
        assert_eq!(used(&types), [ROLES[0]]);
    }
}
