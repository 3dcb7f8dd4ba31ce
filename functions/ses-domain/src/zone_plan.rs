//! The part of a plan that concerns one zone: which record sets to create or to replace, and how to take it all back.

use std::collections::BTreeSet;

use crate::dmarc;
use crate::marks::{SpfMark, ZoneMarks};
use crate::names::DnsName;
use crate::plan::{Conflict, PlanError};
use crate::records::{Purpose, Record, TTL};
use crate::settings::Settings;
use crate::spf::{self, Merged, SpfError};
use crate::txt::TxtValue;
use crate::zone::{Change, RecordSet, RecordType, ZoneState, replace};

/// The changes that make `desired` stand in `zone`, remembered in `marks`.
///
/// # Errors
/// [`PlanError`] if a record that is not ours is in the way, or the domain's SPF record cannot be extended.
pub fn changes(
    zone: &ZoneState,
    domain: &DnsName,
    desired: &[Record],
    marks: &mut ZoneMarks,
    notes: &mut Vec<String>,
) -> Result<Vec<Change>, PlanError> {
    let mut planner = Planner {
        zone,
        domain,
        marks,
        changes: Vec::new(),
    };
    for record in desired {
        match record.purpose {
            Purpose::Dkim | Purpose::MailFromMx => planner.alone(record)?,
            Purpose::MailFromSpf => planner.mail_from_spf(record)?,
            Purpose::Dmarc => planner.dmarc(record, notes)?,
            Purpose::ApexSpf => planner.apex_spf(record, notes)?,
        }
    }
    Ok(planner.changes)
}

struct Planner<'a> {
    zone: &'a ZoneState,
    domain: &'a DnsName,
    marks: &'a mut ZoneMarks,
    changes: Vec<Change>,
}

impl Planner<'_> {
    /// A record that bears no other of its name and type.
    fn alone(&mut self, record: &Record) -> Result<(), PlanError> {
        self.refuse_strangers(record)?;
        let Some(set) = self.zone.set(&record.name, &record.kind()) else {
            self.write(record, None, vec![record.value.clone()]);
            return Ok(());
        };
        if set.holds(&record.value) && set.values.len() == 1 {
            return Ok(());
        }
        if set.special || !set.values.iter().all(|value| self.is_ours(record, value)) {
            return Err(self.conflict(set, record));
        }
        self.write(record, Some(set), vec![record.value.clone()]);
        Ok(())
    }

    /// The MAIL FROM domain's SPF record, beside other texts but never beside another SPF record.
    fn mail_from_spf(&mut self, record: &Record) -> Result<(), PlanError> {
        self.refuse_strangers(record)?;
        let Some(set) = self.zone.set(&record.name, &RecordType::Txt) else {
            self.write(record, None, vec![record.value.clone()]);
            return Ok(());
        };
        let kept = self.others(set, record);
        if set.special
            || kept
                .iter()
                .any(|value| TxtValue::parse(value).is_some_and(|txt| spf::is_spf(&txt)))
        {
            return Err(self.conflict(set, record));
        }
        self.put_among(record, set, kept);
        Ok(())
    }

    /// The DMARC record, only where neither the domain nor one above it in the zone has one.
    fn dmarc(&mut self, record: &Record, notes: &mut Vec<String>) -> Result<(), PlanError> {
        let own = self.zone.set(&record.name, &RecordType::Txt);
        let kept = own.map(|set| self.others(set, record)).unwrap_or_default();
        let ours = own.is_some_and(|set| set.values.iter().any(|value| self.is_ours(record, value)));
        for name in dmarc::names(self.domain, Some(&self.zone.zone.name)) {
            let values = if name == record.name {
                kept.clone()
            } else {
                self.texts(&name)
            };
            let mut found = values.iter().filter(|value| is_dmarc(value)).peekable();
            if (!ours || name == record.name) && found.peek().is_some() {
                notes.push(format!("{name} has a DMARC record already, which stays as it is"));
                return Ok(());
            }
        }
        let alias = |set: &RecordSet| set.kind == RecordType::Cname || set.special;
        if self.zone.at(&record.name).any(alias) {
            notes.push(format!(
                "{} leads elsewhere, so its DMARC record stays as it is",
                record.name
            ));
            return Ok(());
        }
        self.refuse_strangers(record)?;
        match own {
            Some(set) => self.put_among(record, set, kept),
            None => self.write(record, None, vec![record.value.clone()]),
        }
        Ok(())
    }

    /// The domain's own SPF record: extended where there is one, else created.
    fn apex_spf(&mut self, record: &Record, notes: &mut Vec<String>) -> Result<(), PlanError> {
        self.refuse_strangers(record)?;
        let set = self.zone.set(&record.name, &RecordType::Txt);
        let values = set.map(|set| set.values.clone()).unwrap_or_default();
        let parsed = |value: &String| TxtValue::parse(value).filter(spf::is_spf);
        let found = values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| Some((index, parsed(value)?)));
        let mark;
        let merged = match found.collect::<Vec<_>>().as_slice() {
            [] => {
                mark = SpfMark::Record;
                [values, vec![record.value.clone()]].concat()
            }
            [(index, value)] => {
                notes.extend(uncounted(record, value));
                match spf::merge(value).map_err(|problem| self.spf_error(problem))? {
                    Merged::Present => return Ok(()),
                    Merged::Inserted(value, insertion) => {
                        mark = SpfMark::Mechanism(insertion);
                        let mut merged = values;
                        merged[*index] = value.to_string();
                        merged
                    }
                }
            }
            several => return Err(self.spf_error(SpfError::SeveralRecords(several.len()))),
        };
        match set {
            Some(set) if set.special => return Err(self.conflict(set, record)),
            Some(set) => self.changes.extend(replace(set, merged)),
            None => self.changes.push(Change::Create(fresh(record, merged))),
        }
        self.marks.spf = Some(mark);
        Ok(())
    }

    /// A name with a CNAME bears nothing else, and a delegated name is another zone's.
    fn refuse_strangers(&self, record: &Record) -> Result<(), PlanError> {
        let apex = record.name == self.zone.zone.name;
        let stranger = |set: &&RecordSet| {
            let exclusive = set.kind == RecordType::Cname || record.kind() == RecordType::Cname;
            let delegated = set.kind == RecordType::Ns && !apex;
            set.kind != record.kind() && (exclusive || delegated)
        };
        match self.zone.at(&record.name).find(stranger) {
            Some(set) => Err(self.conflict(set, record)),
            None => Ok(()),
        }
    }

    fn conflict(&self, set: &RecordSet, record: &Record) -> PlanError {
        let found = if set.special {
            "with an alias or a routing policy".to_owned()
        } else {
            set.values.join(" | ")
        };
        PlanError::Conflict(Box::new(Conflict {
            zone: self.zone.zone.id.clone(),
            name: record.name.to_string(),
            kind: set.kind.clone(),
            found,
            wanted: format!("{} {}", record.kind(), record.value),
            remedy: remedy(record.purpose),
        }))
    }

    fn spf_error(&self, problem: SpfError) -> PlanError {
        PlanError::Spf {
            zone: self.zone.zone.id.clone(),
            name: self.domain.to_string(),
            problem,
        }
    }

    fn texts(&self, name: &DnsName) -> Vec<String> {
        let set = self.zone.set(name, &RecordType::Txt);
        set.map(|set| set.values.clone()).unwrap_or_default()
    }

    fn key(&self, record: &Record) -> (RecordType, String) {
        (record.kind(), label(&record.name, self.domain))
    }

    fn is_ours(&self, record: &Record, value: &str) -> bool {
        let written = self.marks.records.get(&self.key(record));
        written.is_some_and(|written| written.contains(&record.kind().fingerprint(value)))
    }

    /// The values of a set that neither are `record` nor were written for it before.
    fn others(&self, set: &RecordSet, record: &Record) -> Vec<String> {
        let meaning = set.kind.meaning(&record.value);
        let other = |value: &&String| set.kind.meaning(value) != meaning && !self.is_ours(record, value);
        set.values.iter().filter(other).cloned().collect()
    }

    /// Makes `record` one of the set's values, in place of earlier ones of ours; the others stay where they are.
    fn put_among(&mut self, record: &Record, set: &RecordSet, kept: Vec<String>) {
        if set.holds(&record.value) && set.values.len() == kept.len() + 1 {
            return;
        }
        let values = [kept, vec![record.value.clone()]].concat();
        self.write(record, Some(set), values);
    }

    fn write(&mut self, record: &Record, present: Option<&RecordSet>, values: Vec<String>) {
        let mut written = BTreeSet::from([record.kind().fingerprint(&record.value)]);
        if let Some(set) = present {
            let ours = set.values.iter().filter(|value| self.is_ours(record, value));
            written.extend(ours.map(|value| record.kind().fingerprint(value)));
            self.changes.extend(replace(set, values));
        } else {
            self.changes.push(Change::Create(fresh(record, values)));
        }
        let key = self.key(record);
        self.marks.records.insert(key, written);
    }
}

fn fresh(record: &Record, values: Vec<String>) -> RecordSet {
    RecordSet {
        name: record.name.clone(),
        kind: record.kind(),
        ttl: TTL,
        values,
        special: false,
    }
}

/// What the operator should know of an SPF record that brings in others: ours may be the eleventh look-up all the same.
fn uncounted(record: &Record, value: &TxtValue) -> Option<String> {
    let borrowed = spf::borrowed(value);
    (!borrowed.is_empty()).then(|| {
        format!(
            "the SPF record of {} brings in others ({}); what they look up themselves was not counted, and receivers allow {} \
             DNS look-ups in all",
            record.name,
            borrowed.join(", "),
            spf::MOST_LOOKUPS
        )
    })
}

fn is_dmarc(value: &str) -> bool {
    let text = TxtValue::parse(value).map(|txt| txt.bytes()).unwrap_or_default();
    let version = text.split(|b| *b == b';').next().unwrap_or_default();
    let version = version.iter().filter(|b| **b != b' ').copied().collect::<Vec<_>>();
    version.eq_ignore_ascii_case(b"v=DMARC1")
}

/// A name below the domain as the marks spell it; empty for the domain itself.
fn label(name: &DnsName, domain: &DnsName) -> String {
    if name == domain {
        String::new()
    } else {
        name.relative_to(domain)
    }
}

fn remedy(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Dkim => "remove it: the name belongs to this identity's DKIM key",
        Purpose::MailFromMx | Purpose::MailFromSpf => {
            "remove it, or choose another MailFromSubdomain: SES needs a name of its own for MAIL FROM"
        }
        Purpose::Dmarc => "remove it, or set DmarcPolicy to nothing",
        Purpose::ApexSpf => "remove it, or set ApexSpf to false",
    }
}

/// Takes from `marks` what was written for a setting that is now off; gives it as marks of their own. What is off shall not
/// be there: a later setting, or a rollback, writes it again, and the same.
#[must_use]
pub fn switched_off(settings: &Settings, marks: &mut ZoneMarks) -> ZoneMarks {
    let mut off = ZoneMarks::default();
    if !settings.apex_spf {
        off.spf = marks.spf.take();
    }
    if settings.dmarc.is_none() {
        let key = (RecordType::Txt, dmarc::LABEL.to_owned());
        off.records.extend(marks.records.remove_entry(&key));
    }
    off
}

/// The names at which `marks` say that something was written.
#[must_use]
pub fn marked_names(domain: &DnsName, marks: &ZoneMarks) -> Vec<DnsName> {
    let records = marks
        .records
        .keys()
        .map(|(_, label)| DnsName::parse(label).below(domain));
    let names = records
        .chain(marks.spf.map(|_| domain.clone()))
        .collect::<BTreeSet<_>>();
    names.into_iter().collect()
}

/// The changes that take back what `marks` say was written. What changed since is left alone.
#[must_use]
pub fn removal(domain: &DnsName, marks: &ZoneMarks, zone: &ZoneState) -> Vec<Change> {
    let mut changes = Vec::new();
    for ((kind, label), written) in &marks.records {
        let name = DnsName::parse(label).below(domain);
        if let Some(set) = zone.set(&name, kind).filter(|set| !set.special) {
            let ours = |value: &&String| written.contains(&kind.fingerprint(value));
            let kept = set
                .values
                .iter()
                .filter(|value| !ours(value))
                .cloned()
                .collect::<Vec<_>>();
            if kept.len() < set.values.len() {
                changes.extend(replace(set, kept));
            }
        }
    }
    let apex = zone.set(domain, &RecordType::Txt).filter(|set| !set.special);
    if let (Some(mark), Some(set)) = (marks.spf, apex) {
        changes.extend(spf_removal(mark, set));
    }
    changes
}

fn spf_removal(mark: SpfMark, set: &RecordSet) -> Vec<Change> {
    let ours = TxtValue::of(spf::RECORD).bytes();
    let mut values = Vec::new();
    for raw in &set.values {
        let parsed = TxtValue::parse(raw).filter(spf::is_spf);
        match (mark, parsed) {
            (SpfMark::Record, Some(value)) if value.bytes() == ours => {}
            (_, Some(value)) => {
                let removed = spf::remove(&value, mark.insertion());
                values.push(removed.map_or_else(|| raw.clone(), |value| value.to_string()));
            }
            (_, None) => values.push(raw.clone()),
        }
    }
    if values == set.values {
        Vec::new()
    } else {
        replace(set, values)
    }
}
