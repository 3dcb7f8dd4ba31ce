//! The whole function: what it answers, what it leaves, what it takes back.

use std::collections::BTreeSet;

use custom_resource::testing::{Log, SIGNATURE, assert_absent, create, delete, update};
use proptest::prelude::*;
use serde_json::json;
use ses_domain::zone::RecordSet;

use crate::generators::scene;
use crate::spf_record::is_extended;
use crate::stage::{DOMAIN, ID, Stage, TYPE, fails, properties, stage, succeeds, with};
use crate::world::{World, set, settings};

#[test]
fn a_new_domain_is_created_verified_and_described() {
    let stage = stage();
    let response = succeeds(&stage, &create(TYPE, properties()));
    assert_eq!(response.physical_id(), ID);
    for (name, value) in [
        ("Domain", DOMAIN),
        (
            "IdentityArn",
            "arn:aws:ses:eu-central-1:123456789012:identity/example.com",
        ),
        ("Status", "VERIFIED"),
        ("DkimStatus", "SUCCESS"),
        ("MailFromStatus", "SUCCESS"),
        ("ProductionAccess", "false"),
        (
            "ProductionAccessText",
            "The account in eu-central-1 is in the SES sandbox: it delivers only to verified addresses, 200 mails a day. Request production access in the SES console, under Account dashboard.",
        ),
        ("HostedZoneId", "Z1"),
        (
            "Records",
            "00000000000000000000000000000011._domainkey.example.com CNAME 00000000000000000000000000000011.dkim.amazonses.com\n\
            00000000000000000000000000000012._domainkey.example.com CNAME 00000000000000000000000000000012.dkim.amazonses.com\n\
            00000000000000000000000000000013._domainkey.example.com CNAME 00000000000000000000000000000013.dkim.amazonses.com\n\
            mail.example.com MX 10 feedback-smtp.eu-central-1.amazonses.com\n\
            mail.example.com TXT \"v=spf1 include:amazonses.com ~all\"\n\
            _dmarc.example.com TXT \"v=DMARC1; p=none;\"",
        ),
        (
            "ZoneFile",
            "$ORIGIN example.com.\n$TTL 300\n\
            00000000000000000000000000000011._domainkey IN CNAME 00000000000000000000000000000011.dkim.amazonses.com.\n\
            00000000000000000000000000000012._domainkey IN CNAME 00000000000000000000000000000012.dkim.amazonses.com.\n\
            00000000000000000000000000000013._domainkey IN CNAME 00000000000000000000000000000013.dkim.amazonses.com.\n\
            mail IN MX 10 feedback-smtp.eu-central-1.amazonses.com.\n\
            mail IN TXT \"v=spf1 include:amazonses.com ~all\"\n\
            _dmarc IN TXT \"v=DMARC1; p=none;\"\n",
        ),
    ] {
        assert_eq!(response.attribute(name), value, "{name}");
    }
    assert_eq!(
        stage.world().identity(DOMAIN).unwrap().configuration_set.unwrap(),
        "mautic"
    );
}

#[test]
fn all_records_of_an_event_are_one_batch_written_after_the_marks() {
    let stage = stage();
    succeeds(&stage, &create(TYPE, with(properties(), "ApexSpf", "true")));
    let changing = [
        "ses:CreateEmailIdentity",
        "ses:TagResource",
        "route53:ChangeResourceRecordSets",
        "ses:PutEmailIdentityMailFromAttributes",
    ];
    let calls = stage
        .calls()
        .into_iter()
        .filter(|call| changing.contains(call))
        .collect::<Vec<_>>();
    assert_eq!(calls, changing);
}

#[test]
fn the_records_are_read_in_one_call_a_round() {
    let stage = stage();
    stage.change(|world| world.page = 300);
    succeeds(
        &stage,
        &create(TYPE, with(properties(), "WaitForVerification", "false")),
    );
    let looking = ["ses:GetEmailIdentity", "route53:ListResourceRecordSets"];
    let before = ["ses:GetAccount", "route53:ListHostedZones"];
    let first = ["ses:CreateEmailIdentity"];
    let wanted = ["cloudformation:DescribeStackResource"];
    let second = [
        "ses:TagResource",
        "route53:ChangeResourceRecordSets",
        "ses:PutEmailIdentityMailFromAttributes",
    ];
    let rounds = [
        &looking[..],
        &first,
        &looking[..1],
        &wanted,
        &looking[1..],
        &second,
        &looking,
    ];
    assert_eq!(stage.calls(), [&before[..], &rounds.concat()].concat());
}

#[test]
fn records_are_found_however_many_pages_they_take() {
    let strangers = [
        set("example.com", "TXT", &["\"v=spf1 mx -all\""]),
        set("b.example.com", "A", &["192.0.2.1"]),
        set("_dmarc.example.com", "TXT", &["\"v=DMARC1; p=reject\""]),
        set("mail.example.com", "TXT", &["\"hello\""]),
        set("a.mail.example.com", "A", &["192.0.2.1"]),
        set("zoo.example.com", "A", &["192.0.2.1"]),
    ];
    let ends = (1..=20).map(|page| {
        let stage = Stage::new(World::with_zone(DOMAIN, &strangers));
        let before = stage.world().all_records();
        stage.change(|world| world.page = page);
        let properties = with(properties(), "ApexSpf", "true");
        let made = succeeds(&stage, &create(TYPE, properties.clone()));
        let records = stage.world().records();
        succeeds(&stage, &delete(TYPE, ID, properties));
        assert_eq!(stage.world().all_records(), before, "pages of {page}");
        (made.attribute("Records").to_owned(), records)
    });
    let ends = ends.collect::<BTreeSet<_>>();
    assert_eq!(ends.len(), 1, "{ends:#?}");
}

#[test]
fn an_update_without_changes_changes_nothing() {
    let stage = stage();
    succeeds(&stage, &create(TYPE, properties()));
    let (before, calls) = (stage.world(), stage.calls().len());
    succeeds(&stage, &update(TYPE, ID, properties(), properties()));
    assert_eq!(stage.world(), before);
    let made = stage.calls().split_off(calls).into_iter().collect::<BTreeSet<_>>();
    let reading = [
        "route53:ListHostedZones",
        "route53:ListResourceRecordSets",
        "ses:GetAccount",
        "ses:GetEmailIdentity",
    ];
    assert_eq!(made, BTreeSet::from(reading));
}

#[test]
fn a_delete_leaves_the_zone_as_it_was_and_a_second_one_succeeds() {
    let stage = stage();
    let before = stage.world();
    succeeds(&stage, &create(TYPE, with(properties(), "ApexSpf", "true")));
    for _ in 0..2 {
        succeeds(&stage, &delete(TYPE, ID, properties()));
        assert_eq!(stage.world().all_records(), before.all_records());
        assert_eq!(stage.world().identities, before.identities);
    }
}

#[test]
fn a_delete_needs_neither_valid_properties_nor_the_zone() {
    let stage = stage();
    succeeds(&stage, &create(TYPE, properties()));
    stage.change(|world| world.zones.clear());
    succeeds(&stage, &delete(TYPE, ID, json!({"Domain": ["nonsense"]})));
    assert!(stage.world().identities.is_empty());
}

#[test]
fn a_configuration_set_that_does_not_exist_is_named() {
    let stage = stage();
    stage.change(|world| world.configuration_sets = Some(BTreeSet::new()));
    assert_eq!(
        fails(&stage, &create(TYPE, properties())),
        "AWS refuses to create the identity: NotFoundException: Configuration set <mautic> does not exist; correct what \
         it names and update the stack."
    );
}

#[test]
fn a_permission_that_is_missing_is_named() {
    let stage = stage();
    stage.die_at(Some(0));
    assert_eq!(
        fails(&stage, &create(TYPE, properties())),
        "ses:GetAccount for the account failed: AccessDeniedException: killed; allow ses:GetAccount on it to the \
         function's role, or to RoleArn's if one is given."
    );
}

#[test]
fn an_update_that_is_rolled_back_leaves_everything_as_it_was() {
    let stage = stage();
    let other = json!({"Domain": DOMAIN, "MailFromSubdomain": "bounce", "DmarcPolicy": "reject", "ApexSpf": "true"});
    succeeds(&stage, &create(TYPE, properties()));
    let (before, identity) = (stage.world().records(), stage.world().identity(DOMAIN).unwrap());
    succeeds(&stage, &update(TYPE, ID, other.clone(), properties()));
    succeeds(&stage, &update(TYPE, ID, properties(), other));
    let after = stage.world();
    let kept = after.records().into_iter().collect::<BTreeSet<_>>();
    // Whatever was there before is there again. Of what the update added only the MAIL FROM records stay until the Delete.
    let changed = before.iter().filter(|line| !kept.contains(*line)).collect::<Vec<_>>();
    assert_eq!(changed, [] as [&String; 0]);
    let added = kept.iter().filter(|line| !before.contains(line)).collect::<Vec<_>>();
    assert!(
        added.len() == 2 && added.iter().all(|line| line.starts_with("bounce.example.com ")),
        "{added:?}"
    );
    let back = after.identity(DOMAIN).unwrap();
    assert_eq!(
        (back.mail_from, back.configuration_set),
        (identity.mail_from, identity.configuration_set)
    );
    succeeds(&stage, &delete(TYPE, ID, properties()));
    assert_eq!(
        stage.world().records(),
        [
            "example.com NS ns-1.example.net.",
            "example.com SOA ns-1.example.net. a. 1 1 1 1 1",
            "example.com TXT \"v=spf1 mx -all\""
        ]
    );
}

#[test]
fn with_dns_elsewhere_nothing_is_written_and_the_records_come_back() {
    let stage = stage();
    let before = stage.world().all_records();
    let external = with(with(properties(), "ExternalDns", "true"), "ApexSpf", "true");
    let response = succeeds(&stage, &create(TYPE, external.clone()));
    assert_eq!(
        (response.attribute("Status"), response.attribute("HostedZoneId")),
        ("PENDING", "")
    );
    let end = "_dmarc IN TXT \"v=DMARC1; p=none;\"\n; one SPF record only: if there is one, add include:amazonses.com to it \
        instead\n@ IN TXT \"v=spf1 include:amazonses.com ~all\"\n";
    assert!(
        response.attribute("ZoneFile").ends_with(end),
        "{}",
        response.attribute("ZoneFile")
    );
    succeeds(&stage, &delete(TYPE, ID, external));
    assert_eq!(stage.world().all_records(), before);
    assert!(
        stage.calls().iter().all(|call| !call.starts_with("route53:")),
        "{:?}",
        stage.calls()
    );
}

#[test]
fn a_zone_that_changes_under_our_hands_is_read_again() {
    let stage = stage();
    let apex = with(properties(), "ApexSpf", "true");
    stage.meanwhile("route53:ChangeResourceRecordSets", |world| {
        world.edit(DOMAIN, "TXT", &["\"v=spf1 a -all\"", "\"new\""]);
    });
    succeeds(&stage, &create(TYPE, apex.clone()));
    assert_eq!(
        stage.world().value(DOMAIN, "TXT"),
        ["\"v=spf1 a include:amazonses.com -all\"", "\"new\""]
    );
    stage.meanwhile("route53:ChangeResourceRecordSets", |world| {
        world.edit(DOMAIN, "TXT", &["\"v=spf1 include:amazonses.com -all\""]);
    });
    succeeds(&stage, &delete(TYPE, ID, apex));
    assert_eq!(stage.world().value(DOMAIN, "TXT"), ["\"v=spf1 -all\""]);
}

#[test]
fn a_conflict_that_appears_under_our_hands_is_named() {
    let stage = stage();
    stage.meanwhile("route53:ChangeResourceRecordSets", |world| {
        world.edit("mail.example.com", "CNAME", &["web.example.com"]);
    });
    let reason = fails(&stage, &create(TYPE, properties()));
    assert!(
        reason.starts_with("mail.example.com has the CNAME record web.example.com in zone Z1"),
        "{reason}"
    );
}

#[test]
fn a_domain_of_sixty_characters_has_both_texts_and_a_longer_one_says_where_they_are() {
    let long = |label: usize| format!("{0}.{0}.example", "a".repeat(label));
    let sixty = long(26);
    assert_eq!(sixty.len(), 61);
    let stage = Stage::new(World::with_zone("example", &[]));
    let full = |domain: &str| json!({"Domain": domain, "ApexSpf": "true", "ZoneName": "example", "DmarcReportAddress": "dmarc-reports@example.com"});
    let response = succeeds(&stage, &create(TYPE, full(&sixty)));
    assert_eq!(response.attribute("ZoneFile").lines().count(), 10);
    assert_eq!(response.attribute("Records").lines().count(), 7);
    let longest = format!("{0}.{0}.{0}.{1}.example", "a".repeat(60), "b".repeat(18));
    let response = succeeds(&stage, &create(TYPE, full(&longest)));
    assert_eq!(
        response.attribute("Records"),
        "Too long for an attribute: the records are in the function's log."
    );
    // The root's output DnsRecords: its names are relative, so it fits however long the domain is.
    assert_eq!(response.attribute("ZoneFile").lines().count(), 10);
}

#[test]
fn the_log_tells_the_plan_and_no_secret() {
    let stage = stage();
    let log = Log::capture();
    succeeds(&stage, &create(TYPE, properties()));
    let text = log.text();
    for told in [
        "create the identity",
        "change zone Z1: CREATE ",
        "set MAIL FROM to mail.example.com",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    assert_absent(SIGNATURE, &text);
}

#[test]
fn the_longest_names_still_fit_the_answer() {
    let domain = format!("{0}.{0}.{0}.{1}.example", "a".repeat(60), "b".repeat(18));
    let stack = format!(
        "arn:aws:cloudformation:eu-central-1:123456789012:stack/{}/{}",
        "s".repeat(128),
        "0".repeat(36)
    );
    let stage = Stage::new(World::with_zone("example", &[]));
    let creation = create(TYPE, json!({"Domain": domain, "ZoneName": "example"}));
    let longest = creation
        .with("StackId", json!(stack))
        .with("LogicalResourceId", json!("L".repeat(255)));
    let response = succeeds(&stage, &longest);
    assert_eq!(response.attribute("Domain").len(), 209);
    assert!(response.body().to_string().len() <= 4096);
}

#[test]
fn an_identity_that_somebody_deleted_comes_back_with_the_next_update() {
    let stage = stage();
    succeeds(&stage, &create(TYPE, properties()));
    stage.change(|world| world.identities.clear());
    let response = succeeds(&stage, &update(TYPE, ID, properties(), properties()));
    assert_eq!(response.attribute("Status"), "VERIFIED");
    assert_eq!(
        stage.world().identity(DOMAIN).unwrap().configuration_set.unwrap(),
        "mautic"
    );
}

/// Whether every old value stands where it stood and is spelled as it was, but for one SPF record that SES joined.
fn survives(old: &RecordSet, new: &RecordSet) -> bool {
    let mut changed = old.values.iter().zip(&new.values).filter(|(old, new)| old != new);
    let one = changed.next().is_none_or(|(old, new)| is_extended(old, new));
    one && changed.next().is_none() && new.values.len() >= old.values.len() && new.ttl == old.ttl
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_plan_ends_keeps_what_is_not_ours_and_undoes_itself((mut world, properties) in scene()) {
        let settings = settings(properties);
        let before = world.clone();
        if world.set_up(&settings).is_err() {
            prop_assert_eq!(world, before);
            return Ok(());
        }
        prop_assert_eq!(world.plan(&settings).unwrap(), []);
        for set in &before.zones[0].sets {
            let after = world.zones[0].set(&set.name, &set.kind);
            prop_assert!(after.is_some_and(|after| survives(set, after)), "{set:?} became {after:?}");
        }
        world.tear_down(&settings.domain);
        prop_assert_eq!(world.all_records(), before.all_records());
        prop_assert!(world.identities.is_empty());
    }
}
