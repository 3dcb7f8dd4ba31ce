//! Prevents: a rule whose description EC2 refused at the end of a long deployment; a path that was open on one side only,
//! or to everybody.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::parameters::matches;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder, Resource};

/// EC2's own set, for descriptions of groups and of rules; 255 characters at most.
const DESCRIPTION: &str = r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const LOOPBACK: &str = "127.0.0.1/32";
const ANYWHERE: &str = "0.0.0.0/0";
const HTTPS: u64 = 443;
const SMTP: u64 = 587;

/// Source, destination, port. Groups by the part that they belong to.
type Path = (String, String, u64);

fn path(source: &str, destination: &str, port: u64) -> Path {
    (source.to_owned(), destination.to_owned(), port)
}

/// The paths that exist: what is not listed here must not be open.
fn inside() -> BTreeSet<Path> {
    let mut paths = BTreeSet::from([path("LoadBalancer", "Web", 8080)]);
    for source in ["Web", "Job", "Function"] {
        paths.insert(path(source, "Database", 3306));
        paths.insert(path(source, "Cache", 6379));
    }
    for source in ["Web", "Job"] {
        paths.insert(path(source, "FileSystem", 2049));
    }
    paths
}

fn inwards() -> BTreeSet<Path> {
    [80, HTTPS].map(|port| path(ANYWHERE, "LoadBalancer", port)).into()
}

fn outwards() -> BTreeSet<Path> {
    let sources = ["Web", "Job", "Function"];
    sources
        .into_iter()
        .flat_map(|source| [HTTPS, SMTP].map(|port| path(source, ANYWHERE, port)))
        .collect()
}

fn to_endpoints(deployment: &Deployment) -> BTreeSet<Path> {
    let (https, smtp): (&[&str], &[&str]) = match deployment.parameter("InterfaceEndpoints").as_str() {
        "none" => (&[], &[]),
        "functions" => (&["Web", "Job", "Function"], &[]),
        _ => (&["Web", "Job", "Function"], &["Web", "Job"]),
    };
    let https = https.iter().map(|source| path(source, "Endpoint", HTTPS));
    https
        .chain(smtp.iter().map(|source| path(source, "Endpoint", SMTP)))
        .collect()
}

/// The part whose security group this is, or the address range as it stands.
fn group(value: &Value) -> String {
    let text = value.text();
    let owner = Placeholder::parse(&text).filter(|found| found.module == "security-groups");
    let part = owner.and_then(|found| found.logical_id.strip_suffix("SecurityGroup").map(str::to_owned));
    part.unwrap_or(text)
}

/// A port, or 0 for a range, which no path here has.
fn port(rule: &Value) -> u64 {
    let (from, to) = (rule.at("FromPort").as_u64(), rule.at("ToPort").as_u64());
    if from == to { from.unwrap_or_default() } else { 0 }
}

/// Rules of one direction: those in the groups, and those that are resources.
fn rules<'a>(deployment: &'a Deployment, list: &str, kind: &str) -> Vec<(&'a Resource, Value, &'a Value)> {
    let mut found = Vec::new();
    for owner in deployment.of_type(&[GROUP]) {
        let own = json!(owner.reference());
        found.extend(
            owner
                .properties
                .at(list)
                .listed()
                .into_iter()
                .map(|rule| (owner, own.clone(), rule)),
        );
    }
    for resource in deployment.of_type(&[kind]) {
        found.push((
            resource,
            resource.properties.at("GroupId").clone(),
            &resource.properties,
        ));
    }
    found
}

/// The other side of a rule: the first that is given.
fn peer<'a>(rule: &'a Value, names: &[&str]) -> &'a Value {
    names
        .iter()
        .map(|name| rule.at(name))
        .find(|value| !value.is_null())
        .unwrap_or(&Value::Null)
}

/// Every way out that a group has.
pub fn egress(deployment: &Deployment) -> BTreeSet<Path> {
    let rules = rules(deployment, "SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress");
    let paths = rules.into_iter().map(|(_, own, rule)| {
        let peer = peer(
            rule,
            &[
                "DestinationSecurityGroupId",
                "DestinationPrefixListId",
                "CidrIpv6",
                "CidrIp",
            ],
        );
        (group(&own), group(peer), port(rule))
    });
    paths.filter(|(_, destination, _)| destination != LOOPBACK).collect()
}

/// Every way in.
fn ingress(deployment: &Deployment) -> BTreeSet<Path> {
    let rules = rules(deployment, "SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress");
    let paths = rules.into_iter().map(|(_, own, rule)| {
        let peer = peer(
            rule,
            &["SourceSecurityGroupId", "SourcePrefixListId", "CidrIpv6", "CidrIp"],
        );
        (group(peer), group(&own), port(rule))
    });
    paths.collect()
}

fn described(deployment: &Deployment) -> Vec<Finding> {
    let directions = [
        ("SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress"),
        ("SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress"),
    ];
    let rules = directions.iter().flat_map(|(list, kind)| rules(deployment, list, kind));
    let texts = rules.map(|(resource, _, rule)| (resource, rule.at("Description").text()));
    let groups = deployment
        .of_type(&[GROUP])
        .map(|one| (one, one.properties.at("GroupDescription").text()));
    texts
        .chain(groups)
        .filter(|(_, text)| !matches(DESCRIPTION, text))
        .map(|(resource, text)| Finding::new(resource, format!("description {text:?}")))
        .collect()
}

#[test]
fn every_rule_is_described_in_characters_that_ec2_takes() {
    let file = "modules/security-groups.yaml";
    proven(
        described,
        &Seed::set(
            file,
            "Resources/DatabaseFromWeb/Properties/Description",
            json!("Web's way to MySQL"),
        ),
        "security-groups: DatabaseFromWeb (AWS::EC2::SecurityGroupIngress): description \"Web's way to MySQL\"",
    );
    proven(
        described,
        &Seed::remove(
            file,
            "Resources/WebSecurityGroup/Properties/SecurityGroupEgress/0/Description",
        ),
        "security-groups: WebSecurityGroup (AWS::EC2::SecurityGroup): description \"\"",
    );
}

#[test]
fn every_group_is_described_in_characters_that_ec2_takes() {
    proven(
        described,
        &Seed::set(
            "modules/security-groups.yaml",
            "Resources/WebSecurityGroup/Properties/GroupDescription",
            json!("Mautic – web"),
        ),
        "security-groups: WebSecurityGroup (AWS::EC2::SecurityGroup): description \"Mautic – web\"",
    );
}

fn differences(what: &str, found: &BTreeSet<Path>, wanted: &BTreeSet<Path>) -> Vec<Finding> {
    let name = |(source, destination, port): &Path| format!("{what} {source} to {destination} on {port}");
    let open = found
        .difference(wanted)
        .map(|path| Finding::new(name(path), "is open and not listed"));
    open.chain(
        wanted
            .difference(found)
            .map(|path| Finding::new(name(path), "is listed and closed")),
    )
    .collect()
}

fn as_listed(deployment: &Deployment) -> Vec<Finding> {
    let wanted_in: BTreeSet<Path> = inside()
        .into_iter()
        .chain(inwards())
        .chain(to_endpoints(deployment))
        .collect();
    let wanted_out: BTreeSet<Path> = inside().into_iter().chain(outwards()).collect();
    let mut found = differences("in: ", &ingress(deployment), &wanted_in);
    found.extend(differences("out:", &egress(deployment), &wanted_out));
    found
}

#[test]
fn the_open_paths_are_exactly_the_listed_ones() {
    let file = "modules/security-groups.yaml";
    let ssh = json!({"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": {"Ref": "WebSecurityGroup"}, "FromPort": 22, "ToPort": 22, "SourceSecurityGroupId": {"Ref": "JobSecurityGroup"},
    }});
    proven(
        as_listed,
        &Seed::set(file, "Resources/WebFromJob", ssh),
        "in:  Job to Web on 22: is open and not listed",
    );
    proven(
        as_listed,
        &Seed::set(
            file,
            "Resources/WebSecurityGroup/Properties/SecurityGroupEgress/0/ToPort",
            json!(3400),
        ),
        "out: Web to Database on 0: is open and not listed",
    );
    proven(
        as_listed,
        &Seed::remove(file, "Resources/DatabaseFromWeb"),
        "in:  Web to Database on 3306: is listed and closed",
    );
}

fn open_at_both_ends(deployment: &Deployment) -> Vec<Finding> {
    let out = egress(deployment);
    let closed = ingress(deployment).into_iter().filter(|(source, destination, port)| {
        let to_all = path(source, ANYWHERE, *port);
        source != ANYWHERE && !out.contains(&path(source, destination, *port)) && !out.contains(&to_all)
    });
    closed
        .map(|(source, destination, port)| {
            Finding::new(
                format!("{source} to {destination}"),
                format!("{port} is closed at the source"),
            )
        })
        .collect()
}

#[test]
fn a_path_into_a_group_is_open_at_its_source_as_well() {
    proven(
        open_at_both_ends,
        &Seed::remove(
            "modules/security-groups.yaml",
            "Resources/WebSecurityGroup/Properties/SecurityGroupEgress/0",
        ),
        "Web to Database: 3306 is closed at the source",
    );
}

fn public(deployment: &Deployment) -> Vec<Finding> {
    let ways = ingress(deployment)
        .into_iter()
        .filter(|(source, ..)| source == ANYWHERE || source == "::/0");
    ways.filter(|way| !inwards().contains(way))
        .map(|(_, destination, port)| Finding::new(destination, format!("is open to the internet on {port}")))
        .collect()
}

#[test]
fn only_the_load_balancers_80_and_443_are_open_to_the_internet() {
    let rule = json!({"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": {"Ref": "DatabaseSecurityGroup"}, "FromPort": 3306, "ToPort": 3306, "CidrIp": "0.0.0.0/0",
    }});
    proven(
        public,
        &Seed::set("modules/security-groups.yaml", "Resources/DatabaseFromAll", rule),
        "Database: is open to the internet on 3306",
    );
    let rule = json!({"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": {"Ref": "WebSecurityGroup"}, "FromPort": 8080, "ToPort": 8080, "CidrIpv6": "::/0",
    }});
    proven(
        public,
        &Seed::set("modules/security-groups.yaml", "Resources/WebFromAll", rule),
        "Web: is open to the internet on 8080",
    );
}

fn publicly_placed(deployment: &Deployment) -> Vec<Finding> {
    let flags = ["PubliclyAccessible", "MapPublicIpOnLaunch", "AssignPublicIp"];
    let mut found = Vec::new();
    for resource in deployment.resources() {
        for (path, value) in resource.properties.scalars() {
            let is_flag = path.rsplit('/').next().is_some_and(|name| flags.contains(&name));
            if is_flag && (value.is_true() || value == "ENABLED") {
                found.push(Finding::new(resource, format!("{path} is {value}")));
            }
        }
    }
    found
}

#[test]
fn nothing_but_the_load_balancer_has_a_public_address() {
    proven(
        publicly_placed,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInstance/Properties/PubliclyAccessible",
            json!(true),
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): /PubliclyAccessible is true",
    );
}
