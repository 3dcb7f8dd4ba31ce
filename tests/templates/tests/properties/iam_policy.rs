//! Prevents: a role that could do more than its function does, because a wildcard was quicker to write.

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::Templates;
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;

use crate::support::{actions, allows, each, statements, unless};

pub const ROLE: &str = "AWS::IAM::Role";
/// Every type that gives an identity permissions: Mautic's own mail user has an `AWS::IAM::UserPolicy`.
const IDENTITY_POLICIES: [&str; 8] = [
    ROLE,
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::User",
    "AWS::IAM::Group",
];
/// Where the seeds of this suite are planted: the first statement of ses-domain's policy.
const STATEMENT: &str = "Resources/SesDomainPolicy/Properties/PolicyDocument/Statement/0";
const POLICY: &str = "ses: SesDomainPolicy (AWS::IAM::Policy)";

/// What is wrong with a statement that allows something to an identity.
fn each_allowed(deployment: &Deployment, judge: impl Fn(&Value) -> Option<String>) -> Vec<Finding> {
    each(deployment, &IDENTITY_POLICIES, |resource| {
        statements(resource)
            .into_iter()
            .filter(|statement| allows(statement))
            .find_map(&judge)
    })
}

fn wildcards(deployment: &Deployment) -> Vec<Finding> {
    each_allowed(deployment, |statement| {
        let negative = ["NotAction", "NotResource"]
            .into_iter()
            .find(|key| statement.get(key).is_some());
        let wide = actions(statement).into_iter().find(|action| action.contains('*'));
        wide.map(|action| format!("may {action}"))
            .or(negative.map(|key| format!("{key} allows all the rest")))
    })
}

#[test]
fn no_identity_has_a_wildcard_action() {
    proven(
        wildcards,
        &Seed::set("modules/ses.yaml", &format!("{STATEMENT}/Action"), json!("ses:*")),
        &format!("{POLICY}: may ses:*"),
    );
    proven(
        wildcards,
        &Seed::set(
            "modules/ses.yaml",
            &format!("{STATEMENT}/NotAction"),
            json!("ses:DeleteEmailIdentity"),
        ),
        &format!("{POLICY}: NotAction allows all the rest"),
    );
}

#[test]
fn a_user_has_no_wildcard_action_either() {
    let path = "Resources/MailUserPolicy/Properties/PolicyDocument/Statement/0/Action";
    proven(
        wildcards,
        &Seed::set("modules/mail-credentials.yaml", path, json!("ses:Send*")),
        "mail-credentials: MailUserPolicy (AWS::IAM::UserPolicy): may ses:Send*",
    );
}

fn unexplained(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        let (mut before, mut lines) = ("", 0);
        for (number, line) in template.lines() {
            let is_wide = ["Resource: '*'", "Resource: ['*']", "Resource: \"*\"", "- '*'"]
                .iter()
                .any(|wide| line.contains(wide));
            let is_explained = line.contains('#') || before.trim_start().starts_with('#');
            if is_wide && !is_explained {
                found.push(Finding::new(
                    format!("{}:{number}", template.file),
                    "every resource, and no reason given",
                ));
            }
            lines += usize::from(is_wide);
            before = line;
        }
        // Written in another way, it would have no line that is looked at.
        let resources = every_resources(&template.body);
        if lines < resources {
            let wrong = format!("{resources} times every resource, on {lines} lines that say so");
            found.push(Finding::new(&template.file, wrong));
        }
    }
    found
}

/// How often something is allowed or denied on every resource.
fn every_resources(value: &Value) -> usize {
    let own = value.at("Resource").texts().iter().filter(|one| *one == "*").count();
    let parts: Vec<&Value> = match value {
        Value::Object(entries) => entries.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    own + parts.into_iter().map(every_resources).sum::<usize>()
}

#[test]
fn every_resource_is_allowed_only_with_a_reason_beside_it() {
    let seed = Seed::text(
        "modules/ses.yaml",
        "Resource: '*' # the action knows no resource",
        "Resource: '*'",
    );
    let line = seed
        .templates()
        .file("modules/ses.yaml")
        .unwrap()
        .lines()
        .find(|(_, line)| line.ends_with("Resource: '*'"));
    let expected = format!(
        "modules/ses.yaml:{}: every resource, and no reason given",
        line.unwrap().0
    );
    proven_of_files(unexplained, &seed, &expected);
    let spread = Seed::text(
        "modules/ses.yaml",
        "Resource: '*' # the action knows no resource",
        "Resource:\n              '*'",
    );
    proven_of_files(
        unexplained,
        &spread,
        "modules/ses.yaml: 2 times every resource, on 1 lines that say so",
    );
}

/// Actions that know no resource, each with what AWS's service authorisation reference says; others name theirs.
const WITHOUT_RESOURCE: [&str; 25] = [
    "backup:ListBackupJobs",
    "backup:ListRestoreJobs",
    "cloudwatch:PutMetricData",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "ecr:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "ecs:ListServices", // the cluster is a condition
    "ecs:ListTasks",    // but container instances, of which Fargate has none
    "ecs:RegisterTaskDefinition",
    "iam:ListAccessKeys",
    "logs:DescribeLogGroups",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "ses:GetAccount",
    "ses:PutSuppressedDestination",
    "secretsmanager:GetRandomPassword",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

fn every_resource(deployment: &Deployment) -> Vec<Finding> {
    each_allowed(deployment, |statement| {
        let is_wide = statement.at("Resource").texts().iter().any(|resource| resource == "*");
        let known = |action: &String| WITHOUT_RESOURCE.contains(&action.as_str());
        let wide = actions(statement).into_iter().find(|action| is_wide && !known(action));
        wide.map(|action| format!("may {action} on every resource"))
    })
}

#[test]
fn what_can_name_its_resource_does() {
    proven(
        every_resource,
        &Seed::set("modules/ses.yaml", &format!("{STATEMENT}/Resource"), json!("*")),
        &format!("{POLICY}: may ses:CreateEmailIdentity on every resource"),
    );
}

fn passes_roles(deployment: &Deployment) -> Vec<Finding> {
    each_allowed(deployment, |statement| {
        if !actions(statement).iter().any(|action| action == "iam:PassRole") {
            return None;
        }
        let roles = statement.at("Resource").listed();
        let strange = roles
            .iter()
            .find(|role| deployment.owner(role).is_none_or(|owner| owner.kind != ROLE));
        if let Some(role) = strange {
            return Some(format!("passes {}, which is no role of the stack", role.text()));
        }
        let services = statement.at("Condition/StringEquals/iam:PassedToService").texts();
        let is_named = |service: &String| service.ends_with(".amazonaws.com") && !service.contains('*');
        unless(!services.is_empty() && services.iter().all(is_named), || {
            "passes a role to any service".to_owned()
        })
    })
}

#[test]
fn a_role_is_passed_by_name_and_to_a_named_service() {
    let pass = |resource: Value| json!({"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": resource});
    proven(
        passes_roles,
        &Seed::set(
            "modules/ses.yaml",
            STATEMENT,
            pass(json!("arn:aws:iam::123456789012:role/*")),
        ),
        &format!("{POLICY}: passes arn:aws:iam::123456789012:role/*, which is no role of the stack"),
    );
    proven(
        passes_roles,
        &Seed::set(
            "modules/ses.yaml",
            STATEMENT,
            pass(json!({"Fn::GetAtt": ["SesDomainRole", "Arn"]})),
        ),
        &format!("{POLICY}: passes a role to any service"),
    );
    let mut to_all = pass(json!({"Fn::GetAtt": ["SesDomainRole", "Arn"]}));
    to_all["Condition"] = json!({"StringEquals": {"iam:PassedToService": "*.amazonaws.com"}});
    proven(
        passes_roles,
        &Seed::set("modules/ses.yaml", STATEMENT, to_all),
        &format!("{POLICY}: passes a role to any service"),
    );
}

fn decrypts_for_a_service(deployment: &Deployment) -> Vec<Finding> {
    each_allowed(deployment, |statement| {
        let decrypts = actions(statement)
            .iter()
            .any(|action| action == "kms:Decrypt" || action == "kms:GenerateDataKey");
        let condition = statement.at("Condition");
        let tests = condition
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(_, test)| test.keys());
        // The agent of ECS Exec decrypts by itself; its sessions carry this context and nothing else does.
        let keys = [
            "kms:ViaService",
            "kms:EncryptionContextKeys",
            "kms:EncryptionContext:aws:ssm:SessionId",
        ];
        let is_held = tests.into_iter().any(|key| keys.contains(&key));
        unless(!decrypts || is_held, || {
            "opens anything that the key encrypts".to_owned()
        })
    })
}

#[test]
fn nobody_decrypts_but_through_the_service_that_holds_the_secret() {
    let path = "Resources/DatabaseInitPolicy/Properties/PolicyDocument/Statement/1/Condition";
    proven(
        decrypts_for_a_service,
        &Seed::remove("modules/database-init.yaml", path),
        "database-init: DatabaseInitPolicy (AWS::IAM::Policy): opens anything that the key encrypts",
    );
}
