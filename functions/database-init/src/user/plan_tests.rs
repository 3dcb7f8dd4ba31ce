use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::rights::{Right, object};
use super::*;

const OURS: &str = "Ours";
const THEIRS: &str = "Theirs";

fn owner(logical_id: &str) -> Owner {
    Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1", logical_id)
}

/// Nine rights on a schema, a table and a column: enough for every overlap of three sets.
fn all_rights() -> Vec<Right> {
    let places = [(None, None), (Some("orders"), None), (Some("orders"), Some("id"))];
    let on = |(table, column): (Option<&str>, Option<&str>)| object("my_shop", table, column).expect("an object");
    places
        .into_iter()
        .flat_map(|place| ["SELECT", "INSERT", "UPDATE"].map(|name| (on(place), name)))
        .map(|(object, name)| Right {
            privilege: object.privilege(name).expect("known"),
            object,
        })
        .collect()
}

fn rights() -> impl Strategy<Value = Rights> {
    subsequence(all_rights(), 0..=all_rights().len()).prop_map(Rights::from_iter)
}

fn marks() -> impl Strategy<Value = Option<UserMark>> {
    let mark = (select(vec![OURS, THEIRS]), select(vec!["old", "new"]), any::<bool>()).prop_map(
        |(logical_id, id, adopted)| Mark {
            owner: owner(logical_id),
            id: id.into(),
            adopted,
        },
    );
    prop::option::of((mark, rights()).prop_map(|(mark, granted)| UserMark { mark, granted }))
}

fn accounts() -> impl Strategy<Value = Account> {
    let login = select(vec![Login::Accepted, Login::Refused]);
    (any::<bool>(), any::<bool>(), marks(), rights(), login).prop_map(|(requires_tls, locked, mark, rights, login)| {
        Account {
            requires_tls,
            locked,
            mark,
            rights,
            login,
        }
    })
}

fn states() -> impl Strategy<Value = Observed> {
    prop::option::of(accounts()).prop_map(|account| Observed { account })
}

fn desires() -> impl Strategy<Value = Desired> {
    (any::<bool>(), rights()).prop_map(|(adopt, rights)| Desired {
        owner: owner(OURS),
        id: "new".into(),
        adopt,
        rights,
    })
}

/// What the statements do, told in the plainest way.
fn after(mut state: Observed, changes: &[Change]) -> Observed {
    for change in changes {
        if let Change::Create(mark) = change {
            assert!(state.account.is_none(), "made twice");
            state.account = Some(Account {
                requires_tls: true,
                locked: false,
                mark: Some(mark.clone()),
                rights: Rights::default(),
                login: Login::Accepted,
            });
            continue;
        }
        let account = state.account.as_mut().expect("an account to change");
        match change {
            Change::Create(_) => unreachable!("made above"),
            Change::Record(mark) => account.mark = Some(mark.clone()),
            Change::Unlock => account.locked = false,
            Change::RequireTls => account.requires_tls = true,
            Change::SetPassword => account.login = Login::Accepted,
            Change::Grant(rights) => account.rights = account.rights.with(rights),
            Change::Revoke(rights) => account.rights = account.rights.without(rights),
        }
    }
    state
}

proptest! {
    #[test]
    fn nothing_is_left_to_do_after_the_plan_wherever_it_was_cut_off(state in states(), desired in desires(), cut in 0_usize..8) {
        let Ok(changes) = plan(&desired, &state) else { return Ok(()) };
        let half_way = after(state.clone(), &changes[..cut.min(changes.len())]);
        let rest = plan(&desired, &half_way).expect("what was begun may be completed");
        let end = after(half_way, &rest);
        prop_assert_eq!(plan(&desired, &end), Ok(vec![]));
        prop_assert_eq!(end, after(state, &changes), "cut off or not, the end is the same");
    }

    #[test]
    fn in_the_end_the_user_has_every_right_that_is_listed(state in states(), desired in desires()) {
        let Ok(changes) = plan(&desired, &state) else { return Ok(()) };
        let account = after(state, &changes).account.expect("it was made");
        prop_assert_eq!(desired.rights.without(&account.rights), Rights::default());
        prop_assert!(account.requires_tls && !account.locked);
    }

    #[test]
    fn only_rights_that_were_given_for_this_resource_are_revoked(state in states(), desired in desires()) {
        let Ok(changes) = plan(&desired, &state) else { return Ok(()) };
        let mark = state.account.and_then(|account| account.mark).filter(|mark| mark.mark.owner == owner(OURS));
        let ours = mark.map(|mark| mark.granted).unwrap_or_default();
        for change in changes {
            if let Change::Revoke(rights) = change {
                prop_assert_eq!(rights.without(&ours), Rights::default());
                prop_assert_eq!(rights.within(&desired.rights), Rights::default());
            }
        }
    }

    #[test]
    fn a_password_that_works_is_never_set_again(account in accounts(), desired in desires()) {
        let works = account.login == Login::Accepted;
        let Ok(changes) = plan(&desired, &Observed { account: Some(account) }) else { return Ok(()) };
        prop_assert_eq!(changes.contains(&Change::SetPassword), !works);
    }

    #[test]
    fn from_a_to_b_and_back_leaves_a_as_it_was(a in desires(), b in desires()) {
        let made = after(Observed::default(), &plan(&a, &Observed::default()).expect("nothing is there"));
        let there = after(made.clone(), &plan(&b, &made).expect("it is ours"));
        let back = after(there.clone(), &plan(&a, &there).expect("it is ours"));
        prop_assert_eq!(back, made);
    }

    #[test]
    fn what_is_not_ours_is_refused_unless_it_may_be_adopted(mut account in accounts(), mut desired in desires(), theirs: bool) {
        account.mark = account.mark.filter(|_| theirs).map(|mut mark| { mark.mark.owner = owner(THEIRS); mark });
        let refusal = account.mark.as_ref().map_or(Refusal::Unmarked, |mark| Refusal::Foreign(mark.mark.owner.clone()));
        desired.adopt = false;
        let state = Observed { account: Some(account) };
        prop_assert_eq!(plan(&desired, &state), Err(refusal));
        desired.adopt = true;
        let adopted = after(state.clone(), &plan(&desired, &state).expect("it may be adopted"));
        let mark = adopted.account.and_then(|account| account.mark).expect("it is marked");
        for policy in [DeletionPolicy::LockUser, DeletionPolicy::DropUser, DeletionPolicy::DropAll] {
            let steps = plan_removal(policy, &mark);
            prop_assert!(!steps.contains(&Removal::Drop) && !steps.contains(&Removal::Lock), "{:?}", steps);
        }
    }
}

#[test]
fn the_generators_reach_every_kind_of_change() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let (state, desired) = (states(), desires()).new_tree(&mut runner).expect("a value").current();
        for change in plan(&desired, &state).unwrap_or_default() {
            let text = change.to_string();
            seen.insert(text.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        ["create", "grant", "record", "require", "revoke", "set", "unlock"]
    );
}

#[test]
fn a_new_user_is_made_with_its_mark_and_then_given_its_rights() {
    let rights = all_rights().into_iter().take(2).collect::<Rights>();
    let desired = Desired {
        owner: owner(OURS),
        id: "new".into(),
        adopt: false,
        rights: rights.clone(),
    };
    let mark = Mark {
        owner: owner(OURS),
        id: "new".into(),
        adopted: false,
    };
    let changes = plan(&desired, &Observed::default()).expect("nothing is there");
    assert_eq!(
        changes,
        [
            Change::Create(UserMark {
                mark,
                granted: rights.clone()
            }),
            Change::Grant(rights)
        ]
    );
    let texts: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["create the user", r"grant INSERT, SELECT on `my\_shop`.*"]);
}

#[test]
fn each_deletion_policy_does_what_it_says_to_a_user_of_ours() {
    let mark = Mark {
        owner: owner(OURS),
        id: "new".into(),
        adopted: false,
    };
    let mark = UserMark {
        mark,
        granted: Rights::default(),
    };
    assert_eq!(plan_removal(DeletionPolicy::Retain, &mark), []);
    assert_eq!(plan_removal(DeletionPolicy::LockUser, &mark), [Removal::Lock]);
    assert_eq!(plan_removal(DeletionPolicy::DropUser, &mark), [Removal::Drop]);
    assert_eq!(plan_removal(DeletionPolicy::DropAll, &mark), [Removal::Drop]);
}
