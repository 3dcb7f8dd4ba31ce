//! Prevents: parameters that contradict each other, accepted by CloudFormation and paid for half an hour later.
//!
//! The text is what the operator reads, so it is asserted word for word: it says what to change.

use std::collections::BTreeSet;

use template_properties::combinations::{TEMPLATES, environments, minimal, owned};
use template_properties::features::{CERTIFICATE, EXISTING};
use template_properties::value::Look;
use template_properties::{Deployment, Refusal, refusals};

/// Rule, environment, parameters besides the least, what the operator reads.
type Contradiction = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const ROLE: (&str, &str) = ("HostedZoneRoleArn", "arn:aws:iam::210987654321:role/dns");
const WITHOUT_CERTIFICATE: &str = "No zone of this account can prove a new certificate. Set CertificateArn, or SiteHostedZoneId \
                                   to the site's zone if it is here.";

const CONTRADICTIONS: &[Contradiction] = &[
    (
        "ProductionIsWatched",
        "prod",
        &[("AlarmEmail", "")],
        "Production needs somebody to tell. Set AlarmEmail to an address that is read.",
    ),
    (
        "ProductionSurvivesAZoneAndAMistake",
        "prod",
        &[("DatabaseMultiAZ", "false")],
        "Production's database has a standby. Leave DatabaseMultiAZ blank, or choose Environment test.",
    ),
    (
        "ProductionSurvivesAZoneAndAMistake",
        "prod",
        &[("DatabaseDeletionProtection", "false")],
        "Production's database is protected. Leave DatabaseDeletionProtection blank; before an installation is removed for \
         good, run aws rds modify-db-instance --no-deletion-protection --db-instance-identifier NAME.",
    ),
    (
        "ProductionSurvivesAZoneAndAMistake",
        "prod",
        &[("CacheReplicas", "0")],
        "Production's cache has a replica. Leave CacheReplicas blank, or choose Environment test.",
    ),
    (
        "ProductionSurvivesAZoneAndAMistake",
        "prod",
        &[("RestoreTests", "false")],
        "Production's backups are tried. Leave RestoreTests blank, or choose Environment test.",
    ),
    (
        "CacheClusterIsComplete",
        "dev",
        &[("CacheClusterMode", "true"), ("CacheReplicas", "0")],
        "A cluster fails over by itself, to replicas. Leave CacheReplicas blank, or set it to 1 or 2.",
    ),
    (
        "CacheShardsNeedACluster",
        "dev",
        &[("CacheShards", "3")],
        "Only a cluster has shards. Set CacheClusterMode to true, or leave CacheShards blank.",
    ),
    (
        "DatabaseFitsMautic",
        "dev",
        &[("DatabaseVersion", "8.0")],
        "Mautic 7 refuses MySQL 8.0. Set DatabaseVersion to 8.4, or MauticVersion to 6.0.",
    ),
    (
        "DatabaseStorageHasBothEnds",
        "dev",
        &[("DatabaseStorage", "100")],
        "RDS compares both ends. Set DatabaseStorage and DatabaseMaxStorage, or neither.",
    ),
    (
        "DatabaseStorageHasBothEnds",
        "prod",
        &[("DatabaseMaxStorage", "100")],
        "RDS compares both ends. Set DatabaseStorage and DatabaseMaxStorage, or neither.",
    ),
    (
        "ExternalDnsWritesNothing",
        "dev",
        &[
            ("ExternalDns", "true"),
            ("HostedZoneId", "Z0123456789"),
            ("CertificateArn", CERTIFICATE),
        ],
        "No zone is written with ExternalDns. Leave HostedZoneId, HostedZoneRoleArn and SiteHostedZoneId blank, or set it \
         false.",
    ),
    (
        "CertificateCanBeProven",
        "dev",
        &[("ExternalDns", "true")],
        WITHOUT_CERTIFICATE,
    ),
    ("CertificateCanBeProven", "dev", &[ROLE], WITHOUT_CERTIFICATE),
    (
        "DmarcReportsNeedAPolicy",
        "dev",
        &[("DmarcPolicy", ""), ("DmarcReportAddress", "dmarc@example.com")],
        "The report address stands in the DMARC record. Set DmarcPolicy to none at least.",
    ),
    (
        "ExistingNetworkIsComplete",
        "dev",
        &[EXISTING[0], EXISTING[1], EXISTING[2]],
        "An existing VPC comes with its subnets. Set PublicSubnetIds, PrivateSubnetIds and IsolatedSubnetIds.",
    ),
    (
        "NewNetworkIsOnItsOwn",
        "dev",
        &[EXISTING[1], EXISTING[2], EXISTING[3]],
        "Without VpcId a new network is made. Set VpcId, or leave the subnets and route tables blank.",
    ),
    (
        "NewNetworkIsOnItsOwn",
        "dev",
        &[("NatGateways", "none")],
        "Functions would reach no AWS service. Set InterfaceEndpoints to functions, or NatGateways to one.",
    ),
];

#[test]
fn each_contradiction_is_refused_with_its_remedy() {
    for (rule, environment, parameters, text) in CONTRADICTIONS {
        let mut given = minimal(environment);
        given.extend(owned(*parameters));
        let refused = refusals(&TEMPLATES, &given).unwrap_or_else(|error| panic!("{rule}: {error}"));
        assert_eq!(refused, [*text], "{rule} of {given:?}");
    }
}

#[test]
fn every_assertion_of_every_rule_has_its_contradiction_here() {
    let root = TEMPLATES.root();
    let declared: BTreeSet<(String, String)> = root
        .section("Rules")
        .flat_map(|(name, rule)| {
            rule.at("Assertions")
                .listed()
                .into_iter()
                .map(|one| (name.to_owned(), one.at("AssertDescription").text()))
        })
        .collect();
    let proven = CONTRADICTIONS
        .iter()
        .map(|(rule, _, _, text)| ((*rule).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(declared, proven);
}

#[test]
fn what_is_left_blank_is_never_refused() {
    for environment in environments(&TEMPLATES) {
        assert_eq!(
            refusals(&TEMPLATES, &minimal(&environment)).unwrap(),
            [] as [&str; 0],
            "{environment}"
        );
    }
}

#[test]
fn mautic_6_may_use_either_mysql() {
    for version in ["8.0", "8.4"] {
        let mut given = minimal("dev");
        given.extend(owned(&[("MauticVersion", "6.0"), ("DatabaseVersion", version)]));
        assert_eq!(refusals(&TEMPLATES, &given).unwrap(), [] as [&str; 0], "{version}");
    }
}

/// The oracle itself: a model that accepted everything would make every other suite worthless.
#[test]
fn values_that_cloudformation_refuses_are_refused() {
    let refused = |name: &str, value: &str| {
        let mut given = minimal("dev");
        given.extend(owned(&[(name, value)]));
        match Deployment::resolve(&TEMPLATES, "refused", &given) {
            Err(Refusal::Template(error)) => error.to_string(),
            other => panic!("{name}={value}: {other:?}"),
        }
    };
    assert_eq!(refused("Enviroment", "dev"), "mautic has no parameter Enviroment");
    let name = "mautic refuses Domain='Example': A lower-case domain name such as example.org.";
    assert_eq!(refused("Domain", "Example"), name);
    assert_eq!(
        refused("Environment", "live"),
        "mautic refuses Environment='live': one of [\"dev\", \"test\", \"prod\"]"
    );
    assert_eq!(
        refused("DatabaseGeneration", "1000"),
        "mautic refuses DatabaseGeneration='1000': MaxValue 999"
    );
    assert_eq!(
        refused("DatabaseGeneration", "one"),
        "mautic refuses DatabaseGeneration='one': a number"
    );
}

#[test]
fn a_required_parameter_is_required() {
    let mut given = minimal("dev");
    given.remove("Domain");
    let error = refusals(&TEMPLATES, &given).unwrap_err();
    assert_eq!(error.to_string(), "mautic requires Domain, which nobody gives");
}
