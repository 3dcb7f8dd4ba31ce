//! The plan alone, over everything that can be observed.

use proptest::prelude::*;
use smtp_credentials::observe::{Key, Observed, Version};
use smtp_credentials::plan::{Desired, GRACE, Refusal, Step, plan};

use crate::world::{HOST, REGION, owner};

const NOW: u64 = 1_795_500_000;

fn desired() -> Desired {
    Desired {
        owner: owner(),
        region: REGION.to_owned(),
        host: HOST.to_owned(),
        port: 587,
    }
}

fn key() -> impl Strategy<Value = Key> {
    let age = prop_oneof![Just(0), Just(GRACE.as_secs() - 1), Just(GRACE.as_secs()), Just(90_000)];
    (prop::sample::select(vec!["K1", "K2", "K3"]), any::<bool>(), age).prop_map(|(id, active, age)| Key {
        id: id.to_owned(),
        active,
        made: NOW - age,
    })
}

fn version() -> impl Strategy<Value = Option<Version>> {
    let username = prop::option::of(prop::sample::select(vec!["K1", "K2", "K3"]));
    let region = prop::sample::select(vec![REGION, "us-east-1"]);
    let host = prop::sample::select(vec![HOST, "localhost"]);
    prop::option::of((username, region, host).prop_map(|(username, region, host)| Version {
        id: "v".to_owned(),
        username: username.map(str::to_owned),
        region: region.to_owned(),
        host: host.to_owned(),
        port: 587,
    }))
}

fn observed() -> impl Strategy<Value = Observed> {
    let keys = prop::collection::vec(key(), 0..=2).prop_map(|mut keys| {
        keys.dedup_by(|a, b| a.id == b.id);
        keys
    });
    (keys, version(), version(), version()).prop_map(|(keys, current, pending, previous)| Observed {
        owner: Some(owner()),
        keys,
        current,
        pending,
        previous,
    })
}

fn refers(version: Option<&Version>, key: &str) -> bool {
    version.is_some_and(|version| version.username.as_deref() == Some(key))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_key_goes_that_a_version_refers_to_and_none_comes_without_need_or_room(observed in observed()) {
        let active = |version: &Version| observed.keys.iter().any(|key| refers(Some(version), &key.id) && key.active);
        let fits = |version: &Version| version.region == REGION && active(version);
        match plan(&desired(), &observed, NOW) {
            Ok(None) => {
                let current = observed.current.as_ref().expect("a current version");
                prop_assert!(fits(current) && current.host == HOST);
            }
            Ok(Some(Step::Readdress)) => prop_assert!(observed.current.as_ref().is_some_and(fits)),
            Ok(Some(Step::Restore(_))) => {
                prop_assert!(observed.previous.as_ref().is_some_and(fits));
                prop_assert!(!observed.current.as_ref().is_some_and(fits));
            }
            Ok(Some(Step::CreateKey)) => {
                prop_assert!(observed.keys.len() < 2);
                prop_assert!(![&observed.current, &observed.previous].into_iter().flatten().any(fits));
            }
            Ok(Some(Step::DeleteKey(key))) => {
                prop_assert_eq!(observed.keys.len(), 2);
                let versions = [&observed.current, &observed.pending, &observed.previous];
                prop_assert!(!versions.into_iter().any(|version| refers(version.as_ref(), &key)));
                let old = observed.keys.iter().all(|other| other.id != key || NOW - other.made >= GRACE.as_secs());
                prop_assert!(old);
            }
            Ok(Some(Step::Wait(key))) => {
                let young = observed.keys.iter().any(|other| other.id == key && NOW - other.made < GRACE.as_secs());
                prop_assert!(young);
            }
            Err(_) => prop_assert_eq!(observed.keys.len(), 2),
        }
    }
}

fn one(id: &str) -> Key {
    Key {
        id: id.to_owned(),
        active: true,
        made: 0,
    }
}

fn naming(key: Option<&str>) -> Version {
    Version {
        id: "v".to_owned(),
        username: key.map(str::to_owned),
        region: "us-east-1".to_owned(),
        host: HOST.to_owned(),
        port: 587,
    }
}

/// Two keys, and versions that are of no use in the region.
fn full(current: Option<&str>, pending: Option<&str>, previous: Option<&str>) -> Result<Option<Step>, Refusal> {
    let observed = Observed {
        owner: Some(owner()),
        keys: vec![one("K1"), one("K2")],
        current: Some(naming(current)),
        pending: pending.map(|pending| naming(Some(pending))),
        previous: previous.map(|previous| naming(Some(previous))),
    };
    plan(&desired(), &observed, NOW)
}

#[test]
fn of_two_keys_the_one_that_no_version_refers_to_makes_room() {
    assert_eq!(full(Some("K1"), None, None), Ok(Some(Step::DeleteKey("K2".to_owned()))));
    assert_eq!(
        full(Some("K3"), None, Some("K1")),
        Ok(Some(Step::DeleteKey("K2".to_owned())))
    );
}

#[test]
fn two_keys_in_use_are_refused_with_the_remedy() {
    let reason = |result: Result<Option<Step>, Refusal>| result.unwrap_err().to_string();
    assert_eq!(
        reason(full(Some("K1"), Some("K2"), None)),
        "has two access keys, K1 and K2, the most that IAM allows, and the secret's current and pending versions refer to \
         them; let the rotation that is going on end, and update the stack again"
    );
    assert_eq!(
        reason(full(Some("K1"), None, Some("K2"))),
        "has two access keys, the most that IAM allows; K2 is that of the secret's previous version, with which tasks that \
         started before may still send. Start them anew, delete the key with aws iam delete-access-key --user-name USER \
         --access-key-id K2, and update the stack again"
    );
    assert_eq!(
        reason(full(None, None, None)),
        "has two access keys, the most that IAM allows, and the secret's current version names no username, so that nobody \
         can tell which key is in use; delete the other one, and update the stack again"
    );
}
