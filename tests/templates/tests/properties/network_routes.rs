//! Prevents: a function that could not answer CloudFormation because nothing led out of its subnet; a database that the
//! internet could be routed to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::network_paths::egress;
use crate::support::{each, of_one, set, unless};

const SUBNET: &str = "AWS::EC2::Subnet";
const FUNCTION: &str = "AWS::Lambda::Function";

/// Route table -> where its default route leads.
fn default_routes(deployment: &Deployment) -> BTreeMap<String, String> {
    let routes = deployment.of_type(&["AWS::EC2::Route"]).map(|route| {
        let ways = ["NatGatewayId", "GatewayId"].map(|name| route.properties.at(name).text());
        (route.properties.at("RouteTableId").text(), ways.concat())
    });
    routes.collect()
}

fn leads_where_it_says(deployment: &Deployment) -> Vec<Finding> {
    let routes = default_routes(deployment);
    let tables: BTreeMap<String, String> = deployment
        .of_type(&["AWS::EC2::SubnetRouteTableAssociation"])
        .map(|one| {
            (
                one.properties.at("SubnetId").text(),
                one.properties.at("RouteTableId").text(),
            )
        })
        .collect();
    each(deployment, &[SUBNET], |subnet| {
        let way = tables
            .get(&subnet.reference())
            .and_then(|table| routes.get(table))
            .map_or("nowhere", String::as_str);
        let has_nat = deployment.parameter("NatGateways") != "none";
        let wanted = match subnet.logical_id.split("Subnet").next() {
            Some("Public") => "<networking.InternetGateway>",
            Some("Private") if has_nat => "<networking.NatGateway",
            _ => "nowhere",
        };
        unless(way.starts_with(wanted), || format!("leads to {way}"))
    })
}

#[test]
fn every_subnet_of_a_new_network_has_the_way_that_its_name_says() {
    proven(
        leads_where_it_says,
        &Seed::set(
            "modules/networking.yaml",
            "Resources/IsolatedSubnetRoutingA/Properties/RouteTableId",
            json!({"Ref": "PublicRouteTable"}),
        ),
        "networking: IsolatedSubnetA (AWS::EC2::Subnet): leads to <networking.InternetGateway>",
    );
    proven(
        leads_where_it_says,
        &Seed::remove("modules/networking.yaml", "Resources/PrivateRouteB"),
        "networking: PrivateSubnetB (AWS::EC2::Subnet): leads to nowhere",
    );
}

fn gateways(deployment: &Deployment) -> Vec<Finding> {
    let zones = set(deployment
        .of_type(&[SUBNET])
        .map(|subnet| subnet.properties.at("AvailabilityZone").text()))
    .len();
    let made = deployment.of_type(&["AWS::EC2::NatGateway"]).count();
    let wanted = match (
        deployment.parameter("NatGateways").as_str(),
        deployment.environment().as_str(),
    ) {
        _ if zones == 0 => 0,
        ("none", _) => 0,
        ("one-a-zone", _) | ("", "prod") => zones,
        _ => 1,
    };
    let wrong = unless(made == wanted, || {
        format!("{made} gateways in {zones} zones, not {wanted}")
    });
    of_one("NAT", wrong)
}

#[test]
fn production_has_a_nat_gateway_in_each_zone_of_its_network() {
    proven(
        gateways,
        &Seed::set(
            "modules/networking.yaml",
            "Resources/NatGatewayB/Condition",
            json!("HasNatInThirdZone"),
        )
        .and_set(
            "modules/networking.yaml",
            "Conditions/HasNatPerZone",
            json!({"Fn::And": [{"Condition": "IsNewVpc"}, {"Fn::Equals": [{"Ref": "NatGateways"}, "one-a-zone"]}]}),
        ),
        "NAT: 1 gateways in 2 zones, not 2",
    );
}

fn s3_is_near(deployment: &Deployment) -> Vec<Finding> {
    let gateways = deployment.of_type(&["AWS::EC2::VPCEndpoint"]);
    let gateways = gateways.filter(|endpoint| endpoint.properties.at("VpcEndpointType") == "Gateway");
    let served = set(gateways.flat_map(|endpoint| endpoint.properties.at("RouteTableIds").texts()));
    let mut found = each(deployment, &["AWS::EC2::RouteTable"], |table| {
        unless(served.contains(&table.reference()), || {
            "S3 is not reached: custom resources could not answer".to_owned()
        })
    });
    let given = deployment.parameter("RouteTableIds");
    if !given.is_empty() && served != set(given.split(',')) {
        found.push(Finding::new("S3 endpoint", format!("serves {served:?}, not {given}")));
    }
    found
}

#[test]
fn s3_is_reached_through_its_gateway_from_every_subnet_of_a_new_network() {
    proven(
        s3_is_near,
        &Seed::remove(
            "modules/networking.yaml",
            "Resources/S3Endpoint/Properties/RouteTableIds/Fn::If/1/1",
        ),
        "networking: PrivateRouteTableA (AWS::EC2::RouteTable): S3 is not reached: custom resources could not answer",
    );
}

#[test]
fn s3_is_reached_from_the_route_tables_that_are_given() {
    proven(
        s3_is_near,
        &Seed::set(
            "modules/networking.yaml",
            "Resources/S3Endpoint/Properties/RouteTableIds/Fn::If/2",
            json!(["rtb-00000001"]),
        ),
        "S3 endpoint: serves {\"rtb-00000001\"}, not rtb-0000000a",
    );
}

fn apart(deployment: &Deployment) -> Vec<Finding> {
    let subnets: Vec<_> = deployment.of_type(&[SUBNET]).collect();
    let blocks = set(subnets.iter().map(|subnet| subnet.properties.at("CidrBlock").text()));
    let mut found = Vec::new();
    if blocks.len() != subnets.len() {
        found.push(Finding::new("subnets", "overlap"));
    }
    let wanted: usize = deployment.parameter("ZoneCount").parse().unwrap_or_default();
    for kind in ["Public", "Private", "Isolated"] {
        let own = subnets.iter().filter(|subnet| subnet.logical_id.starts_with(kind));
        let zones = set(own.map(|subnet| subnet.properties.at("AvailabilityZone").text())).len();
        if !subnets.is_empty() && zones != wanted {
            found.push(Finding::new(
                kind,
                format!("subnets lie in {zones} zones, not {wanted}"),
            ));
        }
    }
    found
}

#[test]
fn subnets_do_not_overlap() {
    let block = json!({"Fn::Select": [0, {"Fn::Cidr": [{"Ref": "VpcCidr"}, 16, 8]}]});
    let path = "Resources/PublicSubnetB/Properties/CidrBlock";
    proven(
        apart,
        &Seed::set("modules/networking.yaml", path, block),
        "subnets: overlap",
    );
}

#[test]
fn subnets_of_a_kind_lie_in_different_zones() {
    let path = "Resources/PrivateSubnetB/Properties/AvailabilityZone";
    proven(
        apart,
        &Seed::set("modules/networking.yaml", path, json!("eu-central-1a")),
        "Private: subnets lie in 1 zones, not 2",
    );
}

/// What the functions of each module call inside the network or through it: a part's port, or AWS services.
/// Secrets Manager and Lambda (its continuation) are what every custom resource's function in the network needs; S3 is
/// where CloudFormation waits for the answer.
const SERVICES: [&str; 3] = ["secretsmanager", "lambda", "s3"];
/// Module, part, port.
const PARTS: [(&str, &str, u64); 3] = [
    ("database-init", "Database", 3306),
    ("bounces", "Database", 3306),
    ("mautic-release", "Database", 3306),
];

fn reaches(deployment: &Deployment) -> Vec<Finding> {
    let (out, endpoints) = (egress(deployment), deployment.of_type(&["AWS::EC2::VPCEndpoint"]));
    let services = set(endpoints.map(|one| {
        one.properties
            .at("ServiceName")
            .text()
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned()
    }));
    each(deployment, &[FUNCTION], |function| {
        let groups = function.properties.at("VpcConfig/SecurityGroupIds").texts();
        if groups.is_empty() {
            return None;
        }
        let sources: BTreeSet<String> = groups
            .iter()
            .map(|group| {
                group
                    .trim_start_matches("<security-groups.")
                    .trim_end_matches("SecurityGroup>")
                    .to_owned()
            })
            .collect();
        let is_open = |destination: &str, port: u64| {
            out.iter()
                .any(|(source, to, on)| sources.contains(source) && to == destination && *on == port)
        };
        if !is_open("0.0.0.0/0", 443) {
            return Some("cannot reach AWS on 443".to_owned());
        }
        let part = PARTS.iter().find(|(module, ..)| *module == function.module);
        if let Some((_, part, port)) = part.filter(|(_, part, port)| !is_open(part, *port)) {
            return Some(format!("cannot reach {part} on {port}"));
        }
        let is_closed = deployment.parameter("NatGateways") == "none" && deployment.parameter("VpcId").is_empty();
        let missing: Vec<&&str> = SERVICES
            .iter()
            .filter(|service| !services.contains(**service))
            .collect();
        unless(!is_closed || missing.is_empty(), || {
            format!("without NAT there is no endpoint for {missing:?}")
        })
    })
}

#[test]
fn a_function_in_the_network_reaches_the_services_that_it_calls() {
    let text = "database-init: DatabaseInitFunction (AWS::Lambda::Function)";
    let rules = "Resources/FunctionSecurityGroup/Properties/SecurityGroupEgress";
    let file = "modules/security-groups.yaml";
    proven(
        reaches,
        &Seed::set(file, &format!("{rules}/2/ToPort"), json!(80)),
        &format!("{text}: cannot reach AWS on 443"),
    );
    proven(
        reaches,
        &Seed::remove(file, "Resources/SecretsManagerEndpoint"),
        &format!("{text}: without NAT there is no endpoint for [\"secretsmanager\"]"),
    );
}

#[test]
fn a_function_in_the_network_reaches_the_database() {
    proven(
        reaches,
        &Seed::remove(
            "modules/security-groups.yaml",
            "Resources/FunctionSecurityGroup/Properties/SecurityGroupEgress/0",
        ),
        "database-init: DatabaseInitFunction (AWS::Lambda::Function): cannot reach Database on 3306",
    );
}

/// Type, where it names its subnets, and the kind of subnet that it belongs in.
const PLACES: [(&str, &str, &str); 8] = [
    ("AWS::RDS::DBSubnetGroup", "SubnetIds", "IsolatedSubnetIds"),
    ("AWS::ElastiCache::SubnetGroup", "SubnetIds", "IsolatedSubnetIds"),
    (FUNCTION, "VpcConfig/SubnetIds", "PrivateSubnetIds"),
    (
        "AWS::ECS::Service",
        "NetworkConfiguration/AwsvpcConfiguration/Subnets",
        "PrivateSubnetIds",
    ),
    (
        "AWS::Scheduler::Schedule",
        "Target/EcsParameters/NetworkConfiguration/AwsvpcConfiguration/Subnets",
        "PrivateSubnetIds",
    ),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Subnets",
        "PublicSubnetIds",
    ),
    ("AWS::CodeBuild::Project", "VpcConfig/Subnets", "PrivateSubnetIds"),
    ("AWS::EC2::VPCEndpoint", "SubnetIds", "PrivateSubnetIds"),
];

fn stands_where_it_belongs(deployment: &Deployment) -> Vec<Finding> {
    let outputs = &deployment.module("networking").expect("a network").outputs;
    let judged = PLACES.iter().flat_map(|(kind, path, place)| {
        each(deployment, &[kind], |resource| {
            let subnets = resource.properties.at(path).text();
            let is_elsewhere = subnets != outputs.get(*place).map(Value::text).unwrap_or_default();
            unless(subnets.is_empty() || !is_elsewhere, || {
                format!("stands in {subnets}, not in {place}")
            })
        })
    });
    judged.collect()
}

#[test]
fn databases_stand_in_isolated_subnets_and_functions_in_private_ones() {
    proven(
        stands_where_it_belongs,
        &Seed::set(
            "mautic.yaml",
            "Resources/Database/Properties/Parameters/IsolatedSubnetIds",
            json!("subnet-1,subnet-2"),
        ),
        "database: SubnetGroup (AWS::RDS::DBSubnetGroup): stands in subnet-1,subnet-2, not in IsolatedSubnetIds",
    );
    let public = json!({"Fn::GetAtt": ["Networking", "Outputs.PublicSubnetIds"]});
    proven(
        stands_where_it_belongs,
        &Seed::set(
            "mautic.yaml",
            "Resources/Database/Properties/Parameters/PrivateSubnetIds",
            public,
        ),
        "database-init: DatabaseInitFunction (AWS::Lambda::Function): stands in \
         <networking.PublicSubnetA>,<networking.PublicSubnetB>, not in PrivateSubnetIds",
    );
}
