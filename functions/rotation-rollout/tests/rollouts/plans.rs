//! Every state of a service, against a statement of when its tasks hold the new credential that is easy to read.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use rotation_rollout::plan::{Deployment, Observed, Overlap, Service, State, Task, Verdict, plan};

const SETTLE: Duration = Duration::from_mins(1);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn observed(changed: u64, service: Service, tasks: Vec<Task>) -> Observed {
    Observed {
        overlaps: vec![Overlap {
            secret: "db".into(),
            current: "v2".into(),
            began: at(1_000),
            changed: at(changed),
        }],
        rotated: [("db".to_owned(), at(1_000))].into(),
        services: vec![service],
        tasks,
    }
}

fn uses() -> BTreeSet<String> {
    ["db".to_owned()].into()
}

/// Judges every state, of an overlap that began at 1,000 and whose secret was last changed at `changed`; in how many of them
/// the old credential is retired.
fn retired(changed: u64) -> usize {
    let mut ready = 0;
    for created in [900, 1_030, 1_060, 1_100] {
        for state in [State::InProgress, State::Completed, State::Failed] {
            for draining in [false, true] {
                for failure in [None, Some(950), Some(1_080), Some(1_200)] {
                    for task in [None, Some(900), Some(1_059), Some(1_060), Some(1_100)] {
                        let deployment = |is_primary| Deployment {
                            is_primary,
                            created: at(created),
                            state,
                        };
                        let mut deployments = vec![deployment(true)];
                        deployments.extend(draining.then(|| deployment(false)));
                        let service = Service {
                            name: "web".into(),
                            uses: uses(),
                            deployments,
                            failures: failure.map(at).into_iter().collect(),
                        };
                        let tasks = task.map(|created| Task {
                            id: "t".into(),
                            uses: uses(),
                            created: at(created),
                        });
                        let observed = observed(changed, service, tasks.into_iter().collect());
                        let plan = plan(&observed, SETTLE, at(2_000));
                        let is_new = |created| created >= changed + 60;
                        let nothing_older =
                            is_new(created) && state == State::Completed && !draining && task.is_none_or(is_new);
                        assert_eq!(!plan.ready().is_empty(), nothing_older, "{plan:?}");
                        let never_again = match state {
                            State::InProgress => true,
                            State::Completed if is_new(created) => true,
                            State::Failed if created >= 1_000 => true,
                            _ => failure.is_some_and(|failure| failure >= 1_060 && failure >= created),
                        };
                        assert_eq!(plan.deploy.is_empty(), never_again, "{plan:?}");
                        ready += usize::from(nothing_older);
                    }
                }
            }
        }
    }
    ready
}

#[test]
fn a_credential_is_retired_only_when_nothing_older_is_left() {
    assert_eq!(retired(1_000), 24, "such states are among those that were tried");
}

#[test]
fn a_secret_that_was_changed_meanwhile_counts_from_then_but_what_failed_before_has_failed() {
    assert_eq!(retired(1_030), 8, "such states are among those that were tried");
}

#[test]
fn nothing_is_done_before_the_label_s_move_is_settled() {
    let service = Service {
        name: "web".into(),
        uses: uses(),
        deployments: vec![Deployment {
            is_primary: true,
            created: at(900),
            state: State::Completed,
        }],
        failures: vec![],
    };
    let early = plan(&observed(1_000, service.clone(), vec![]), SETTLE, at(1_059));
    assert_eq!((early.deploy.len(), &early.verdicts[0].1), (0, &Verdict::Settling));
    assert_eq!(
        plan(&observed(1_000, service, vec![]), SETTLE, at(1_060)).deploy,
        ["web"]
    );
}
