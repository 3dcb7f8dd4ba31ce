//! The roles that AWS's services make for themselves at their first use in an account.

use crate::aws_query::{Answer, NoAnswer};
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

const ROLES: [ServiceRole; 8] = [
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

/// Judges `iam get-role` of each: present, to be made, or not known.
#[must_use]
pub fn judge(answers: &[(ServiceRole, Answer)]) -> Vec<Finding> {
    let missing: Vec<&ServiceRole> = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, Err(error) if error.is(&["NoSuchEntity"])))
        .map(|(role, _)| role)
        .collect();
    let unread: Option<&NoAnswer> = answers
        .iter()
        .find_map(|(_, answer)| answer.as_ref().err().filter(|error| !error.is(&["NoSuchEntity"])));
    let mut findings = Vec::new();
    if let Some(error) = unread {
        findings.push(Finding::warning(
            CHECK,
            format!("The roles of AWS's services could not be read: {error}."),
            "Whoever deploys needs iam:GetRole to see them, and iam:CreateServiceLinkedRole where one is missing.",
        ));
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|role| role.name).collect();
        let command =
            |role: &&ServiceRole| format!("aws iam create-service-linked-role --aws-service-name {}", role.service);
        let commands: Vec<String> = missing.iter().map(command).collect();
        findings.push(Finding::warning(
            CHECK,
            format!("Not in this account yet: {}.", names.join(", ")),
            format!(
                "Each service makes its own at its first use, where whoever deploys may iam:CreateServiceLinkedRole; a first use can \
                 fail because the role is seconds old. Making them beforehand avoids that:\n{}",
                commands.join("\n")
            ),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::fine(
            CHECK,
            format!("All {} that AWS's services use are there.", answers.len()),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(code: &str) -> Answer {
        Err(NoAnswer::Refused {
            code: code.to_owned(),
            message: "no".to_owned(),
        })
    }

    #[test]
    fn roles_that_are_there_take_one_line() {
        let answers = [(ROLES[0], Ok(json!({}))), (ROLES[1], Ok(json!({})))];
        assert_eq!(
            judge(&answers),
            [Finding::fine("roles", "All 2 that AWS's services use are there.")]
        );
    }

    #[test]
    fn a_missing_role_is_told_with_the_command_that_makes_it() {
        let answers = [(ROLES[0], refused("NoSuchEntity")), (ROLES[1], Ok(json!({})))];
        let [finding] = judge(&answers).try_into().expect("one finding");
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
        let [finding] = judge(&[(ROLES[0], refused("AccessDenied"))]).try_into().expect("one");
        assert_eq!(
            finding.text,
            "The roles of AWS's services could not be read: no (AccessDenied)."
        );
    }

    #[test]
    fn only_the_roles_of_used_types_are_asked_for() {
        let types = BTreeSet::from(["AWS::ECS::Cluster".to_owned(), "AWS::SNS::Topic".to_owned()]);
        assert_eq!(used(&types), [ROLES[0]]);
    }
}
