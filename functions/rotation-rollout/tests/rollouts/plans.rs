//! Every state of a service, against a statement of when its tasks hold the new credential that is easy to read.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use rotation_rollout::plan::{Deployment, Observed, Overlap, Service, State, Task, Verdict, plan};

const SETTLE: Duration = Duration::from_mins(1);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn observed(service: Service, tasks: Vec<Task>) -> Observed {
    Observed {
        overlaps: vec![Overlap {
            secret: "db".into(),
            current: "v2".into(),
            moved: at(1_000),
        }],
        rotated: [("db".to_owned(), at(1_000))].into(),
        services: vec![service],
        tasks,
    }
}

fn uses() -> BTreeSet<String> {
    ["db".to_owned()].into()
}

#[test]
fn a_credential_is_retired_only_when_nothing_older_is_left() {
    let mut ready = 0;
    for created in [900, 1_030, 1_060, 1_100] {
        for state in [State::InProgress, State::Completed, State::Failed] {
            for draining in [false, true] {
                for failure in [None, Some(950), Some(1_200)] {
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
                        let plan = plan(&observed(service, tasks.into_iter().collect()), SETTLE, at(2_000));
                        let nothing_older = created >= 1_060
                            && state == State::Completed
                            && !draining
                            && task.is_none_or(|created| created >= 1_060);
                        assert_eq!(!plan.ready().is_empty(), nothing_older, "{plan:?}");
                        let never_again = failure == Some(1_200) || created >= 1_060 || state == State::InProgress;
                        assert_eq!(plan.deploy.is_empty(), never_again, "{plan:?}");
                        ready += usize::from(nothing_older);
                    }
                }
            }
        }
    }
    assert_eq!(
        ready, 18,
        "states in which nothing older is left are among those that were tried"
    );
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
    let early = plan(&observed(service.clone(), vec![]), SETTLE, at(1_059));
    assert_eq!((early.deploy.len(), &early.verdicts[0].1), (0, &Verdict::Settling));
    assert_eq!(plan(&observed(service, vec![]), SETTLE, at(1_060)).deploy, ["web"]);
}
