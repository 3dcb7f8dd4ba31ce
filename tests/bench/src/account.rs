//! An AWS account in memory, as far as the jobs see one: two secrets, an SES identity, a hosted zone, a stack.
//!
//! It answers with the least that the SDKs accept, and remembers what it is told: ses-domain looks again until nothing is
//! left to do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::secret::{ROTATED_ARN, Rotated};

/// What there is.
#[derive(Default)]
pub struct Account {
    secret: String,
    rotated: Rotated,
    identity: Option<Identity>,
    /// Each record set as the XML that wrote it, by `TYPE NAME`.
    records: BTreeMap<String, String>,
}

#[derive(Default)]
struct Identity {
    tags: Vec<Value>,
    mail_from: Option<String>,
}

impl Account {
    /// An empty account with one secret.
    #[must_use]
    pub fn with_secret(secret: String) -> Self {
        Self {
            secret,
            ..Self::default()
        }
    }

    /// Lets a rotation of the other secret begin, which holds this now.
    pub fn begin_rotation(&mut self, current: String) {
        self.rotated = Rotated::begun(current);
    }

    /// The secret that is rotated.
    #[must_use]
    pub fn rotated(&self) -> &Rotated {
        &self.rotated
    }

    /// The record sets in the zone, as `TYPE NAME`, sorted.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        self.records.keys().cloned().collect()
    }

    /// Answers one call.
    pub fn answer(&mut self, request: &Request) -> Response {
        let path = request.target.split('?').next().unwrap_or_default();
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match request.operation.as_str() {
            "secretsmanager.GetSecretValue" if sent["SecretId"] != ROTATED_ARN => self.secret(),
            operation if operation.starts_with("secretsmanager.") => {
                let operation = operation.trim_start_matches("secretsmanager.");
                self.rotated.answer(operation, &sent)
            }
            _ if path.starts_with("/v2/email/") => self.ses(request, path.trim_start_matches("/v2/email/")),
            _ if path.starts_with("/2013-04-01/") => self.route53(request, path),
            _ => stack_resource(),
        }
    }

    fn secret(&self) -> Response {
        let body = json!({"ARN": crate::jobs::SECRET_ARN, "Name": "bench", "VersionId": "v1", "SecretString": self.secret, "VersionStages": ["AWSCURRENT"]});
        Response::ok(body.to_string()).header("content-type", "application/x-amz-json-1.1")
    }

    fn ses(&mut self, request: &Request, path: &str) -> Response {
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let tags = || sent["Tags"].as_array().cloned().unwrap_or_default();
        let body = match (request.method.as_str(), path) {
            ("GET", "account") => json!({"ProductionAccessEnabled": false, "SendingEnabled": true}),
            ("POST", "identities") => {
                let made = Identity {
                    tags: tags(),
                    mail_from: None,
                };
                self.identity.insert(made).described()
            }
            ("POST", "tags") => {
                let identity = self.identity.get_or_insert_default();
                let keys: Vec<_> = tags().iter().map(|tag| tag["Key"].clone()).collect();
                identity.tags.retain(|tag| !keys.contains(&tag["Key"]));
                identity.tags.append(&mut tags());
                json!({})
            }
            ("PUT", path) if path.ends_with("/mail-from") => {
                self.identity.get_or_insert_default().mail_from = sent["MailFromDomain"].as_str().map(str::to_owned);
                json!({})
            }
            _ => match &self.identity {
                Some(identity) => identity.described(),
                None => {
                    return Response::status(404, json!({"message": "not found"}).to_string())
                        .header("x-amzn-errortype", "NotFoundException");
                }
            },
        };
        Response::ok(body.to_string()).header("content-type", "application/json")
    }

    fn route53(&mut self, request: &Request, path: &str) -> Response {
        let (element, body) = match request.method.as_str() {
            "POST" => {
                self.write(&String::from_utf8_lossy(&request.body));
                ("ChangeResourceRecordSetsResponse", CHANGE.to_owned())
            }
            _ if path.ends_with("/rrset") => {
                let sets = self.record_sets(&request.target);
                let page = format!(
                    "<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"
                );
                ("ListResourceRecordSetsResponse", page)
            }
            _ => ("GetHostedZoneResponse", format!("<HostedZone>{ZONE}</HostedZone>")),
        };
        xml(element, "https://route53.amazonaws.com/doc/2013-04-01/", &body)
    }

    /// The record sets from the name on that a listing starts at, in Route 53's order: by labels from the right.
    fn record_sets(&self, target: &str) -> String {
        let start = target.split_once("name=").map_or("", |(_, rest)| rest);
        let start = from_the_right(start.split('&').next().unwrap_or_default());
        let name = |key: &str| from_the_right(key.split_once(' ').map_or("", |(_, name)| name));
        let listed = self.records.iter().map(|(key, set)| (name(key), set));
        let mut listed: Vec<_> = listed.filter(|(name, _)| *name >= start).collect();
        listed.sort();
        listed.into_iter().map(|(_, set)| set.as_str()).collect()
    }

    /// Takes the record sets of a batch that creates or upserts.
    fn write(&mut self, batch: &str) {
        for set in batch.split("<ResourceRecordSet>").skip(1) {
            let set = set.split("</ResourceRecordSet>").next().unwrap_or_default();
            let name = element(set, "Name").trim_end_matches('.');
            self.records.insert(
                format!("{} {name}", element(set, "Type")),
                format!("<ResourceRecordSet>{set}</ResourceRecordSet>"),
            );
        }
    }
}

impl Identity {
    fn described(&self) -> Value {
        let mut described = json!({
            "IdentityType": "DOMAIN", "VerifiedForSendingStatus": false, "Tags": self.tags,
            "DkimAttributes": {"Tokens": ["tokenone", "tokentwo", "tokenthree"], "Status": "PENDING", "SigningEnabled": true},
        });
        if let Some(domain) = &self.mail_from {
            described["MailFromAttributes"] = json!({"MailFromDomain": domain, "MailFromDomainStatus": "PENDING", "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"});
        }
        described
    }
}

const ZONE: &str = "<Id>/hostedzone/ZBENCH</Id><Name>example.org.</Name><CallerReference>bench</CallerReference>\
    <Config><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>0</ResourceRecordSetCount>";
const CHANGE: &str = "<ChangeInfo><Id>/change/CBENCH</Id><Status>INSYNC</Status><SubmittedAt>2026-11-23T00:00:00Z</SubmittedAt></ChangeInfo>";

/// CloudFormation's answer to whoever asks whether the resource is still wanted.
fn stack_resource() -> Response {
    let detail = "<StackResourceDetail><LogicalResourceId>Bench</LogicalResourceId><ResourceType>Custom::Bench</ResourceType>\
        <ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus><LastUpdatedTimestamp>2026-11-23T00:00:00Z</LastUpdatedTimestamp>\
        </StackResourceDetail>";
    let body = format!("<DescribeStackResourceResult>{detail}</DescribeStackResourceResult>");
    xml(
        "DescribeStackResourceResponse",
        "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        &body,
    )
}

fn xml(element: &str, namespace: &str, body: &str) -> Response {
    let text = format!("<?xml version=\"1.0\"?><{element} xmlns=\"{namespace}\">{body}</{element}>");
    Response::ok(text).header("content-type", "text/xml")
}

fn from_the_right(name: &str) -> Vec<String> {
    name.split('.').rev().map(str::to_owned).collect()
}

/// The text of the first element `name` in `xml`.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let after = xml.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
    after.split('<').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(account: &mut Account, method: &str, target: &str, body: &str) -> Response {
        account.answer(&Request {
            method: method.to_owned(),
            target: target.to_owned(),
            operation: String::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn record_sets_that_were_written_are_there() {
        let set = "<ResourceRecordSet><Name>a.example.org.</Name><Type>CNAME</Type><TTL>300</TTL></ResourceRecordSet>";
        let mut account = Account::default();
        let zone = "/2013-04-01/hostedzone/ZBENCH/rrset";
        send(
            &mut account,
            "POST",
            zone,
            &format!("<Change><Action>CREATE</Action>{set}</Change>"),
        );
        assert_eq!(account.records(), ["CNAME a.example.org"]);
        let listed =
            |account: &mut Account, name| send(account, "GET", &format!("{zone}?name={name}&maxitems=300"), "").body;
        for (start, found) in [("a.example.org", true), ("example.org", true), ("b.example.org", false)] {
            assert_eq!(listed(&mut account, start).contains(set), found, "{start}");
        }
    }

    #[test]
    fn an_identity_is_missing_until_it_is_made_and_keeps_its_tags() {
        let mut account = Account::default();
        let identity = "/v2/email/identities/example.org";
        assert_eq!(send(&mut account, "GET", identity, "").status, 404);
        send(
            &mut account,
            "POST",
            "/v2/email/identities",
            r#"{"Tags": [{"Key": "a", "Value": "1"}]}"#,
        );
        send(
            &mut account,
            "POST",
            "/v2/email/tags",
            r#"{"Tags": [{"Key": "a", "Value": "2"}]}"#,
        );
        let found: Value = serde_json::from_str(&send(&mut account, "GET", identity, "").body).unwrap();
        assert_eq!(found["Tags"], json!([{"Key": "a", "Value": "2"}]));
    }
}
