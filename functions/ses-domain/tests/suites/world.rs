//! SES and Route 53 in memory, as strict as they are: the oracle that plans are applied to.

use std::collections::{BTreeMap, BTreeSet};

use custom_resource::Owner;
use recorded_calls::Refusal;
use ses_domain::identity::{Identity, MailFrom};
use ses_domain::names::{DnsName, Domain};
use ses_domain::plan::{self, Observed, PlanError, Step};
use ses_domain::records::{DkimKeys, SIGNING_ZONE};
use ses_domain::settings::{Settings, ZoneId};
use ses_domain::txt::TxtValue;
use ses_domain::zone::{Change, HostedZone, RecordSet, RecordType, ZoneState};
use ses_domain::zone_plan::{marked_names, removal};

pub const REGION: &str = "eu-central-1";

#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub zones: Vec<ZoneState>,
    pub identities: BTreeMap<String, Identity>,
    /// The configuration sets that exist; `None`: any.
    pub configuration_sets: Option<BTreeSet<String>>,
    pub production: bool,
    /// Whether SES looks for records at all.
    pub ses_looks: bool,
    /// Whether CloudFormation has begun to delete the resource.
    pub withdrawn: bool,
    /// How many more times a change is shown as pending.
    pub spreading: u32,
    /// Each identity gets tokens of its own.
    pub created: u32,
    /// How many record sets Route 53 lists in one page; two, to turn pages.
    pub page: usize,
}

pub fn owner() -> Owner {
    Owner::new(custom_resource::testing::STACK_ID, custom_resource::testing::LOGICAL_ID)
}

pub fn settings(properties: serde_json::Value) -> Settings {
    serde_json::from_value(properties).expect("valid properties")
}

pub fn zone_id(text: &str) -> ZoneId {
    ZoneId::parse(text).expect("a zone's id")
}

pub fn hosted_zone(id: &str, name: &str) -> HostedZone {
    HostedZone {
        id: zone_id(id),
        name: DnsName::parse(name),
        private: false,
    }
}

pub fn set(name: &str, kind: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        name: DnsName::parse(name),
        kind: RecordType::from(kind),
        ttl: 3600,
        values: values.iter().map(ToString::to_string).collect(),
        special: false,
    }
}

impl World {
    /// One public zone `Z1` for `name`, with the records that every zone has and `sets`.
    pub fn with_zone(name: &str, sets: &[RecordSet]) -> Self {
        let apex = [
            set(name, "NS", &["ns-1.example.net."]),
            set(name, "SOA", &["ns-1.example.net. a. 1 1 1 1 1"]),
        ];
        let zone = hosted_zone("Z1", name);
        Self {
            zones: vec![ZoneState {
                zone,
                sets: [&apex, sets].concat(),
            }],
            identities: BTreeMap::new(),
            configuration_sets: None,
            production: false,
            ses_looks: true,
            withdrawn: false,
            spreading: 0,
            created: 0,
            page: 2,
        }
    }

    pub fn zone(&mut self, id: &ZoneId) -> Result<&mut ZoneState, Refusal> {
        let found = self.zones.iter_mut().find(|state| state.zone.id == *id);
        found.ok_or_else(|| Refusal("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")))
    }

    /// The records of the zone `Z1`, in order.
    pub fn records(&self) -> Vec<String> {
        let mut lines = self.zones[0].sets.iter().map(line).collect::<Vec<_>>();
        lines.sort();
        lines
    }

    /// What the zones hold, whatever the order of the sets.
    pub fn all_records(&self) -> BTreeMap<String, Vec<String>> {
        let sorted = |state: &ZoneState| {
            let mut lines = state
                .sets
                .iter()
                .map(|set| format!("{} {set:?}", line(set)))
                .collect::<Vec<_>>();
            lines.sort();
            (state.zone.id.to_string(), lines)
        };
        self.zones.iter().map(sorted).collect()
    }

    pub fn value(&self, name: &str, kind: &str) -> Vec<String> {
        let found = self.zones[0].set(&DnsName::parse(name), &RecordType::from(kind));
        found.map(|set| set.values.clone()).unwrap_or_default()
    }

    /// Somebody else writes a record set, or removes it by giving no values.
    pub fn edit(&mut self, name: &str, kind: &str, values: &[&str]) {
        let edited = set(name, kind, values);
        let sets = &mut self.zones[0].sets;
        sets.retain(|set| set.name != edited.name || set.kind != edited.kind);
        if !values.is_empty() {
            sets.push(edited);
        }
    }

    /// The identity as SES describes it now.
    pub fn identity(&self, domain: &str) -> Option<Identity> {
        let mut identity = self.identities.get(domain)?.clone();
        let dkim = identity.keys.tokens.iter().all(|token| {
            let zone = identity.keys.zone.as_deref().unwrap_or(SIGNING_ZONE);
            self.resolves(
                &format!("{token}._domainkey.{domain}"),
                "CNAME",
                &format!("{token}.{zone}"),
            )
        });
        identity.dkim_status = self.status(dkim);
        if let Some(from) = &mut identity.mail_from {
            let host = format!("10 feedback-smtp.{REGION}.amazonses.com");
            from.status = self.status(self.resolves(&from.domain, "MX", &host));
        }
        Some(identity)
    }

    fn status(&self, found: bool) -> String {
        if found && self.ses_looks { "SUCCESS" } else { "PENDING" }.to_owned()
    }

    /// Whether a resolver finds exactly this record in the zone that answers for the name.
    fn resolves(&self, name: &str, kind: &str, value: &str) -> bool {
        let (name, kind) = (DnsName::parse(name), RecordType::from(kind));
        let holding = self
            .zones
            .iter()
            .filter(|state| !state.zone.private && name.is_within(&state.zone.name));
        let set = holding
            .max_by_key(|state| state.zone.name.depth())
            .and_then(|state| state.set(&name, &kind));
        set.is_some_and(|set| set.values.len() == 1 && set.holds(value))
    }

    pub fn step(&mut self, domain: &str, step: &Step) -> Result<(), Refusal> {
        match step {
            Step::CreateIdentity {
                tags,
                configuration_set,
            } => {
                if self.identities.contains_key(domain) {
                    return Err(Refusal(
                        "AlreadyExistsException",
                        format!("Email identity {domain} already exist."),
                    ));
                }
                self.known(configuration_set.as_ref())?;
                self.created += 1;
                let token = |index: u32| format!("{:032}", self.created * 10 + index);
                let identity = Identity {
                    keys: DkimKeys {
                        tokens: (1..=3).map(token).collect(),
                        zone: None,
                    },
                    tags: tags.clone(),
                    configuration_set: configuration_set.clone(),
                    ..Identity::default()
                };
                self.identities.insert(domain.to_owned(), identity);
            }
            Step::Mark(tags) => self.existing(domain)?.tags.extend(tags.clone()),
            Step::Unmark(keys) => self.existing(domain)?.tags.retain(|key, _| !keys.contains(key)),
            Step::ChangeRecords { zone, changes } => change(self.zone(zone)?, changes)?,
            Step::SetMailFrom(name) => {
                let status = "PENDING".to_owned();
                let from = name.clone().map(|domain| MailFrom { domain, status });
                self.existing(domain)?.mail_from = from;
            }
            Step::SetConfigurationSet(set) => {
                self.known(set.as_ref())?;
                self.existing(domain)?.configuration_set.clone_from(set);
            }
            Step::DeleteIdentity => {
                self.existing(domain)?;
                self.identities.remove(domain);
            }
        }
        Ok(())
    }

    fn existing(&mut self, domain: &str) -> Result<&mut Identity, Refusal> {
        let missing = || Refusal("NotFoundException", format!("Email identity {domain} does not exist."));
        self.identities.get_mut(domain).ok_or_else(missing)
    }

    fn known(&self, set: Option<&String>) -> Result<(), Refusal> {
        match (set, &self.configuration_sets) {
            (Some(set), Some(known)) if !known.contains(set) => Err(Refusal(
                "NotFoundException",
                format!("Configuration set <{set}> does not exist."),
            )),
            _ => Ok(()),
        }
    }

    /// Plans and applies until nothing is left to do, without any client. Panics if a planned step is refused.
    pub fn set_up(&mut self, settings: &Settings) -> Result<(), PlanError> {
        for _ in 0..4 {
            let steps = self.plan(settings)?;
            if steps.is_empty() {
                return Ok(());
            }
            for step in &steps {
                self.step(settings.domain.as_str(), step)
                    .unwrap_or_else(|refusal| panic!("{step}: {refusal:?}"));
            }
        }
        panic!("still not done: {:?}", self.plan(settings))
    }

    pub fn plan(&self, settings: &Settings) -> Result<Vec<Step>, PlanError> {
        let identity = self.identity(settings.domain.as_str());
        let observed = Observed {
            identity: identity.as_ref(),
            zone: Some(&self.zones[0]),
            region: REGION,
        };
        plan::plan(&owner(), settings, observed).map(|plan| plan.steps)
    }

    /// Takes everything back, without any client.
    pub fn tear_down(&mut self, domain: &Domain) {
        let identity = self.identity(domain.as_str()).expect("an identity");
        for (id, marks) in identity.marks().zones {
            let state = self.zone(&id).expect("a zone").clone();
            assert!(state.sets.iter().all(|set| set.name.is_within(&state.zone.name)));
            let names = marked_names(&domain.name(), &marks);
            let changes = removal(&domain.name(), &marks, &state);
            let touched = changes.iter().all(|change| match change {
                Change::Create(set) | Change::Delete(set) => names.contains(&set.name),
            });
            assert!(touched, "a change beside the marked names: {changes:?}");
            if !changes.is_empty() {
                let step = Step::ChangeRecords { zone: id, changes };
                self.step(domain.as_str(), &step).expect("a valid batch");
            }
        }
        for step in plan::farewell(&identity, domain) {
            self.step(domain.as_str(), &step).expect("a valid step");
        }
    }
}

fn line(set: &RecordSet) -> String {
    format!("{} {} {}", set.name, set.kind, set.values.join(" | "))
}

/// A batch as Route 53 takes it: in order, all or nothing, and only into a valid zone.
pub fn change(state: &mut ZoneState, changes: &[Change]) -> Result<(), Refusal> {
    let refused = |text: String| Err(Refusal("InvalidChangeBatch", text));
    let mut sets = state.sets.clone();
    let mut deleted = BTreeSet::new();
    for change in changes {
        let (Change::Create(set) | Change::Delete(set)) = change;
        let key = |other: &RecordSet| other.name == set.name && other.kind == set.kind;
        let what = format!("[name='{}.', type='{}']", set.name, set.kind);
        if !set.name.is_within(&state.zone.name) {
            return refused(format!(
                "RRSet with DNS name {}. is not permitted in zone {}.",
                set.name, state.zone.name
            ));
        }
        match change {
            Change::Delete(set) => {
                match sets.iter().find(|other| key(other)) {
                    None => {
                        return refused(format!(
                            "Tried to delete resource record set {what} but it was not found"
                        ));
                    }
                    Some(other) if other != set => {
                        let why = "but the values provided do not match the current values";
                        return refused(format!("Tried to delete resource record set {what} {why}"));
                    }
                    Some(_) => sets.retain(|other| !key(other)),
                }
                assert!(deleted.insert(what), "deleted twice in one batch");
            }
            Change::Create(set) => {
                if sets.iter().any(key) {
                    return refused(format!(
                        "Tried to create resource record set {what} but it already exists"
                    ));
                }
                valid(set)?;
                sets.push(set.clone());
            }
        }
    }
    for set in &sets {
        let lonely = set.kind == RecordType::Cname;
        if lonely
            && sets
                .iter()
                .any(|other| other.name == set.name && other.kind != set.kind)
        {
            return refused(format!(
                "RRSet of type CNAME with DNS name {}. is not permitted",
                set.name
            ));
        }
    }
    state.sets = sets;
    Ok(())
}

fn valid(set: &RecordSet) -> Result<(), Refusal> {
    let invalid = |value: &str| {
        Err(Refusal(
            "InvalidChangeBatch",
            format!("Invalid Resource Record: '{value}'"),
        ))
    };
    let meanings = set.values.iter().collect::<BTreeSet<_>>();
    if set.values.is_empty() || set.special || meanings.len() != set.values.len() {
        return invalid("");
    }
    for value in &set.values {
        let fits = match set.kind {
            RecordType::Cname => set.values.len() == 1,
            RecordType::Mx => value
                .split_once(' ')
                .is_some_and(|(preference, _)| preference.parse::<u16>().is_ok()),
            RecordType::Txt => {
                let strings = TxtValue::parse(value).map(|txt| txt.decoded()).unwrap_or_default();
                !strings.is_empty() && strings.iter().all(|s| s.len() <= 255) && value.len() <= 4000
            }
            _ => true,
        };
        if !fits {
            return invalid(value);
        }
    }
    Ok(())
}
