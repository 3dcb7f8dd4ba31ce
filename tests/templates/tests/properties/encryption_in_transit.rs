//! Prevents: passwords and mail that anybody on the way could read.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, unless};

/// Type, path, and the value that it must have.
fn demanded() -> [(&'static str, &'static str, Value); 4] {
    [
        (
            "AWS::RDS::DBParameterGroup",
            "Parameters/require_secure_transport",
            json!("1"),
        ),
        (
            "AWS::SES::ConfigurationSet",
            "DeliveryOptions/TlsPolicy",
            json!("REQUIRE"),
        ),
        (
            "AWS::ElastiCache::ReplicationGroup",
            "TransitEncryptionEnabled",
            json!(true),
        ),
        (
            "AWS::ElastiCache::ReplicationGroup",
            "TransitEncryptionMode",
            json!("required"),
        ),
    ]
}

fn never_in_plain_text(deployment: &Deployment) -> Vec<Finding> {
    let judged = demanded().into_iter().flat_map(|(kind, path, value)| {
        each(deployment, &[kind], |resource| {
            let found = resource.properties.at(path);
            // Left out, ElastiCache's mode is the strict one.
            let is_default = found.is_null() && path == "TransitEncryptionMode";
            unless(found == &value || is_default, || format!("{path} is {found}"))
        })
    });
    judged.collect()
}

#[test]
fn mysql_is_never_spoken_in_plain_text() {
    let path = "Resources/ParameterGroup/Properties/Parameters/require_secure_transport";
    proven(
        never_in_plain_text,
        &Seed::set("modules/database.yaml", path, json!("0")),
        "database: ParameterGroup (AWS::RDS::DBParameterGroup): Parameters/require_secure_transport is \"0\"",
    );
}

#[test]
fn mail_never_leaves_without_tls() {
    let path = "Resources/ConfigurationSet/Properties/DeliveryOptions/TlsPolicy";
    proven(
        never_in_plain_text,
        &Seed::set("modules/ses.yaml", path, json!("OPTIONAL")),
        "ses: ConfigurationSet (AWS::SES::ConfigurationSet): DeliveryOptions/TlsPolicy is \"OPTIONAL\"",
    );
}

#[test]
fn the_cache_is_never_spoken_to_in_plain_text() {
    let cache = |properties: Value| json!({"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties});
    proven(
        never_in_plain_text,
        &Seed::set("modules/ses.yaml", "Resources/Cache", cache(json!({}))),
        "ses: Cache (AWS::ElastiCache::ReplicationGroup): TransitEncryptionEnabled is null",
    );
    let mode = json!({"TransitEncryptionEnabled": true, "TransitEncryptionMode": "preferred"});
    proven(
        never_in_plain_text,
        &Seed::set("modules/ses.yaml", "Resources/Cache", cache(mode)),
        "ses: Cache (AWS::ElastiCache::ReplicationGroup): TransitEncryptionMode is \"preferred\"",
    );
}

/// AWS's policy with TLS 1.3, 1.2 for older browsers, and key exchange that outlives quantum computers.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

fn listener_fault(listener: &Resource) -> Option<String> {
    let found = &listener.properties;
    match found.at("Protocol").text().as_str() {
        "HTTPS" => unless(found.at("SslPolicy") == TLS_POLICY, || {
            format!("SslPolicy is {}", found.at("SslPolicy"))
        }),
        "HTTP" => {
            let actions = found.at("DefaultActions").listed();
            let redirects = actions
                .iter()
                .all(|one| one.at("Type") == "redirect" && one.at("RedirectConfig/Protocol") == "HTTPS");
            unless(redirects && !actions.is_empty(), || "answers in plain text".to_owned())
        }
        other => Some(format!("speaks {other}")),
    }
}

fn listeners(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::ElasticLoadBalancingV2::Listener"], listener_fault)
}

#[test]
fn the_site_speaks_todays_tls() {
    proven(
        listeners,
        &Seed::remove(
            "modules/load-balancer.yaml",
            "Resources/HttpsListener/Properties/SslPolicy",
        ),
        "load-balancer: HttpsListener (AWS::ElasticLoadBalancingV2::Listener): SslPolicy is null",
    );
}

#[test]
fn plain_http_is_only_redirected() {
    let action = json!([{"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}]);
    proven(
        listeners,
        &Seed::set(
            "modules/load-balancer.yaml",
            "Resources/HttpListener/Properties/DefaultActions",
            action,
        ),
        "load-balancer: HttpListener (AWS::ElasticLoadBalancingV2::Listener): answers in plain text",
    );
}

/// Type of the policy, and where it names what it guards.
const POLICIES: [(&str, &str, &str); 3] = [
    ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
];

fn plain_requests_are_denied(deployment: &Deployment) -> Vec<Finding> {
    let judged = POLICIES.iter().flat_map(|(kind, policy, name)| {
        each(deployment, &[kind], |resource| {
            let own = deployment.of_type(std::slice::from_ref(policy));
            let own = own.filter(|policy| policy.properties.at(name).texts().contains(&resource.reference()));
            let mut statements = own.flat_map(|policy| policy.properties.at("PolicyDocument/Statement").listed());
            let denies = statements.any(|statement| {
                statement.at("Effect") == "Deny"
                    && statement.at("Principal") == "*"
                    && statement.at("Condition") == &json!({"Bool": {"aws:SecureTransport": "false"}})
            });
            unless(denies, || "no policy denies requests without TLS".to_owned())
        })
    });
    judged.collect()
}

#[test]
fn every_bucket_denies_requests_without_tls() {
    proven(
        plain_requests_are_denied,
        &Seed::remove(
            "modules/foundation.yaml",
            "Resources/LogBucketPolicy/Properties/PolicyDocument/Statement/1",
        ),
        "foundation: LogBucket (AWS::S3::Bucket): no policy denies requests without TLS",
    );
}

#[test]
fn every_topic_denies_requests_without_tls() {
    proven(
        plain_requests_are_denied,
        &Seed::remove("modules/ses.yaml", "Resources/EventTopicPolicy"),
        "ses: EventTopic (AWS::SNS::Topic): no policy denies requests without TLS",
    );
}

#[test]
fn every_queue_denies_requests_without_tls() {
    proven(
        plain_requests_are_denied,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/Queue",
            json!({"Type": "AWS::SQS::Queue", "Properties": {}}),
        ),
        "ses: Queue (AWS::SQS::Queue): no policy denies requests without TLS",
    );
}

/// Volumes of tasks: EFS is only mounted through TLS, and with the task's own identity.
fn volumes(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::ECS::TaskDefinition"], |definition| {
        let volumes = definition.properties.at("Volumes").listed();
        let files = volumes
            .iter()
            .map(|volume| volume.at("EFSVolumeConfiguration"))
            .filter(|files| !files.is_null());
        let mut loose = files.filter(|files| {
            files.at("TransitEncryption") != "ENABLED" || files.at("AuthorizationConfig/IAM") != "ENABLED"
        });
        loose
            .next()
            .map(|files| format!("mounts files without TLS or without its role: {files}"))
    })
}

#[test]
fn tasks_mount_files_through_tls_and_with_their_role() {
    let definition =
        json!({"Volumes": [{"EFSVolumeConfiguration": {"FilesystemId": "fs-1", "TransitEncryption": "ENABLED"}}]});
    proven(
        volumes,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/Task",
            json!({"Type": "AWS::ECS::TaskDefinition", "Properties": definition}),
        ),
        "ses: Task (AWS::ECS::TaskDefinition): mounts files without TLS or without its role: \
         {\"FilesystemId\":\"fs-1\",\"TransitEncryption\":\"ENABLED\"}",
    );
}
