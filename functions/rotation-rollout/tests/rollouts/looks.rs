//! What one look after the other comes to, whatever lies between them.

use std::time::{Duration, Instant, SystemTime};

use custom_resource::testing::{Log, assert_absent};
use futures::future::join_all;
use serde_json::json;

use crate::cluster::{BOUNCES, CACHE, Cluster, DATABASE, SETTLE, V2, V3, deployment, function, moved, task};

#[tokio::test]
async fn a_cluster_without_an_overlap_is_not_looked_at() {
    let cluster = Cluster::new();
    let found = cluster.look().await;
    assert_eq!(found.secrets[DATABASE], "nothing to retire");
    assert_eq!((found.failed, found.oldest), (0, Duration::ZERO));
    assert!(cluster.state().calls.is_empty());
}

#[tokio::test]
async fn the_secret_that_has_waited_longest_for_its_rotation_is_what_an_alarm_goes_by() {
    let cluster = Cluster::new();
    let days = |days: u64| SystemTime::now() - Duration::from_hours(24 * days);
    cluster.shelf.date(DATABASE, days(400), Some(days(3)));
    cluster.shelf.date(CACHE, days(400), Some(days(41)));
    cluster.shelf.date(BOUNCES, days(40), None);
    let whole_days = |found: rotation_rollout::Found| found.age.as_secs() / 86_400;
    assert_eq!(whole_days(cluster.look().await), 41);
    cluster.shelf.date(CACHE, days(400), Some(days(0)));
    assert_eq!(
        whole_days(cluster.look().await),
        40,
        "one that was never rotated counts from when it was made"
    );
    cluster.rotate(DATABASE);
    assert_eq!(whole_days(cluster.look().await), 40, "in an overlap, too");
}

#[tokio::test]
async fn tasks_are_replaced_and_only_then_the_old_credential_is_retired() {
    let cluster = Cluster::new();
    cluster.rotate(DATABASE);
    let found = cluster.look().await;
    assert_eq!(found.secrets[DATABASE], "waiting: its label has moved a moment ago");
    assert!(cluster.state().forced.is_empty());

    cluster.settled();
    let found = cluster.look().await;
    assert_eq!(found.secrets[DATABASE], "rolling out: new deployment of web, worker");
    assert_eq!(cluster.state().forced, ["web", "worker"]);

    for _ in 0..3 {
        let found = cluster.look().await;
        assert_eq!(
            found.secrets[DATABASE],
            "waiting: a deployment of service web is in progress"
        );
    }
    cluster.complete();
    let found = cluster.look().await;
    assert_eq!((found.secrets[DATABASE].as_str(), found.failed), ("retired", 0));
    let state = cluster.state();
    assert_eq!(state.forced, ["web", "worker"], "one deployment each");
    assert_eq!(
        state.retired,
        [json!({"Step": "retireSecret", "SecretId": DATABASE, "ClientRequestToken": V2})]
    );
}

#[tokio::test]
async fn the_label_s_own_event_waits_until_it_is_settled_and_deploys_at_once() {
    let cluster = Cluster::soon_settled();
    cluster.rotate(DATABASE);
    let found = cluster.look_because(moved(DATABASE)).await;
    assert_eq!(found.secrets[DATABASE], "rolling out: new deployment of web, worker");
}

#[tokio::test]
async fn two_secrets_that_are_rotated_together_make_one_deployment() {
    let cluster = Cluster::soon_settled();
    cluster.rotate(DATABASE);
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.rotate(CACHE);
    let (first, second) = tokio::join!(
        cluster.look_because(moved(DATABASE)),
        cluster.look_because(moved(CACHE))
    );
    assert_eq!(first.secrets[DATABASE], "waiting: its label has moved a moment ago");
    assert_eq!(second.secrets[CACHE], "rolling out: new deployment of web, worker");
    cluster.complete();
    let found = cluster.look().await;
    assert_eq!(
        (found.secrets[DATABASE].as_str(), found.secrets[CACHE].as_str()),
        ("retired", "retired")
    );
    assert_eq!(cluster.state().forced, ["web", "worker"]);
}

#[tokio::test]
async fn so_do_two_whose_labels_moved_at_nearly_the_same_time() {
    let cluster = Cluster::soon_settled();
    cluster.rotate(DATABASE);
    tokio::time::sleep(Duration::from_millis(2)).await;
    cluster.rotate(CACHE);
    let (first, second) = tokio::join!(
        cluster.look_because(moved(DATABASE)),
        cluster.look_because(moved(CACHE))
    );
    assert_eq!(first.secrets[DATABASE], "waiting: its label has moved a moment ago");
    assert_eq!(second.secrets[DATABASE], "rolling out: new deployment of web, worker");
    assert_eq!(cluster.state().forced, ["web", "worker"]);
}

#[tokio::test]
async fn a_deployment_of_somebody_else_is_waited_for_and_not_cut_short() {
    let cluster = Cluster::new();
    let before = SystemTime::now();
    cluster.state().services.get_mut("web").unwrap().deployments = vec![deployment(true, before, "IN_PROGRESS")];
    cluster.rotate(DATABASE);
    cluster.settled();
    let found = cluster.look().await;
    assert_eq!(found.secrets[DATABASE], "rolling out: new deployment of worker");
    cluster.complete();
    assert_eq!(
        cluster.look().await.secrets[DATABASE],
        "rolling out: new deployment of web"
    );
    cluster.complete();
    assert_eq!(cluster.look().await.secrets[DATABASE], "retired");
}

#[tokio::test]
async fn a_standalone_task_that_began_before_is_waited_for_until_it_is_gone() {
    let cluster = Cluster::new();
    cluster
        .state()
        .tasks
        .insert("job".to_owned(), task("mautic:1", SystemTime::now()));
    cluster
        .state()
        .tasks
        .insert("unrelated".to_owned(), task("other:1", SystemTime::UNIX_EPOCH));
    cluster.rotate(DATABASE);
    cluster.settled();
    cluster.look().await;
    cluster.complete();
    assert_eq!(
        cluster.look().await.secrets[DATABASE],
        "waiting: task job began before the label moved"
    );
    {
        let mut state = cluster.state();
        let job = state.tasks.get_mut("job").unwrap();
        (job.desired, job.status) = ("STOPPED", "DEACTIVATING");
    }
    assert_eq!(
        cluster.look().await.secrets[DATABASE],
        "waiting: task job began before the label moved"
    );
    cluster.state().tasks.get_mut("job").unwrap().status = "STOPPED";
    assert_eq!(cluster.look().await.secrets[DATABASE], "retired");
}

#[tokio::test]
async fn a_task_whose_definition_is_gone_may_use_any_secret() {
    let cluster = Cluster::new();
    cluster
        .state()
        .tasks
        .insert("ghost".to_owned(), task("gone:1", SystemTime::UNIX_EPOCH));
    cluster.rotate(BOUNCES);
    cluster.settled();
    assert_eq!(
        cluster.look().await.secrets[BOUNCES],
        "waiting: task ghost began before the label moved"
    );
}

#[tokio::test]
async fn a_secret_that_no_task_uses_is_retired_without_a_deployment() {
    let cluster = Cluster::soon_settled();
    cluster.rotate(BOUNCES);
    let found = cluster.look_because(moved(BOUNCES)).await;
    assert_eq!(found.secrets[BOUNCES], "retired");
    assert!(cluster.state().forced.is_empty());
}

#[tokio::test]
async fn a_deployment_that_failed_keeps_the_old_credential_and_is_not_tried_again() {
    for rolled_back in [false, true] {
        let cluster = Cluster::new();
        cluster.rotate(DATABASE);
        cluster.settled();
        cluster.look().await;
        {
            let mut state = cluster.state();
            let worker = state.services.get_mut("worker").unwrap();
            if rolled_back {
                worker.deployments.remove(0);
                worker.deployments[0].primary = true;
                worker.failures.push(SystemTime::now());
            } else {
                worker.deployments[0].state = "FAILED";
            }
        }
        cluster.complete();
        for _ in 0..3 {
            let found = cluster.look().await;
            assert_eq!(
                found.secrets[DATABASE],
                "failed: the deployment of service worker failed, so that the old credential stays good; correct what its \
                 events and its tasks' log say, and force a new deployment: aws ecs update-service --cluster CLUSTER --service \
                 worker --force-new-deployment"
            );
            assert_eq!(found.failed, 1);
        }
        assert_eq!(cluster.state().forced.len(), 2);
        {
            // Somebody has corrected the cause, and forces a deployment.
            let mut state = cluster.state();
            state.services.get_mut("worker").unwrap().deployments =
                vec![deployment(true, SystemTime::now(), "IN_PROGRESS")];
        }
        cluster.complete();
        assert_eq!(cluster.look().await.secrets[DATABASE], "retired");
    }
}

#[tokio::test]
async fn a_rotation_that_is_refused_amid_an_overlap_has_nothing_tried_again_that_failed() {
    let cluster = Cluster::new();
    cluster.rotate(DATABASE);
    cluster.settled();
    cluster.look().await;
    cluster.state().services.get_mut("worker").unwrap().deployments[0].state = "FAILED";
    cluster.complete();
    cluster.shelf.begin(DATABASE, V3);
    cluster.settled();
    cluster.look().await;
    assert_eq!(
        cluster.state().forced,
        ["web", "worker", "web"],
        "that tasks hold the new one is certain only since the secret was last changed"
    );
    cluster.complete();
    let found = cluster.look().await;
    let told = &found.secrets[DATABASE];
    assert!(
        told.starts_with("failed: the deployment of service worker failed"),
        "{told}"
    );
    assert_eq!((found.failed, cluster.state().forced.len()), (1, 3));
    assert!(
        found.oldest >= SETTLE * 2,
        "the overlap began with its rotation: {:?}",
        found.oldest
    );

    let corrected = vec![deployment(true, SystemTime::now(), "IN_PROGRESS")];
    cluster.state().services.get_mut("worker").unwrap().deployments = corrected;
    cluster.complete();
    assert_eq!(cluster.look().await.secrets[DATABASE], "retired");
}

#[tokio::test]
async fn what_the_rotating_function_says_is_told_and_asked_again_at_the_next_look() {
    let cluster = Cluster::new();
    cluster.rotate(BOUNCES);
    cluster.settled();
    cluster.state().answer = Some(Err("user `bounces` is locked"));
    let found = cluster.look().await;
    assert_eq!(
        (found.secrets[BOUNCES].as_str(), found.failed),
        ("failed: user `bounces` is locked", 1)
    );
    cluster.state().answer = Some(Ok("under way"));
    let found = cluster.look().await;
    assert_eq!(
        (found.secrets[BOUNCES].as_str(), found.failed),
        ("waiting: its service is retiring the old credential", 0)
    );
    cluster.state().answer = Some(Ok("done"));
    assert_eq!(cluster.look().await.secrets[BOUNCES], "retired");
}

#[tokio::test]
async fn a_function_that_does_not_answer_keeps_neither_the_others_from_retiring_nor_the_look_from_its_end() {
    let began = Instant::now();
    // At the same time, since each waits.
    join_all([BOUNCES, CACHE, DATABASE].map(a_function_that_does_not_answer)).await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

async fn a_function_that_does_not_answer(silent: &str) {
    let cluster = Cluster::new();
    for secret in [BOUNCES, DATABASE, CACHE] {
        cluster.rotate(secret);
    }
    cluster.settled();
    cluster.look().await;
    cluster.complete();
    cluster.state().silent = function(silent);
    // Some seconds more than telling takes.
    let found = cluster.look_for(Duration::from_secs(18), json!({})).await;
    for secret in [BOUNCES, DATABASE, CACHE] {
        let told = if secret == silent {
            "waiting: the function has not answered yet"
        } else {
            "retired"
        };
        assert_eq!(found.secrets[secret], told, "{secret}");
    }
    assert_eq!(found.failed, 0);
    assert!(found.oldest > Duration::ZERO, "the metric is told");
    cluster.state().silent.clear();
    assert_eq!(cluster.look().await.secrets[silent], "retired");
}

#[tokio::test]
async fn a_service_that_may_not_be_deployed_is_a_failure_and_no_reason_to_leave_the_others() {
    let cluster = Cluster::new();
    cluster.rotate(DATABASE);
    cluster.settled();
    cluster.state().denied = Some("ecs:UpdateService");
    let found = cluster.look().await;
    assert_eq!(
        (found.secrets[DATABASE].as_str(), found.failed),
        (
            "failed: ecs:UpdateService for service web failed: AccessDeniedException: not authorized; allow \
             ecs:UpdateService on it to the function's role",
            1
        )
    );
    cluster.state().denied = None;
    assert_eq!(
        cluster.look().await.secrets[DATABASE],
        "rolling out: new deployment of web, worker"
    );
}

#[tokio::test]
async fn a_look_that_cannot_see_changes_nothing_and_says_so() {
    let actions = [
        "ecs:ListServices",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "ecs:DescribeTasks",
    ];
    for action in actions {
        let cluster = Cluster::new();
        cluster.rotate(DATABASE);
        cluster.settled();
        cluster.state().denied = Some(action);
        let deadline = SystemTime::now() + Duration::from_mins(3);
        let error = cluster.rollout.handle(&json!({}), deadline).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("{action} for ")), "{error}");
        let state = cluster.state();
        assert!(state.forced.is_empty() && state.retired.is_empty(), "{action}");
    }
}

#[tokio::test]
async fn no_secret_is_read_and_none_is_logged() {
    let log = Log::capture();
    let cluster = Cluster::new();
    cluster.rotate(DATABASE);
    cluster.settled();
    cluster.look().await;
    cluster.complete();
    let found = cluster.look().await;
    let seen = format!("{found:?}{}", log.text());
    assert!(seen.contains("rolling out: new deployment of web, worker"), "{seen}");
    for secret in ["s3nt1nel-0", "s3nt1nel-1"] {
        assert_absent(secret, &seen);
    }
    assert!(
        cluster
            .shelf
            .calls()
            .iter()
            .all(|call| call.starts_with("secretsmanager:Describe") || call.starts_with("secretsmanager:List"))
    );
}
