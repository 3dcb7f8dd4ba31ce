//! The plan alone, over everything that can be observed.

use std::collections::BTreeSet;

use database::Error;
use mautic_release::Action;
use mautic_release::plan::{Direction, Done, Observed, Order, Refusal, Step, needs_schema, plan};
use mautic_release::schema::{Contents, Record, Schema};
use mautic_release::tasks::{Ending, Task, started_by};
use proptest::prelude::*;

const EVENT: &str = "0c5f7c9e";

fn action() -> impl Strategy<Value = Action> {
    prop::sample::select(vec![Action::Install, Action::Migrate])
}

fn record() -> impl Strategy<Value = Option<Record>> {
    prop::option::of(action().prop_map(|action| Record {
        action,
        mautic_version: "7.2.1".to_owned(),
    }))
}

const TABLES: [&str; 8] = [
    "aws_installation",
    "aws_releases",
    "leads",
    "lead_fields",
    "users",
    "migrations",
    "orders",
    "m_leads",
];

/// What can stand in a schema; half of the time a whole Mautic, so that both are met.
fn contents() -> impl Strategy<Value = Contents> {
    let tables = prop_oneof![
        prop::sample::subsequence(TABLES.to_vec(), 0..=TABLES.len()),
        prop::sample::subsequence(vec!["orders", "aws_releases"], 0..=2).prop_map(|more| [
            vec!["leads", "lead_fields", "users", "migrations"],
            more
        ]
        .concat()),
    ];
    let migration = prop::option::of(Just("Version1".to_owned()));
    (tables, any::<(bool, bool)>(), migration, record(), record()).prop_map(|(tables, rows, migration, last, own)| {
        let tables: BTreeSet<String> = tables.into_iter().map(str::to_owned).collect();
        let is_there = |name: &str| tables.contains(name);
        let core = is_there("users") && is_there("lead_fields");
        Contents {
            has_users: core && rows.0,
            has_fields: core && rows.1,
            latest_migration: migration.filter(|_| core && is_there("migrations")),
            last: last.filter(|_| is_there("aws_releases")),
            own: own.filter(|_| is_there("aws_releases")),
            tables,
        }
    })
}

fn unreadable() -> impl Strategy<Value = Schema> {
    let transient = Error::Transient {
        address: "db:3306".to_owned(),
        reason: "busy".to_owned(),
    };
    let lasting = Error::Tls {
        address: "db:3306".to_owned(),
        reason: "unknown issuer".to_owned(),
    };
    prop::sample::select(vec![transient, lasting]).prop_map(Schema::Unreadable)
}

fn schema() -> impl Strategy<Value = Schema> {
    prop_oneof![
        8 => prop::option::weighted(0.9, contents()).prop_map(|contents| Schema::of(contents, "")),
        1 => unreadable(),
    ]
}

fn task() -> impl Strategy<Value = Task> {
    let by = prop::sample::select(vec![started_by(EVENT), started_by("another"), String::new()]);
    let code = prop::sample::select(vec![None, Some(0), Some(1), Some(137)]);
    let ending = prop::option::of(code.prop_map(|exit_code| Ending {
        exit_code,
        reason: "why".to_owned(),
    }));
    (by, action(), ending).prop_map(|(started_by, action, ending)| Task {
        arn: "arn:aws:ecs:eu:1:task/shop/1".to_owned(),
        started_by,
        action: Some(action),
        ending,
    })
}

fn scene() -> impl Strategy<Value = (Direction, Option<u64>, Observed)> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Forward, Direction::Back]);
    let over = prop::option::weighted(0.3, Just(30));
    (direction, over, prop::collection::vec(task(), 0..3), schema()).prop_map(|(direction, over, tasks, schema)| {
        let order = Order {
            direction,
            request_id: EVENT,
            over,
        };
        let schema = if needs_schema(order, &tasks) {
            schema
        } else {
            Schema::InUse
        };
        (direction, over, Observed { tasks, schema })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_is_installed_over_anything_and_no_task_runs_beside_another(scene in scene()) {
        let (direction, over, observed) = scene;
        let order = Order { direction, request_id: EVENT, over };
        let own = observed.tasks.iter().find(|task| task.started_by == started_by(EVENT));
        match plan(order, &observed) {
            Ok(Step::Start(action)) => {
                prop_assert!(direction == Direction::Forward && over.is_none() && own.is_none());
                prop_assert!(!observed.tasks.iter().any(Task::runs));
                let wanted = match &observed.schema {
                    Schema::Empty => Action::Install,
                    Schema::Installed(installed) if installed.own.is_none() => Action::Migrate,
                    other => panic!("{action} over {other}"),
                };
                prop_assert_eq!(action, wanted);
            }
            Ok(Step::Wait(task)) => {
                prop_assert!(direction == Direction::Forward && over.is_none(), "it ends");
                let unreadable = matches!(observed.schema, Schema::Unreadable(Error::Transient { .. }));
                prop_assert!(unreadable || (task.is_some() && observed.tasks.iter().any(Task::runs)));
            }
            Ok(Step::Done(Done::LeftAlone)) => prop_assert_eq!(direction, Direction::Back),
            Ok(Step::Done(Done::Released { .. })) => {
                let Schema::Installed(installed) = &observed.schema else {
                    panic!("done with {}", observed.schema)
                };
                prop_assert!(installed.own.is_some(), "without its record");
                let ended_well = |own: &Task| own.ending.as_ref().is_some_and(|ending| ending.exit_code == Some(0));
                prop_assert!(own.is_none_or(ended_well));
            }
            Err(Refusal::StillAtWork { .. }) => {
                prop_assert!(over.is_some() && observed.tasks.iter().any(Task::runs));
            }
            Err(Refusal::NoTime { .. }) => prop_assert!(over.is_some()),
            Err(_) => prop_assert_eq!(direction, Direction::Forward),
        }
    }

    #[test]
    fn a_schema_is_empty_only_without_tables_and_installed_only_whole(contents in contents()) {
        let others = contents.tables.iter().filter(|name| !name.starts_with("aws_")).count();
        match Schema::of(Some(contents.clone()), "") {
            Schema::Empty => prop_assert_eq!(others, 0),
            Schema::Installed(_) => {
                prop_assert!(contents.has_users && contents.has_fields && contents.latest_migration.is_some());
                prop_assert!(!contents.tables.contains("aws_installation"));
            }
            Schema::Foreign(tables) => {
                prop_assert_eq!(tables.len(), others);
                prop_assert!(!contents.tables.contains("leads") && !contents.tables.contains("lead_fields"));
            }
            Schema::Unrecorded => prop_assert!(contents.has_users && contents.latest_migration.is_none()),
            Schema::HalfInstalled { .. } => prop_assert!(others > 0),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_scenes_reach_every_kind_of_step() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..4000 {
        let (direction, over, observed) = scene().new_tree(&mut runner).expect("a scene").current();
        let step = plan(
            Order {
                direction,
                request_id: EVENT,
                over,
            },
            &observed,
        );
        met.insert(match step {
            Ok(Step::Start(action)) => format!("start {action}"),
            Ok(Step::Wait(Some(_))) => "wait for a task".to_owned(),
            Ok(Step::Wait(None)) => "wait for the database".to_owned(),
            Ok(Step::Done(Done::Released { task, .. })) => format!("done, task known: {}", task.is_some()),
            Ok(Step::Done(Done::LeftAlone)) => "left alone".to_owned(),
            Err(Refusal::Holds(schema)) => format!("refused: {}", schema.word()),
            Err(Refusal::Unreadable(_)) => "unreadable".to_owned(),
            Err(Refusal::StillAtWork { .. }) => "still at work".to_owned(),
            Err(Refusal::NoTime { .. }) => "no time".to_owned(),
            Err(Refusal::Failed { .. }) => "failed".to_owned(),
        });
    }
    let all = [
        "done, task known: false",
        "done, task known: true",
        "failed",
        "left alone",
        "no time",
        "refused: half installed",
        "refused: installed, migrations not recorded",
        "refused: no schema",
        "refused: other tables",
        "start install",
        "start migrate",
        "still at work",
        "unreadable",
        "wait for a task",
        "wait for the database",
    ];
    assert_eq!(met.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
