//! Whether the site's certificate is there, valid, in the stack's region and for the site's name.

use crate::aws_query::Answer;
use crate::preflight::finding::Finding;
use crate::preflight::zone::Wish;
use crate::settings::Settings;
use aws_sdk_cloudformation::primitives::{DateTime, DateTimeFormat};
use serde_json::Value;

const CHECK: &str = "certificate";
const DAY: i64 = 86_400;
/// ACM renews its own certificates 60 days before they end; one with fewer days than this is not renewed.
const TOO_FEW_DAYS: i64 = 30;

/// The name under which the site is reached: the parameter, or `mautic.` and the domain.
#[must_use]
pub fn site(settings: &Settings) -> Option<String> {
    let made = || settings.get("Domain").map(|domain| format!("mautic.{domain}"));
    settings.get("SiteDomain").map(str::to_owned).or_else(made)
}

/// What is said where no certificate is given.
#[must_use]
pub fn made(wish: Option<&Wish>, site: &str) -> Finding {
    if wish.is_some_and(Wish::is_here) {
        return Finding::fine(
            CHECK,
            format!("One for {site} comes with the stack, proven by a record in the zone."),
        );
    }
    Finding::stop(
        CHECK,
        format!(
            "One for {site} cannot be made: the records that prove the name would go into a zone that is not this account's."
        ),
        "Request it in ACM, make its records yourself, and set CertificateArn.",
    )
}

/// Judges `acm describe-certificate` at a moment, in seconds since the epoch.
#[must_use]
pub fn given(arn: &str, region: &str, site: &str, answer: &Answer, now: i64) -> Finding {
    let place = arn.split(':').nth(3).unwrap_or_default();
    if place != region {
        return Finding::stop(
            CHECK,
            format!(
                "CertificateArn is in {place}, the stack in {region}: a load balancer takes one of its own region only."
            ),
            format!("Request one for {site} in {region}."),
        );
    }
    let certificate = match answer {
        Ok(answer) => &answer["Certificate"],
        Err(error) if error.is(&["ResourceNotFoundException"]) => {
            let text = format!("There is no certificate {arn}.");
            return Finding::stop(
                CHECK,
                text,
                "Correct CertificateArn, or leave it blank for one that is made.",
            );
        }
        Err(error) => {
            let text = format!("{arn} could not be read: {error}.");
            return Finding::warning(CHECK, text, format!("It must be issued, and be for {site}."));
        }
    };
    judge(certificate, site, now)
}

fn judge(certificate: &Value, site: &str, now: i64) -> Finding {
    let status = certificate["Status"].as_str().unwrap_or("unknown");
    if status != "ISSUED" {
        let text = format!("It is {status}, not ISSUED: no load balancer takes it.");
        return Finding::stop(
            CHECK,
            text,
            "See in ACM what it waits for: mostly the record that proves the name.",
        );
    }
    let names = names(certificate);
    if !names.iter().any(|name| covers(name, site)) {
        let text = format!(
            "It is for {}, the site is {site}: browsers would refuse it.",
            names.join(", ")
        );
        return Finding::stop(
            CHECK,
            text,
            "Request one for the site's name, or set SiteDomain to a name that it has.",
        );
    }
    let left = expiry(certificate).map(|end| (end - now) / DAY);
    match left {
        Some(days) if days < 0 => Finding::stop(CHECK, format!("It ended {} days ago.", -days), "Renew it."),
        Some(days) if days < TOO_FEW_DAYS => Finding::warning(
            CHECK,
            format!("It is valid for {days} days only."),
            "Renew it: ACM does so by itself only for certificates that it made, while their record stands.",
        ),
        Some(days) => Finding::fine(CHECK, format!("Issued for {site}, valid for {days} days.")),
        None => Finding::fine(CHECK, format!("Issued for {site}.")),
    }
}

fn names(certificate: &Value) -> Vec<String> {
    let others = certificate["SubjectAlternativeNames"].as_array().into_iter().flatten();
    let mut names: Vec<String> = [&certificate["DomainName"]]
        .into_iter()
        .chain(others)
        .filter_map(|name| name.as_str().map(str::to_lowercase))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A wildcard stands for one label.
fn covers(name: &str, site: &str) -> bool {
    let site = site.to_lowercase();
    match name.strip_prefix("*.") {
        Some(parent) => site.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == site,
    }
}

/// Version 1 of the AWS CLI prints seconds or a date, version 2 a date.
fn expiry(certificate: &Value) -> Option<i64> {
    let value = &certificate["NotAfter"];
    let date = |text: &str| DateTime::from_str(text, DateTimeFormat::DateTimeWithOffset).ok();
    let seconds = value.as_f64().map(DateTime::from_secs_f64);
    seconds
        .or_else(|| value.as_str().and_then(date))
        .map(|time| time.secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::NoAnswer;
    use crate::preflight::finding::Weight;
    use serde_json::json;

    const ARN: &str = "arn:aws:acm:eu-central-1:111122223333:certificate/1";
    const NOW: i64 = 1_795_478_658;

    fn text(certificate: &Value) -> (Weight, String) {
        let answer = Ok(json!({ "Certificate": certificate }));
        let finding = given(ARN, "eu-central-1", "mautic.example.com", &answer, NOW);
        (finding.weight, finding.text)
    }

    fn certificate(names: &[&str], end: &Value) -> Value {
        json!({"Status": "ISSUED", "DomainName": names[0], "SubjectAlternativeNames": names, "NotAfter": end})
    }

    #[test]
    fn an_issued_certificate_for_the_site_is_fine_however_the_cli_writes_its_end() {
        let date = json!("2027-05-01T12:00:00+00:00");
        let zoned = json!("2027-05-01T14:00:00+02:00");
        let seconds = json!(1_809_172_800.0);
        for end in [date, zoned, seconds] {
            assert_eq!(
                text(&certificate(&["mautic.example.com"], &end)),
                (
                    Weight::Fine,
                    "Issued for mautic.example.com, valid for 158 days.".to_owned()
                )
            );
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let covered = [
            "*.example.com",
            "Mautic.example.com",
            "*.com",
            "example.com",
            "*.mautic.example.com",
        ]
        .map(|name| covers(&name.to_lowercase(), "mautic.Example.com"));
        assert_eq!(covered, [true, true, false, false, false]);
    }

    #[test]
    fn what_no_load_balancer_or_browser_takes_stops() {
        let mut pending = certificate(&["mautic.example.com"], &Value::Null);
        pending["Status"] = json!("PENDING_VALIDATION");
        let other = certificate(&["example.com", "www.example.com"], &Value::Null);
        let ended = certificate(&["*.example.com"], &json!(NOW - 3 * DAY));
        let soon = certificate(&["*.example.com"], &json!(NOW + 3 * DAY));
        assert_eq!(
            [&pending, &other, &ended, &soon].map(text),
            [
                (
                    Weight::Stop,
                    "It is PENDING_VALIDATION, not ISSUED: no load balancer takes it.".to_owned()
                ),
                (
                    Weight::Stop,
                    "It is for example.com, www.example.com, the site is mautic.example.com: browsers would refuse it."
                        .to_owned()
                ),
                (Weight::Stop, "It ended 3 days ago.".to_owned()),
                (Weight::Warning, "It is valid for 3 days only.".to_owned()),
            ]
        );
    }

    #[test]
    fn a_certificate_of_another_region_or_none_stops_and_an_unread_one_warns() {
        let refused = |code: &str| {
            Err(NoAnswer::Refused {
                code: code.to_owned(),
                message: "no".to_owned(),
            })
        };
        let judged = [
            given(ARN, "us-east-1", "s", &refused("ResourceNotFoundException"), NOW),
            given(ARN, "eu-central-1", "s", &refused("ResourceNotFoundException"), NOW),
            given(ARN, "eu-central-1", "s", &refused("AccessDeniedException"), NOW),
        ];
        assert_eq!(
            judged[0].text,
            "CertificateArn is in eu-central-1, the stack in us-east-1: a load balancer takes one of its own region only."
        );
        assert_eq!(
            judged.map(|finding| finding.weight),
            [Weight::Stop, Weight::Stop, Weight::Warning]
        );
    }

    #[test]
    fn without_one_it_is_made_where_the_zone_is_this_accounts() {
        let wish = |external| Wish {
            domain: "example.com",
            zone_id: None,
            role: None,
            external,
        };
        assert_eq!(made(Some(&wish(false)), "s").weight, Weight::Fine);
        assert_eq!(made(Some(&wish(true)), "s").weight, Weight::Stop);
        assert_eq!(made(None, "s").weight, Weight::Stop);
    }
}
