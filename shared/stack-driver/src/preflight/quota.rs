//! Whether the account has room for what a new stack needs.

use crate::aws_query::{Answer, NoAnswer};
use crate::preflight::finding::Finding;
use crate::settings::Settings;
use std::collections::BTreeSet;

const CHECK: &str = "quotas";

/// A quota that a new stack can meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// It matters where a template has a resource of this type.
    pub resource_type: &'static str,
    /// What is counted.
    pub what: &'static str,
    /// As Service Quotas names the service.
    pub service: &'static str,
    /// As Service Quotas names the quota.
    pub code: &'static str,
    /// How many the stack takes at least.
    pub need: f64,
    /// The question of the AWS CLI whose answer lists what is there, and the list's name; none where nothing lists it.
    pub count: Option<(&'static [&'static str], &'static str)>,
}

const fn counted(
    resource_type: &'static str,
    what: &'static str,
    (service, code): (&'static str, &'static str),
    count: (&'static [&'static str], &'static str),
) -> Quota {
    Quota {
        resource_type,
        what,
        service,
        code,
        need: 1.0,
        count: Some(count),
    }
}

const ADDRESS: &str = "AWS::EC2::EIP";

/// New accounts begin with five VPCs and five addresses a region, and with few vCPUs: these are the quotas that are met first.
const QUOTAS: [Quota; 6] = [
    counted(
        "AWS::EC2::VPC",
        "VPCs",
        ("vpc", "L-F678F1CE"),
        (&["ec2", "describe-vpcs"], "Vpcs"),
    ),
    counted(
        "AWS::EC2::InternetGateway",
        "internet gateways",
        ("vpc", "L-A4707A72"),
        (&["ec2", "describe-internet-gateways"], "InternetGateways"),
    ),
    counted(
        ADDRESS,
        "elastic IP addresses",
        ("ec2", "L-0263D0A3"),
        (&["ec2", "describe-addresses"], "Addresses"),
    ),
    counted(
        "AWS::RDS::DBInstance",
        "database instances",
        ("rds", "L-7B6409FD"),
        (&["rds", "describe-db-instances"], "DBInstances"),
    ),
    counted(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "load balancers",
        ("elasticloadbalancing", "L-53DA6B97"),
        (&["elbv2", "describe-load-balancers"], "LoadBalancers"),
    ),
    // Two web tasks of one vCPU, a worker, a job that runs beside them: and as many again while a release is rolled out.
    Quota {
        resource_type: "AWS::ECS::Service",
        what: "Fargate vCPUs",
        service: "fargate",
        code: "L-3032A538",
        need: 8.0,
        count: None,
    },
];

/// The quotas that a new stack of these types and parameters meets.
#[must_use]
pub fn met(types: &BTreeSet<String>, settings: &Settings) -> Vec<Quota> {
    let own_network = settings.get("VpcId").is_none();
    let gateways = if own_network { nat_gateways(settings) } else { 0.0 };
    QUOTAS
        .into_iter()
        .filter(|quota| types.contains(quota.resource_type))
        .filter(|quota| own_network || quota.service != "vpc")
        .map(|quota| match quota.resource_type {
            ADDRESS => Quota {
                need: gateways,
                ..quota
            },
            _ => quota,
        })
        .filter(|quota| quota.need > 0.0)
        .collect()
}

/// How many NAT gateways a new network has, each with an address of its own: blank is one a zone in prod, one elsewhere.
fn nat_gateways(settings: &Settings) -> f64 {
    let by_environment = if settings.get("Environment") == Some("prod") {
        "one-a-zone"
    } else {
        "one"
    };
    match settings.get("NatGateways").unwrap_or(by_environment) {
        "none" => 0.0,
        "one-a-zone" => settings
            .get("ZoneCount")
            .and_then(|zones| zones.parse().ok())
            .unwrap_or(2.0),
        _ => 1.0,
    }
}

/// What was read of a quota: its limit, and how many there are where they can be counted.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which.
    pub quota: Quota,
    /// `service-quotas get-service-quota`.
    pub limit: Answer,
    /// The list.
    pub used: Option<Answer>,
}

/// Judges the readings: one line for all that have room, one for each that has not.
#[must_use]
pub fn judge(readings: &[Reading]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut room = Vec::new();
    let mut unread: Vec<(&str, String)> = Vec::new();
    for reading in readings {
        match figures(reading) {
            Ok((limit, used)) => match short(&reading.quota, limit, used) {
                Some(finding) => findings.push(finding),
                None => room.push(fits(&reading.quota, limit, used)),
            },
            Err(cause) => unread.push((reading.quota.what, cause.to_string())),
        }
    }
    if !room.is_empty() {
        findings.insert(0, Finding::fine(CHECK, format!("There is room: {}.", room.join(", "))));
    }
    if let Some((_, cause)) = unread.first() {
        let names: Vec<&str> = unread.iter().map(|(what, _)| *what).collect();
        findings.push(Finding::warning(
            CHECK,
            format!("Not read, so look at them in Service Quotas: {}.", names.join(", ")),
            format!("The answer: {cause}. Reading takes servicequotas:GetServiceQuota and the Describe calls of these services."),
        ));
    }
    findings
}

fn figures(reading: &Reading) -> Result<(f64, Option<f64>), NoAnswer> {
    let limit = reading.limit.clone()?["Quota"]["Value"]
        .as_f64()
        .ok_or_else(|| NoAnswer::Failed("the quota has no value".to_owned()))?;
    let (Some(answer), Some((_, list))) = (&reading.used, reading.quota.count) else {
        return Ok((limit, None));
    };
    let used = answer.clone()?[list].as_array().map_or(0, Vec::len);
    // No list is anywhere near 2^32 long.
    Ok((limit, Some(f64::from(u32::try_from(used).unwrap_or(u32::MAX)))))
}

fn fits(quota: &Quota, limit: f64, used: Option<f64>) -> String {
    match used {
        Some(used) => format!("{used} of {limit} {}", quota.what),
        None => format!("up to {limit} {}", quota.what),
    }
}

/// More than four fifths of a limit are near it.
const NEAR: f64 = 0.8;

fn short(quota: &Quota, limit: f64, used: Option<f64>) -> Option<Finding> {
    let Quota { what, need, .. } = *quota;
    let raise = format!(
        "Ask for more, which can take a day: `aws service-quotas request-service-quota-increase --service-code {} --quota-code {} \
         --desired-value {}`.",
        quota.service,
        quota.code,
        (limit * 2.0).max(need)
    );
    let Some(used) = used else {
        return (limit < need).then(|| {
            let text = format!(
                "This account may run {limit} {what} at once, and the stack with its releases wants about {need}."
            );
            Finding::warning(CHECK, text, raise)
        });
    };
    if used + need > limit {
        let text = format!("{used} of {limit} {what} are in use; the stack needs {need} more.");
        return Some(Finding::stop(CHECK, text, raise));
    }
    (used + need > limit * NEAR).then(|| {
        let text = format!("{used} of {limit} {what} are in use; with the stack {}.", used + need);
        Finding::warning(CHECK, text, raise)
    })
}

/// The words that ask for a quota's limit.
#[must_use]
pub fn limit_question(quota: &Quota) -> [&'static str; 6] {
    [
        "service-quotas",
        "get-service-quota",
        "--service-code",
        quota.service,
        "--quota-code",
        quota.code,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Inputs;
    use crate::template::Template;
    use serde_json::json;

    fn reading(quota: usize, limit: f64, used: usize) -> Reading {
        let quota = QUOTAS[quota];
        Reading {
            quota,
            limit: Ok(json!({"Quota": {"Value": limit}})),
            used: quota.count.map(|(_, list)| Ok(json!({ list: vec![json!({}); used] }))),
        }
    }

    fn texts(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|finding| format!("{:?}: {}", finding.weight, finding.text))
            .collect()
    }

    #[test]
    fn what_has_room_stands_on_one_line_and_what_has_not_on_its_own() {
        let readings = [
            reading(0, 5.0, 2),
            reading(2, 5.0, 5),
            reading(3, 40.0, 1),
            reading(1, 5.0, 4),
        ];
        assert_eq!(
            texts(&judge(&readings)),
            [
                "Fine: There is room: 2 of 5 VPCs, 1 of 40 database instances.",
                "Stop: 5 of 5 elastic IP addresses are in use; the stack needs 1 more.",
                "Warning: 4 of 5 internet gateways are in use; with the stack 5.",
            ]
        );
        assert_eq!(
            judge(&readings)[1].remedy,
            "Ask for more, which can take a day: `aws service-quotas request-service-quota-increase --service-code ec2 --quota-code \
             L-0263D0A3 --desired-value 10`."
        );
    }

    #[test]
    fn what_nothing_lists_is_compared_with_what_the_stack_wants() {
        assert_eq!(
            texts(&judge(&[reading(5, 6.0, 0)])),
            ["Warning: This account may run 6 Fargate vCPUs at once, and the stack with its releases wants about 8."]
        );
        assert_eq!(
            texts(&judge(&[reading(5, 100.0, 0)])),
            ["Fine: There is room: up to 100 Fargate vCPUs."]
        );
    }

    #[test]
    fn quotas_that_cannot_be_read_are_named_once() {
        let unread = |quota: usize| Reading {
            limit: Err(NoAnswer::Refused {
                code: "AccessDeniedException".to_owned(),
                message: "not yours".to_owned(),
            }),
            ..reading(quota, 5.0, 1)
        };
        assert_eq!(
            texts(&judge(&[unread(0), unread(3)])),
            ["Warning: Not read, so look at them in Service Quotas: VPCs, database instances."]
        );
    }

    /// The quotas that a stack with these parameters meets.
    fn met_with(parameters: &[&str]) -> Vec<Quota> {
        let names = ["VpcId", "NatGateways", "Environment", "ZoneCount"];
        let declared = names
            .map(|name| format!("  {name}: {{Type: String, Default: ''}}\n"))
            .concat();
        let body = format!("Parameters:\n{declared}Resources:\n  T: {{Type: AWS::SNS::Topic}}\n");
        let template = Template::parse("t.yaml", &body).expect("parses");
        let given: Vec<String> = parameters.iter().map(|&text| text.to_owned()).collect();
        let inputs = Inputs::merge(None, &given, &[]).expect("merges");
        let types = ["AWS::EC2::VPC", ADDRESS, "AWS::RDS::DBInstance"].map(str::to_owned);
        met(&types.into(), &Settings::resolve(&template, &inputs, None))
    }

    #[test]
    fn each_nat_gateway_takes_an_address() {
        let addresses = |parameters: &[&str]| {
            let found = met_with(parameters)
                .into_iter()
                .find(|quota| quota.resource_type == ADDRESS);
            found.map(|quota| quota.need.to_string())
        };
        let needs = [
            addresses(&[]),
            addresses(&["Environment=prod"]),
            addresses(&["Environment=prod", "ZoneCount=3"]),
            addresses(&["Environment=prod", "ZoneCount=3", "NatGateways=one"]),
            addresses(&["Environment=dev", "ZoneCount=3", "NatGateways=one-a-zone"]),
            addresses(&["NatGateways=none"]),
        ];
        let texts = needs.map(Option::unwrap_or_default);
        assert_eq!(texts, ["1", "2", "3", "1", "3", ""]);
    }

    #[test]
    fn only_what_the_stack_makes_is_looked_at() {
        let names =
            |parameters: &[&str]| -> Vec<&str> { met_with(parameters).iter().map(|quota| quota.what).collect() };
        assert_eq!(names(&[]), ["VPCs", "elastic IP addresses", "database instances"]);
        assert_eq!(names(&["NatGateways=none"]), ["VPCs", "database instances"]);
        assert_eq!(names(&["VpcId=vpc-1"]), ["database instances"]);
    }
}
