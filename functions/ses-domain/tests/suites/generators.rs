//! Arbitrary domains, zones, TXT values and settings; the tests below show that they reach the interesting ones.

use proptest::prelude::*;
use serde_json::{Value, json};
use ses_domain::names::Domain;
use ses_domain::zone::RecordSet;

use crate::world::{World, set};

/// A domain and the zone that holds it, in any spelling, international ones too.
pub fn domain() -> impl Strategy<Value = (String, String)> {
    let label =
        || prop_oneof![4 => "[a-z][a-z0-9]{0,12}", 1 => "[a-zäöüß]{2,10}", 1 => "[а-я]{2,8}", 1 => "[A-Z][a-z]{1,8}"];
    let zone = (label(), prop::sample::select(vec!["com", "example", "co.uk"]))
        .prop_map(|(label, top)| format!("{label}.{top}"));
    (zone, prop::collection::vec(label(), 0..3)).prop_filter_map("no domain", |(zone, below)| {
        let below = below
            .iter()
            .map(|label| format!("{label}."))
            .collect::<Vec<_>>()
            .concat();
        let domain = format!("{below}{zone}");
        let ascii = Domain::parse(&zone).ok()?.to_string();
        Domain::parse(&domain).ok().map(|_| (domain, ascii))
    })
}

/// A text as somebody might have spelled it in a TXT value: in several strings, some bytes in octal.
pub fn spelled(text: String) -> impl Strategy<Value = String> {
    let cuts = prop_oneof![Just(Vec::new()), prop::collection::vec(0..=text.len(), 1..4)];
    (
        cuts,
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        " {1,2}",
    )
        .prop_map(move |(mut cuts, octal, gap)| {
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            // No string is longer than 255 bytes, whatever the cuts.
            let fill = |pair: &[usize]| (pair[0]..pair[1]).step_by(255).skip(1).collect::<Vec<_>>();
            cuts.extend(cuts.windows(2).flat_map(fill).collect::<Vec<_>>());
            cuts.sort_unstable();
            let octal = octal
                .iter()
                .map(|index| index.index(text.len().max(1)))
                .collect::<Vec<_>>();
            let spell = |at: usize| match text.as_bytes()[at] {
                byte if octal.contains(&at) => format!("\\{byte:03o}"),
                byte @ (b'"' | b'\\') => format!("\\{}", char::from(byte)),
                byte => char::from(byte).to_string(),
            };
            let string = |cut: &[usize]| format!("\"{}\"", (cut[0]..cut[1]).map(spell).collect::<String>());
            cuts.windows(2).map(string).collect::<Vec<_>>().join(&gap)
        })
}

/// An SPF record's text, mostly valid.
pub fn spf() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        8 => "[+~?-]?(a|mx|ptr)",
        8 => "ip4:192\\.0\\.2\\.[1-9]",
        4 => "[+~?-]?include:[a-z]{1,30}\\.example",
        2 => "exists:%\\{i\\}\\.[a-z]{2}\\.example",
        1 => "[+-]?include:amazonses\\.com",
        1 => "exp=why\\.example",
        1 => "[a-z]{3}4:x",
    ];
    let end = prop_oneof![6 => " [~?+-]?all", 2 => " redirect=_spf\\.example", 1 => Just(String::new()), 1 => " [~-]all [a-z]{1,5}=x"];
    let terms = prop_oneof![4 => prop::collection::vec(term.clone(), 0..6), 1 => prop::collection::vec(term, 6..20), 2 => prop::collection::vec("ip4:192\\.0\\.2\\.[1-9]{2}".prop_map(String::from), 10..30)];
    (terms, " {1,2}", end, prop::bool::weighted(0.1)).prop_map(|(terms, gap, end, upper)| {
        let text = [vec!["v=spf1".to_owned()], terms].concat().join(&gap) + &end;
        if upper { text.to_uppercase() } else { text }
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("google-site-verification=x_1".to_owned()),
        Just("v=spf10 is no SPF".to_owned()),
        "[ -~]{0,40}",
        "[ -~]{250,400}",
    ]
}

fn values(texts: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(texts.prop_flat_map(spelled), 0..=most).prop_map(|mut values| {
        let mut seen = std::collections::BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
        values
    })
}

/// The texts at a domain: any number of other ones and of SPF records, in any order.
pub fn apex_texts() -> impl Strategy<Value = Vec<String>> {
    let records = prop_oneof![3 => Just(0_usize), 6 => Just(1), 1 => Just(2)];
    let spf = records.prop_flat_map(|count| prop::collection::vec(spf().prop_flat_map(spelled), count));
    (values(text(), 3), spf)
        .prop_flat_map(|(others, spf)| Just([others, spf].concat()).prop_shuffle())
        .prop_map(|mut values| {
            let mut seen = std::collections::BTreeSet::new();
            values.retain(|value| seen.insert(value.clone()));
            values
        })
}

fn dmarc_texts() -> impl Strategy<Value = Vec<String>> {
    let record = prop_oneof![
        Just("v=DMARC1; p=reject".to_owned()),
        Just("V=dmarc1;p=none;".to_owned()),
        Just("unrelated".to_owned())
    ];
    prop_oneof![2 => Just(Vec::new()), 1 => values(record, 2)]
}

/// What may stand at the MAIL FROM domain; some of it in the way.
fn mail_sets() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    let harmless = values(text(), 2).prop_map(|values| vec![("TXT", values), ("A", vec!["192.0.2.1".to_owned()])]);
    prop_oneof![
        6 => Just(Vec::new()),
        4 => harmless,
        1 => Just(vec![("MX", vec!["10 mail.example.".to_owned()])]),
        1 => Just(vec![("CNAME", vec!["web.example.".to_owned()])]),
        1 => Just(vec![("TXT", vec!["\"v=spf1 -all\"".to_owned()])]),
        1 => Just(vec![("MX", vec!["10 Feedback-SMTP.eu-central-1.amazonses.com.".to_owned()])]),
    ]
}

/// A zone and the properties of a domain in it.
pub fn scene() -> impl Strategy<Value = (World, Value)> {
    let parts = (apex_texts(), dmarc_texts(), dmarc_texts(), mail_sets());
    (domain(), parts, properties()).prop_map(|((domain, zone), parts, mut properties)| {
        let (apex, dmarc, inherited, mail) = parts;
        let ascii = Domain::parse(&domain).expect("a domain").to_string();
        let mut sets = vec![set(&format!("www.{ascii}"), "A", &["192.0.2.7"])];
        let mut add = |name: String, kind: &str, values: &[String]| {
            let fresh = set(&name, kind, &values.iter().map(String::as_str).collect::<Vec<_>>());
            let taken = sets
                .iter()
                .any(|other: &RecordSet| other.name == fresh.name && other.kind == fresh.kind);
            if !values.is_empty() && !taken {
                sets.push(fresh);
            }
        };
        add(ascii.clone(), "TXT", &apex);
        add(format!("_dmarc.{ascii}"), "TXT", &dmarc);
        add(format!("_dmarc.{zone}"), "TXT", &inherited);
        for (kind, values) in &mail {
            add(format!("mail.{ascii}"), kind, values);
        }
        properties["Domain"] = json!(domain);
        properties["HostedZoneId"] = json!("Z1");
        (World::with_zone(&zone, &sets), properties)
    })
}

/// Settings besides the domain.
pub fn properties() -> impl Strategy<Value = Value> {
    let mail = prop_oneof![4 => Just("mail"), 1 => Just("bounce.news"), 1 => Just("")];
    let policy = prop::sample::select(vec!["none", "quarantine", "reject", ""]);
    let report = prop::sample::select(vec!["", "dmarc@reports.example"]);
    let set = prop::sample::select(vec!["", "mautic"]);
    (mail, policy, report, set, any::<bool>()).prop_map(|(mail, policy, report, set, apex)| {
        json!({"MailFromSubdomain": mail, "DmarcPolicy": policy, "DmarcReportAddress": report,
            "ConfigurationSet": set, "ApexSpf": apex.to_string()})
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use ses_domain::plan::PlanError;
    use ses_domain::spf::SpfError;

    use super::*;
    use crate::world::settings;

    /// What happens to a scene, in a word or two.
    fn fate(world: &World, properties: &Value) -> String {
        let settings = settings(properties.clone());
        let apex = world.value(settings.domain.as_str(), "TXT");
        let mut after = world.clone();
        match after.set_up(&settings) {
            Err(PlanError::Conflict(conflict)) => format!("conflict with {}", conflict.kind),
            Err(PlanError::Spf { problem, .. }) => match problem {
                SpfError::SeveralRecords(_) => "several SPF records".to_owned(),
                SpfError::InvalidTerm(_) => "an invalid term".to_owned(),
                SpfError::Contradiction(_) => "a contradiction".to_owned(),
                SpfError::TooManyLookups(_) => "too many look-ups".to_owned(),
                SpfError::TooLong => "too long".to_owned(),
            },
            Err(other) => other.to_string(),
            Ok(()) => match after
                .identity(settings.domain.as_str())
                .unwrap()
                .marks()
                .zones
                .values()
                .next()
            {
                Some(marks) if marks.spf.is_some() => format!("{:?}", marks.spf),
                _ if settings.apex_spf && apex.len() > 1 => "SPF present among others".to_owned(),
                _ => "set up".to_owned(),
            },
        }
    }

    #[test]
    fn the_generators_reach_what_matters() {
        let mut runner = TestRunner::deterministic();
        let strategy = scene();
        let (mut fates, mut international, mut longest) = (BTreeMap::<String, usize>::new(), 0, 0);
        for _ in 0..1500 {
            let (world, properties) = strategy.new_tree(&mut runner).unwrap().current();
            *fates.entry(fate(&world, &properties)).or_default() += 1;
            let ascii = settings(properties).domain;
            international += usize::from(ascii.as_str().contains("xn--"));
            longest = longest.max(
                world
                    .value(ascii.as_str(), "TXT")
                    .iter()
                    .map(String::len)
                    .max()
                    .unwrap_or_default(),
            );
        }
        for fate in [
            "set up",
            "conflict with CNAME",
            "conflict with MX",
            "conflict with TXT",
            "several SPF records",
            "an invalid term",
            "a contradiction",
            "too many look-ups",
            "SPF present among others",
            "Some(Record)",
            "Some(Mechanism(Insertion { at_end: false, placement: Inline }))",
            "Some(Mechanism(Insertion { at_end: true, placement: Inline }))",
            "Some(Mechanism(Insertion { at_end: false, placement: Split }))",
        ] {
            assert!(fates.contains_key(fate), "no scene is: {fate}\n{fates:#?}");
        }
        assert!(
            international > 200 && longest > 400,
            "{international} international, {longest} bytes\n{fates:#?}"
        );
    }
}
