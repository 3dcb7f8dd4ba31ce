//! Decides what to do. Nothing here calls anything: from what was observed to a list of steps, which is logged, compared
//! in tests, and carried out by [`crate::apply`]. Planning again after the steps gives an empty plan.

use std::collections::BTreeSet;
use std::fmt;

use custom_resource::Owner;
use thiserror::Error;

use crate::dmarc;
use crate::identity::Identity;
use crate::marks::{DELETING, Marks, Previous, Tags, ZoneMarks};
use crate::names::{DnsName, Domain};
use crate::records;
use crate::settings::{Settings, ZoneId};
use crate::spf::SpfError;
use crate::zone::{Change, HostedZone, RecordType, ZoneState};
use crate::zone_plan::{self, marked_names, removal, switched_off};

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The identity, if it exists.
    pub identity: Option<&'a Identity>,
    /// The zone; `None`: the DNS is elsewhere.
    pub zone: Option<&'a ZoneState>,
    /// The region, which the MAIL FROM record names.
    pub region: &'a str,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Create the identity with its owner's mark. SES makes up the DKIM tokens, so the rest is planned after that.
    CreateIdentity {
        /// The tags.
        tags: Tags,
        /// The configuration set.
        configuration_set: Option<String>,
    },
    /// Remember in the identity's tags what the next steps do.
    Mark(Tags),
    /// Forget tags.
    Unmark(Vec<String>),
    /// Change the zone, all or nothing.
    ChangeRecords {
        /// The zone.
        zone: ZoneId,
        /// The changes.
        changes: Vec<Change>,
    },
    /// Use this MAIL FROM domain, or SES's own.
    SetMailFrom(Option<String>),
    /// Use this configuration set by default, or none.
    SetConfigurationSet(Option<String>),
    /// Delete the identity.
    DeleteIdentity,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "none".to_owned();
        match self {
            Self::CreateIdentity { .. } => f.write_str("create the identity"),
            Self::Mark(tags) => write!(f, "write {} tags", tags.len()),
            Self::Unmark(keys) => write!(f, "remove {} tags", keys.len()),
            Self::ChangeRecords { zone, changes } => {
                let changes = changes.iter().map(ToString::to_string).collect::<Vec<_>>();
                write!(f, "change zone {zone}: {}", changes.join("; "))
            }
            Self::SetMailFrom(name) => write!(f, "set MAIL FROM to {}", name.clone().unwrap_or_else(none)),
            Self::SetConfigurationSet(name) => {
                write!(f, "set the configuration set to {}", name.clone().unwrap_or_else(none))
            }
            Self::DeleteIdentity => f.write_str("delete the identity"),
        }
    }
}

/// What to do, in this order, and what the operator should know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Remarks for the log, such as a DMARC record that was left alone.
    pub notes: Vec<String>,
}

/// Why nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The identity exists and bears no mark.
    #[error(
        "SES identity {0} exists already and was not made by a stack; set AdoptExisting to true to use it (deleting \
         the stack then gives it back rather than deleting it), or delete it first"
    )]
    Unowned(String),
    /// The identity belongs to another stack or resource.
    #[error("SES identity {domain} belongs to {owner}; delete it there, or use another Domain here")]
    OwnedByOther {
        /// The identity.
        domain: String,
        /// Whose it is.
        owner: Owner,
    },
    /// A record that we did not write is in the way.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The domain's SPF record cannot be extended.
    #[error("{name} in zone {zone} {problem}")]
    Spf {
        /// The zone.
        zone: ZoneId,
        /// The name.
        name: String,
        /// What is wrong.
        problem: SpfError,
    },
}

/// A record that we did not write, where one of ours should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name} has the {kind} record {found} in zone {zone}, which keeps {wanted} from being created; {remedy}")]
pub struct Conflict {
    /// The zone.
    pub zone: ZoneId,
    /// The name.
    pub name: String,
    /// The type of what is in the way.
    pub kind: RecordType,
    /// Its values.
    pub found: String,
    /// What should stand there.
    pub wanted: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// The names whose records a plan depends on.
#[must_use]
pub fn names(settings: &Settings, identity: Option<&Identity>, zone: &HostedZone) -> Vec<DnsName> {
    let domain = settings.domain.name();
    let absent = Identity::default();
    let identity = identity.unwrap_or(&absent);
    // The region does not change any name.
    let records = records::desired(settings, &identity.keys, "");
    let mut names = records.into_iter().map(|record| record.name).collect::<Vec<_>>();
    if settings.dmarc.is_some() {
        names.extend(dmarc::names(&domain, Some(&zone.name)));
    }
    if let Some(marks) = identity.marks().zones.get_mut(&zone.id) {
        names.extend(marked_names(&domain, &switched_off(settings, marks)));
    }
    names.sort();
    names.dedup();
    names
}

/// Plans a Create or an Update.
///
/// # Errors
/// [`PlanError`] if something that is not ours is in the way: then nothing at all is to be changed.
pub fn plan(owner: &Owner, settings: &Settings, observed: Observed<'_>) -> Result<Plan, PlanError> {
    let absent = Identity::default();
    let identity = observed.identity.unwrap_or(&absent);
    let present = identity.marks();
    let mut marks = claim(owner, settings, observed.identity, present)?;
    let mut plan = Plan::default();
    let desired = records::desired(settings, &identity.keys, observed.region);
    let (mut changes, mut forgotten) = (Vec::new(), Vec::new());
    if let Some(zone) = observed.zone {
        let (id, domain) = (&zone.zone.id, settings.domain.name());
        let zone_marks = marks.zones.entry(id.clone()).or_default();
        zone_marks.role.clone_from(&settings.role);
        let off = switched_off(settings, zone_marks);
        changes = removal(&domain, &off, zone);
        forgotten = off.keys(id);
        changes.extend(zone_plan::changes(
            zone,
            &domain,
            &desired,
            zone_marks,
            &mut plan.notes,
        )?);
    }
    plan.notes.extend(authorisation(settings));
    let Some(identity) = observed.identity else {
        let (tags, configuration_set) = (first_tags(marks, settings), settings.configuration_set.clone());
        plan.steps = vec![Step::CreateIdentity {
            tags,
            configuration_set,
        }];
        return Ok(plan);
    };
    let attributes = attributes(settings, identity, &mut marks);
    if identity.marks().deleting {
        plan.steps.push(Step::Unmark(vec![DELETING.to_owned()]));
    }
    let tags = marks.missing_from(&identity.tags);
    if !tags.is_empty() {
        plan.steps.push(Step::Mark(tags));
    }
    if let Some(zone) = observed.zone.filter(|_| !changes.is_empty()) {
        let zone = zone.zone.id.clone();
        plan.steps.push(Step::ChangeRecords { zone, changes });
    }
    if !forgotten.is_empty() {
        // Only now: whatever happens before this, the marks lead to the records.
        plan.steps.push(Step::Unmark(forgotten));
    }
    plan.steps.extend(attributes);
    Ok(plan)
}

/// The marks of an identity that is ours, or becomes ours.
fn claim(
    owner: &Owner,
    settings: &Settings,
    identity: Option<&Identity>,
    mut marks: Marks,
) -> Result<Marks, PlanError> {
    let domain = settings.domain.to_string();
    match (&marks.owner, identity) {
        (Some(other), _) if other != owner => {
            let owner = other.clone();
            return Err(PlanError::OwnedByOther { domain, owner });
        }
        (None, Some(identity)) if settings.adopt_existing => {
            marks.adopted = Some(Previous {
                mail_from: identity.mail_from.as_ref().map(|mail_from| mail_from.domain.clone()),
                configuration_set: identity.configuration_set.clone(),
            });
        }
        (None, Some(_)) => return Err(PlanError::Unowned(domain)),
        _ => {}
    }
    marks.owner = Some(owner.clone());
    marks.deleting = false;
    Ok(marks)
}

/// The tags that a new identity is born with. What is written into the zone is not known before the DKIM tokens.
fn first_tags(marks: Marks, settings: &Settings) -> Tags {
    let born = Marks {
        configuration_sets: settings.configuration_set.iter().cloned().collect(),
        zones: marks
            .zones
            .into_iter()
            .map(|(id, zone)| {
                (
                    id,
                    ZoneMarks {
                        role: zone.role,
                        ..ZoneMarks::default()
                    },
                )
            })
            .collect(),
        ..marks
    };
    born.tags()
}

/// The identity's own settings, remembered in `marks` where they change.
fn attributes(settings: &Settings, identity: &Identity, marks: &mut Marks) -> Vec<Step> {
    let mut steps = Vec::new();
    let label = identity.mail_from_label(&settings.domain).map(str::to_owned);
    let failed = identity
        .mail_from
        .as_ref()
        .is_some_and(|mail_from| mail_from.status == "FAILED");
    let present = identity.mail_from.is_some();
    let ours = marks.adopted.is_none() || label.as_ref().is_some_and(|label| marks.mail_from.contains(label));
    match &settings.mail_from {
        // SES gives up after three days; setting the domain again makes it look again.
        Some(wanted) if label.as_ref() != Some(wanted) || failed => {
            marks.mail_from = remembered(&marks.mail_from, label.as_ref(), wanted);
            steps.push(Step::SetMailFrom(settings.mail_from_domain()));
        }
        None if present && ours => steps.push(Step::SetMailFrom(None)),
        _ => {}
    }
    let set = identity.configuration_set.as_ref();
    let ours = marks.adopted.is_none() || set.is_some_and(|set| marks.configuration_sets.contains(set));
    match &settings.configuration_set {
        Some(wanted) if set != Some(wanted) => {
            marks.configuration_sets = remembered(&marks.configuration_sets, set, wanted);
            steps.push(Step::SetConfigurationSet(Some(wanted.clone())));
        }
        None if set.is_some() && ours => steps.push(Step::SetConfigurationSet(None)),
        _ => {}
    }
    steps
}

/// What we set: the present value if it was ours, and the one to come.
fn remembered(ours: &BTreeSet<String>, present: Option<&String>, wanted: &String) -> BTreeSet<String> {
    let kept = present.filter(|present| ours.contains(*present));
    kept.into_iter().chain([wanted]).cloned().collect()
}

fn authorisation(settings: &Settings) -> Option<String> {
    let name = settings.dmarc.as_ref()?.authorisation(&settings.domain)?;
    Some(format!(
        "DMARC reports go to another domain, which must allow that: publish {name} TXT \"v=DMARC1;\" there"
    ))
}

/// Plans the end of an identity whose records are gone: deleted if we made it, given back as it was if we adopted it.
#[must_use]
pub fn farewell(identity: &Identity, domain: &Domain) -> Vec<Step> {
    let marks = identity.marks();
    let Some(previous) = &marks.adopted else {
        return vec![Step::DeleteIdentity];
    };
    let mut steps = Vec::new();
    let label = identity.mail_from_label(domain).map(str::to_owned);
    if label.is_some_and(|label| marks.mail_from.contains(&label)) {
        let now = identity.mail_from.as_ref().map(|mail_from| &mail_from.domain);
        if now != previous.mail_from.as_ref() {
            steps.push(Step::SetMailFrom(previous.mail_from.clone()));
        }
    }
    let set = identity.configuration_set.as_ref();
    if set.is_some_and(|set| marks.configuration_sets.contains(set)) && set != previous.configuration_set.as_ref() {
        steps.push(Step::SetConfigurationSet(previous.configuration_set.clone()));
    }
    steps.push(Step::Unmark(Marks::keys(&identity.tags)));
    steps
}
