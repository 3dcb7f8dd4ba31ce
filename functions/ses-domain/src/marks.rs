//! What the identity remembers in its tags: whose it is, and what was made for it where. Written before the DNS is
//! changed, so that a Delete finds everything, wherever the function died.

use std::collections::{BTreeMap, BTreeSet};

use custom_resource::Owner;

use crate::settings::ZoneId;
use crate::spf::Insertion;
use crate::txt::Placement;
use crate::zone::RecordType;

const PREFIX: &str = "ses-domain:";
/// The tag that a Delete sets before it reads the others: a Create that still runs sees it and undoes its own work.
pub const DELETING: &str = "ses-domain:deleting";

/// An identity's tags.
pub type Tags = BTreeMap<String, String>;

/// What the tags say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// Whose the identity is; `None`: nobody's that we know.
    pub owner: Option<Owner>,
    /// Whether its Delete has begun.
    pub deleting: bool,
    /// What it was like before it was adopted; `None`: we created it.
    pub adopted: Option<Previous>,
    /// The MAIL FROM subdomains that we set, the present and the one before.
    pub mail_from: BTreeSet<String>,
    /// The configuration sets that we set, the present and the one before.
    pub configuration_sets: BTreeSet<String>,
    /// What was written into each zone.
    pub zones: BTreeMap<ZoneId, ZoneMarks>,
}

/// What an adopted identity had before: restored when it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Previous {
    /// Its MAIL FROM domain.
    pub mail_from: Option<String>,
    /// Its configuration set.
    pub configuration_set: Option<String>,
}

/// What was written into a zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneMarks {
    /// The role that may change the zone.
    pub role: Option<String>,
    /// Fingerprints of the values written, by type and by name relative to the domain.
    pub records: BTreeMap<(RecordType, String), BTreeSet<String>>,
    /// What was done for the domain's own SPF.
    pub spf: Option<SpfMark>,
}

/// What was done for the domain's own SPF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpfMark {
    /// There was no record and ours was added.
    Record,
    /// Our mechanism was put into the record that was there.
    Mechanism(Insertion),
}

impl Marks {
    /// The marks among an identity's tags. Tags of others, and ones that do not read, are no marks.
    #[must_use]
    pub fn read(tags: &Tags) -> Self {
        let get = |key: &str| tags.get(&format!("{PREFIX}{key}")).cloned();
        let list = |key: &str| words(&get(key).unwrap_or_default());
        let owner = get("stack").zip(get("resource"));
        let mut marks = Self {
            owner: owner.map(|(stack, resource)| Owner::new(&stack, &resource)),
            deleting: tags.contains_key(DELETING),
            adopted: get("adopted").map(|_| Previous {
                mail_from: get("previous-mail-from"),
                configuration_set: get("previous-configuration-set"),
            }),
            mail_from: list("mail-from"),
            configuration_sets: list("configuration-set"),
            zones: BTreeMap::new(),
        };
        for (key, value) in tags {
            if let Some(key) = key.strip_prefix(PREFIX) {
                marks.read_zone(key, value);
            }
        }
        marks
    }

    fn read_zone(&mut self, key: &str, value: &str) -> Option<()> {
        let (what, rest) = key.split_once('/')?;
        let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let id = ZoneId::parse(id)?;
        match what {
            "zone" => {
                let role = (!value.is_empty()).then(|| value.to_owned());
                self.zones.entry(id).or_default().role = role;
            }
            "spf" => self.zones.entry(id).or_default().spf = SpfMark::read(value),
            "record" => {
                let (kind, name) = rest.split_once('/')?;
                let key = (RecordType::from(kind), name.to_owned());
                self.zones.entry(id).or_default().records.insert(key, words(value));
            }
            _ => {}
        }
        Some(())
    }

    /// The tags that say this.
    #[must_use]
    pub fn tags(&self) -> Tags {
        let mut tags = Tags::new();
        let mut put = |key: &str, value: String| tags.insert(format!("{PREFIX}{key}"), value);
        if let Some(owner) = &self.owner {
            put("stack", owner.stack_id().to_owned());
            put("resource", owner.logical_id().to_owned());
        }
        if self.deleting {
            put("deleting", "true".to_owned());
        }
        if let Some(previous) = &self.adopted {
            put("adopted", "true".to_owned());
            if let Some(name) = &previous.mail_from {
                put("previous-mail-from", name.clone());
            }
            if let Some(name) = &previous.configuration_set {
                put("previous-configuration-set", name.clone());
            }
        }
        for (key, list) in [
            ("mail-from", &self.mail_from),
            ("configuration-set", &self.configuration_sets),
        ] {
            if !list.is_empty() {
                put(key, joined(list));
            }
        }
        for (id, zone) in &self.zones {
            put(&format!("zone/{id}"), zone.role.clone().unwrap_or_default());
            for ((kind, name), values) in &zone.records {
                put(&record_key(id, kind, name), joined(values));
            }
            if let Some(spf) = zone.spf {
                put(&spf_key(id), spf.write().to_owned());
            }
        }
        tags
    }

    /// The tags that are missing from, or differ in, `present`.
    #[must_use]
    pub fn missing_from(&self, present: &Tags) -> Tags {
        let differs = |(key, value): &(String, String)| present.get(key) != Some(value);
        self.tags().into_iter().filter(differs).collect()
    }

    /// The keys of `tags` that are marks.
    #[must_use]
    pub fn keys(tags: &Tags) -> Vec<String> {
        tags.keys().filter(|key| key.starts_with(PREFIX)).cloned().collect()
    }
}

impl ZoneMarks {
    /// The keys of the tags that say what was written into the zone `id`.
    #[must_use]
    pub fn keys(&self, id: &ZoneId) -> Vec<String> {
        let records = self.records.keys().map(|(kind, name)| record_key(id, kind, name));
        let keys = records.chain(self.spf.map(|_| spf_key(id)));
        keys.map(|key| format!("{PREFIX}{key}")).collect()
    }
}

fn record_key(id: &ZoneId, kind: &RecordType, name: &str) -> String {
    format!("record/{id}/{kind}/{name}")
}

fn spf_key(id: &ZoneId) -> String {
    format!("spf/{id}")
}

impl SpfMark {
    /// How our mechanism stands in the record: in one of our own making, as if it had been put in plainly.
    #[must_use]
    pub fn insertion(self) -> Insertion {
        match self {
            Self::Record => Insertion {
                at_end: false,
                placement: Placement::Inline,
            },
            Self::Mechanism(insertion) => insertion,
        }
    }

    fn read(text: &str) -> Option<Self> {
        ALL_SPF.into_iter().find(|mark| mark.write() == text)
    }

    fn write(self) -> &'static str {
        let Self::Mechanism(Insertion { at_end, placement }) = self else {
            return "record";
        };
        match (at_end, placement) {
            (false, Placement::Inline) => "before/inline",
            (false, Placement::Own) => "before/own",
            (false, Placement::Split) => "before/split",
            (true, Placement::Inline) => "end/inline",
            (true, Placement::Own) => "end/own",
            (true, Placement::Split) => "end/split",
        }
    }
}

const fn mechanism(at_end: bool, placement: Placement) -> SpfMark {
    SpfMark::Mechanism(Insertion { at_end, placement })
}

const ALL_SPF: [SpfMark; 7] = [
    SpfMark::Record,
    mechanism(false, Placement::Inline),
    mechanism(false, Placement::Own),
    mechanism(false, Placement::Split),
    mechanism(true, Placement::Inline),
    mechanism(true, Placement::Own),
    mechanism(true, Placement::Split),
];

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone_marks() -> impl Strategy<Value = ZoneMarks> {
        let role = prop::option::of(Just("arn:aws:iam::123456789012:role/path/dns".to_owned()));
        let kind = prop::sample::select(vec![RecordType::Cname, RecordType::Mx, RecordType::Txt]);
        let name = prop_oneof![
            Just(String::new()),
            "[a-z0-9]{32}\\._domainkey",
            "[a-z]{1,63}",
            Just("_dmarc".to_owned())
        ];
        let values = prop::collection::btree_set("[0-9a-f]{16}", 1..3);
        let records = prop::collection::btree_map((kind, name), values, 0..6);
        let spf = prop::option::of(prop::sample::select(ALL_SPF.to_vec()));
        (role, records, spf).prop_map(|(role, records, spf)| ZoneMarks { role, records, spf })
    }

    fn marks() -> impl Strategy<Value = Marks> {
        let owner = Owner::new(
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/mautic/1-2",
            "SesDomain",
        );
        let names = || prop::collection::btree_set("[a-z]{1,63}", 0..3);
        let previous = (
            prop::option::of("[a-z]{1,9}\\.example"),
            prop::option::of("[a-z]{1,64}"),
        );
        let previous = previous.prop_map(|(mail_from, configuration_set)| Previous {
            mail_from,
            configuration_set,
        });
        let zones = prop::collection::btree_map("Z[A-Z0-9]{1,31}", zone_marks(), 0..3);
        (
            prop::option::of(Just(owner)),
            any::<bool>(),
            prop::option::of(previous),
            names(),
            names(),
            zones,
        )
            .prop_map(
                |(owner, deleting, adopted, mail_from, configuration_sets, zones)| Marks {
                    owner,
                    deleting,
                    adopted,
                    mail_from,
                    configuration_sets,
                    zones: zones
                        .into_iter()
                        .map(|(id, marks)| (ZoneId::parse(&id).unwrap(), marks))
                        .collect(),
                },
            )
    }

    proptest! {
        #[test]
        fn marks_read_back_from_tags_that_ses_accepts(marks in marks()) {
            let mut tags = marks.tags();
            for (key, value) in &tags {
                prop_assert!(key.len() <= 128 && value.len() <= 256, "{} = {}", key, value);
                let fits = |c: char| c.is_ascii_alphanumeric() || " _.:/=+-".contains(c);
                prop_assert!(key.chars().chain(value.chars()).all(fits), "{} = {}", key, value);
            }
            tags.insert("team".to_owned(), "marketing".to_owned());
            prop_assert_eq!(Marks::read(&tags), marks.clone());
            prop_assert!(marks.missing_from(&tags).is_empty());
            prop_assert_eq!(Marks::keys(&tags).len(), tags.len() - 1);
        }
    }

    #[test]
    fn tags_of_others_are_no_marks() {
        let tags = [
            ("ses-domain:record/none", "x"),
            ("ses-domain:spf/Z1", "x"),
            ("ses-domain:new/Z1/x", "y"),
            ("a", "b"),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let marks = Marks::read(&tags);
        assert_eq!(marks.owner, None);
        assert!(marks.zones.values().all(|zone| *zone == ZoneMarks::default()));
    }
}
