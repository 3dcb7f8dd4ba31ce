use super::*;
use custom_resource::testing::kept_shapes;
use serde_json::{Value, json};

fn settings(properties: Value) -> Result<Settings, String> {
    serde_json::from_value(properties).map_err(|error| error.to_string())
}

#[test]
fn a_domain_alone_gets_the_defaults() {
    let settings = settings(json!({"Domain": "Example.com"})).unwrap();
    assert_eq!(settings.domain.as_str(), "example.com");
    assert_eq!(settings.zone, Some(ZoneChoice::LongestSuffix));
    assert_eq!(settings.mail_from_domain().unwrap(), "mail.example.com");
    assert_eq!(settings.dmarc, Dmarc::new(Policy::None, ""));
    let wait = Wait {
        limit: Duration::from_mins(10),
        on_timeout: OnTimeout::Fail,
    };
    assert_eq!(settings.wait, Some(wait));
    assert!(!settings.apex_spf && !settings.adopt_existing);
}

#[test]
fn empty_texts_mean_not_set() {
    let given = settings(
        json!({"Domain": "example.com", "HostedZoneId": "", "ZoneName": "", "RoleArn": "",
        "DmarcReportAddress": "", "ApexSpf": "", "ConfigurationSet": "", "WaitForVerification": "",
        "WaitSeconds": "", "OnTimeout": "", "AdoptExisting": "", "ExternalDns": ""}),
    );
    assert_eq!(given, settings(json!({"Domain": "example.com"})));
    let none = settings(json!({"Domain": "example.com", "MailFromSubdomain": "", "DmarcPolicy": ""})).unwrap();
    assert_eq!((none.mail_from, none.dmarc), (None, None));
}

#[test]
fn strings_and_scalars_mean_the_same() {
    let strings = settings(json!({"Domain": "example.com", "ApexSpf": "true", "WaitSeconds": "60"}));
    assert_eq!(
        strings,
        settings(json!({"Domain": "example.com", "ApexSpf": true, "WaitSeconds": 60}))
    );
}

#[test]
fn false_as_a_string_is_false() {
    let settings = settings(json!({"Domain": "example.com", "WaitForVerification": "false"})).unwrap();
    assert_eq!(settings.wait, None);
}

#[test]
fn with_dns_elsewhere_nothing_is_awaited_unless_asked() {
    let external = settings(json!({"Domain": "example.com", "ExternalDns": "true"})).unwrap();
    assert_eq!((external.zone, external.wait), (None, None));
    let asked = settings(json!({"Domain": "example.com", "ExternalDns": "true", "WaitForVerification": "true"}));
    assert!(asked.unwrap().wait.is_some());
}

#[test]
fn an_invalid_property_names_its_value_and_the_remedy() {
    for (property, value, reason) in [
        (
            "HostedZoneId",
            "my zone",
            "HostedZoneId `my zone` is not the id of a hosted zone; give one such as Z0123456789ABC, or leave it empty to search by name",
        ),
        (
            "RoleArn",
            "dns",
            "RoleArn `dns` is not the ARN of an IAM role; give arn:aws:iam::ACCOUNT:role/NAME of a role that may change the zone",
        ),
        (
            "RoleArn",
            "arn:aws:iam::1:role/a,b",
            "RoleArn `arn:aws:iam::1:role/a,b` cannot be kept in a tag of the identity for the later Delete; name the role with letters, digits and _ . = + - only, its ARN in at most 256 characters",
        ),
        (
            "MailFromSubdomain",
            "mail.example.com",
            "MailFromSubdomain `mail.example.com` repeats the domain; give the part before the domain, such as mail, or nothing for no custom MAIL FROM",
        ),
        (
            "MailFromSubdomain",
            "a b",
            "MailFromSubdomain `a b` is not a part of a domain name; give the part before the domain, such as mail, or nothing for no custom MAIL FROM",
        ),
        (
            "DmarcPolicy",
            "strict",
            "DmarcPolicy `strict` is not a DMARC policy; give none, quarantine or reject, or nothing for no DMARC record",
        ),
        (
            "DmarcReportAddress",
            "me",
            "DmarcReportAddress `me` is not an e-mail address; give one such as dmarc@example.com, or nothing for no reports",
        ),
        (
            "ConfigurationSet",
            "a b",
            "ConfigurationSet `a b` is not the name of a configuration set; give 1 to 64 letters, digits, - or _, or nothing for none",
        ),
        (
            "WaitSeconds",
            "3541",
            "WaitSeconds `3541` is not a time to wait; give 0 to 3540: CloudFormation waits an hour at most",
        ),
        (
            "OnTimeout",
            "shrug",
            "OnTimeout `shrug` is neither outcome; give FAIL or SUCCEED",
        ),
        ("ApexSpf", "yes", "ApexSpf `yes` is not a boolean; give true or false"),
    ] {
        let error = settings(json!({"Domain": "example.com", property: value})).unwrap_err();
        assert_eq!(error, reason);
    }
}

#[test]
fn an_unknown_property_is_refused() {
    let error = settings(json!({"Domain": "example.com", "ApexSPF": "true"})).unwrap_err();
    assert!(
        error.starts_with("unknown field `ApexSPF`, expected one of `Domain`"),
        "{error}"
    );
}

#[test]
fn a_domain_too_long_for_its_dkim_records_is_refused() {
    let long = format!("{0}.{0}.{0}.{1}.example", "a".repeat(60), "b".repeat(19));
    assert_eq!(long.len(), 210);
    assert_eq!(
        settings(json!({"Domain": long})).unwrap_err(),
        format!("Domain `{long}` has 210 characters; its DKIM records fit DNS up to 209: use a shorter subdomain"),
    );
}

#[test]
fn every_shape_that_was_shipped_stays_readable() {
    let shapes = kept_shapes::<Settings>("tests/shapes", "SesDomain");
    let first = &shapes[0];
    assert_eq!(first.domain.as_str(), "mail.example.com");
    assert_eq!(first.mail_from_domain().unwrap(), "bounce.mail.example.com");
    assert_eq!(first.wait.map(|wait| wait.limit), Some(Duration::from_mins(10)));
    assert!(!first.apex_spf && !first.adopt_existing);
}
