//! A scheduled job: its schedule's own task, run once more, and judged by how it ends.

use crate::aws_query::{Answer, AwsQuery, NoAnswer};
use crate::command_line::CommandLine;
use crate::smoke::outcome::Judgement;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Jobs that may run at any time, however often, and send nothing; the first that is scheduled is taken.
const HARMLESS: [&str; 3] = ["mautic:segments:update", "mautic:campaigns:update", "mautic:import"];

/// The name of the first one's schedule, in cloudformation/modules/mautic-schedules.yaml.
const LIKELY: &str = "UpdateSegments";

/// How long the task may take: Fargate starts it within a minute or two, and a large installation's segments take theirs.
pub const PATIENCE: Duration = Duration::from_mins(15);

/// Where jobs are, and how they are watched.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The group of the schedules.
    pub group: &'a str,
    /// The jobs' log group.
    pub log: Option<&'a str>,
    /// Makes a repeated order the same one.
    pub token: &'a str,
    /// Between two looks at the task.
    pub pace: Duration,
    /// When to stop looking.
    pub patience: Duration,
}

/// Runs a job and waits for its end.
pub async fn check(aws: AwsQuery<'_>, place: &Place<'_>) -> Judgement {
    match run(aws, place).await {
        Ok(judgement) => judgement,
        Err((action, error)) => Judgement::failed(
            format!("AWS did not {action}: {error}."),
            "The one who tests needs the permissions in docs/operations.md, Smoke test.",
        ),
    }
}

type Failure = (&'static str, NoAnswer);

async fn run(aws: AwsQuery<'_>, place: &Place<'_>) -> Result<Judgement, Failure> {
    let Some(job) = find(aws, place.group).await? else {
        return Ok(Judgement::skipped(
            "No job is scheduled that may run at any time.",
            "Set JobMinutes, so that segments are updated.",
        ));
    };
    let order = order(&job, place.token);
    let words: Vec<&str> = order.iter().map(String::as_str).collect();
    let started = aws.ask(&words).await.map_err(|error| ("start the job's task", error))?;
    let task = match started_task(&started) {
        Ok(task) => task,
        Err(judgement) => return Ok(judgement),
    };
    let ended = end(aws, place, &job, &task).await?;
    let log = match place.log {
        Some(group) => aws.ask(&last_lines(group, &job.stream(&task))).await,
        None => Ok(Value::Null),
    };
    Ok(judge(&job, &task, &ended, place, &log))
}

/// The schedule whose job is run. The one whose name promises it is read first: a list does not say what they start.
async fn find(aws: AwsQuery<'_>, group: &str) -> Result<Option<Job>, Failure> {
    let list = ["scheduler", "list-schedules", "--group-name", group];
    let listed = aws.ask(&list).await.map_err(|error| ("list the schedules", error))?;
    let mut read = Vec::new();
    for name in enabled(&listed) {
        let get = ["scheduler", "get-schedule", "--group-name", group, "--name", &name];
        let schedule = aws.ask(&get).await.map_err(|error| ("read a schedule", error))?;
        let job = Job::read(&schedule);
        if job.as_ref().is_some_and(|job| job.command == HARMLESS[0]) {
            return Ok(job);
        }
        read.extend(job);
    }
    Ok(choose(&read))
}

/// The task when it has stopped, or when nobody waits any longer.
async fn end(aws: AwsQuery<'_>, place: &Place<'_>, job: &Job, task: &str) -> Result<Value, Failure> {
    let began = Instant::now();
    loop {
        let look = ["ecs", "describe-tasks", "--cluster", &job.cluster, "--tasks", task];
        let mut seen = aws
            .ask(&look)
            .await
            .map_err(|error| ("describe the job's task", error))?;
        if seen["tasks"][0]["lastStatus"] == "STOPPED" || began.elapsed() >= place.patience {
            return Ok(seen["tasks"][0].take());
        }
        tokio::time::sleep(place.pace).await;
    }
}

fn last_lines<'a>(group: &'a str, stream: &'a str) -> [&'a str; 8] {
    [
        "logs",
        "get-log-events",
        "--log-group-name",
        group,
        "--log-stream-name",
        stream,
        "--limit",
        "20",
    ]
}

/// A job as its schedule starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    /// The console command.
    command: String,
    /// The container that runs it.
    container: String,
    /// The cluster's ARN.
    cluster: String,
    /// What the schedule overrides.
    input: String,
    /// What the task is and where it runs.
    parameters: Value,
}

impl Job {
    fn read(schedule: &Value) -> Option<Self> {
        let target = &schedule["Target"];
        let input = target["Input"].as_str()?;
        let overrides: Value = serde_json::from_str(input).ok()?;
        let container = &overrides["containerOverrides"][0];
        Some(Self {
            command: container["command"][1].as_str()?.to_owned(),
            container: container["name"].as_str()?.to_owned(),
            cluster: target["Arn"].as_str()?.to_owned(),
            input: input.to_owned(),
            parameters: target.get("EcsParameters")?.clone(),
        })
    }

    /// The task's log stream: prefix, container and id, of which cloudformation/modules/mautic-tasks.yaml gives the first two
    /// one name.
    fn stream(&self, task: &str) -> String {
        let id = task.rsplit('/').next().unwrap_or(task);
        format!("{0}/{0}/{id}", self.container)
    }
}

/// The names of the schedules that are not switched off, the likely one first.
fn enabled(listed: &Value) -> Vec<String> {
    let schedules = listed["Schedules"].as_array().into_iter().flatten();
    let enabled = schedules.filter(|one| one["State"] != "DISABLED");
    let mut names: Vec<String> = enabled
        .filter_map(|one| Some(one["Name"].as_str()?.to_owned()))
        .collect();
    names.sort_by_key(|name| name != LIKELY);
    names
}

/// The first of the harmless jobs that is scheduled.
fn choose(jobs: &[Job]) -> Option<Job> {
    HARMLESS
        .iter()
        .find_map(|command| jobs.iter().find(|job| job.command == *command).cloned())
}

/// The order to run it, as the schedule gives it.
fn order(job: &Job, token: &str) -> Vec<String> {
    let wanted = &job.parameters;
    let network = &wanted["NetworkConfiguration"]["awsvpcConfiguration"];
    let network = json!({"awsvpcConfiguration": {
        "subnets": network["Subnets"],
        "securityGroups": network["SecurityGroups"],
        "assignPublicIp": network["AssignPublicIp"],
    }});
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let options = [
        ("--cluster", job.cluster.clone()),
        ("--task-definition", text(&wanted["TaskDefinitionArn"])),
        ("--launch-type", text(&wanted["LaunchType"])),
        ("--network-configuration", network.to_string()),
        ("--overrides", job.input.clone()),
        ("--propagate-tags", text(&wanted["PropagateTags"])),
        ("--started-by", "smoke-test".to_owned()),
        ("--client-token", token.to_owned()),
    ];
    let given = options.into_iter().filter(|(_, value)| !value.is_empty());
    let options = given.flat_map(|(name, value)| [name.to_owned(), value]);
    ["ecs", "run-task"]
        .map(str::to_owned)
        .into_iter()
        .chain(options)
        .collect()
}

/// The task's ARN, or why ECS started none.
fn started_task(answer: &Value) -> Result<String, Judgement> {
    if let Some(task) = answer["tasks"][0]["taskArn"].as_str() {
        return Ok(task.to_owned());
    }
    let reason = answer["failures"][0]["reason"].as_str().unwrap_or("it gave no reason");
    Err(Judgement::failed(
        format!("ECS started no task for the job: {reason}."),
        "Schedules meet the same: docs/runbooks/jobs-not-invoked.md.",
    ))
}

/// Judges the task as it was last seen, with the last lines of its log.
fn judge(job: &Job, task: &str, seen: &Value, place: &Place<'_>, log: &Answer) -> Judgement {
    let command = &job.command;
    let follow = place.log.map_or_else(String::new, |group| {
        let tail = CommandLine::new("aws").with(["logs", "tail", group, "--log-stream-names", &job.stream(task)]);
        format!(" Its log: `{}`.", tail.one_line())
    });
    match seen["lastStatus"].as_str() {
        Some("STOPPED") => {}
        Some("RUNNING") => {
            return Judgement::skipped(
                format!(
                    "{command} still runs after {} min; it goes on.",
                    place.patience.as_secs() / 60
                ),
                format!("See how it ends.{follow}"),
            );
        }
        other => {
            return Judgement::failed(
                format!(
                    "{command} did not start within {} min: its task is {}.",
                    place.patience.as_secs() / 60,
                    other.unwrap_or("gone")
                ),
                "Look at the quota of Fargate, and at docs/runbooks/jobs-not-invoked.md.",
            );
        }
    }
    let containers = seen["containers"].as_array().into_iter().flatten();
    let container = containers
        .into_iter()
        .find(|one| one["name"] == job.container.as_str())
        .unwrap_or(&Value::Null);
    match container["exitCode"].as_i64() {
        Some(0) => Judgement::passed(ended(command, log)),
        Some(code) => Judgement::failed(
            format!("{command} ended with exit code {code}."),
            format!("docs/runbooks/jobs-failed.md says what to look at.{follow}"),
        ),
        None => {
            let reason = container["reason"]
                .as_str()
                .or(seen["stoppedReason"].as_str())
                .unwrap_or("ECS gives no reason");
            Judgement::failed(
                format!(
                    "{command} never ran, its task stopped before: {}.",
                    reason.trim_end_matches('.')
                ),
                "Image, secrets and file system are fetched first: look at what the reason names.",
            )
        }
    }
}

/// What the job's own last line says of a good end; no line is quoted, for it is not this program's.
fn ended(command: &str, log: &Answer) -> String {
    let events = log
        .as_ref()
        .ok()
        .and_then(|log| log["events"].as_array())
        .into_iter()
        .flatten();
    let mut lines = events.filter_map(|event| serde_json::from_str::<Value>(event["message"].as_str()?).ok());
    let last = lines.rfind(|line| line["job"] == command);
    let seconds = last.as_ref().and_then(|line| line["seconds"].as_f64());
    let is_skipped = last.is_some_and(|line| line["skipped"] == true);
    match (is_skipped, seconds) {
        (true, _) => format!("{command} ran as its schedule runs it and ended with 0: another run of it was at work."),
        (_, Some(seconds)) => {
            format!("{command} ran as its schedule runs it and ended with 0, after {seconds:.1} s of work.")
        }
        _ => format!("{command} ran as its schedule runs it and ended with 0."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::refused;

    const TASK: &str = "arn:aws:ecs:eu-central-1:111122223333:task/mautic-test/0a1b2c";

    fn schedule(command: &[&str]) -> Value {
        let input = json!({"containerOverrides": [{"name": "job", "command": command}]});
        json!({"Target": {
            "Arn": "arn:cluster",
            "Input": input.to_string(),
            "EcsParameters": {
                "TaskDefinitionArn": "arn:definition:7",
                "LaunchType": "FARGATE",
                "PropagateTags": "TASK_DEFINITION",
                "NetworkConfiguration": {"awsvpcConfiguration":
                    {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "DISABLED"}},
            },
        }})
    }

    fn job() -> Job {
        Job::read(&schedule(&["job", "mautic:segments:update"])).expect("a job")
    }

    fn place() -> Place<'static> {
        Place {
            group: "group",
            log: Some("/jobs"),
            token: "smoke-test-1",
            pace: Duration::ZERO,
            patience: Duration::from_mins(15),
        }
    }

    fn judged(seen: &Value, log: &Answer) -> Judgement {
        judge(&job(), TASK, seen, &place(), log)
    }

    fn stopped(container: &Value) -> Value {
        json!({"lastStatus": "STOPPED", "stoppedReason": "Task failed to start", "containers": [container]})
    }

    #[test]
    fn only_a_job_that_may_run_at_any_time_is_run() {
        let read = |commands: &[&[&str]]| -> Vec<Job> {
            commands.iter().filter_map(|one| Job::read(&schedule(one))).collect()
        };
        let others: [&[&str]; 2] = [
            &["job", "mautic:broadcasts:send"],
            &["job", "mautic:maintenance:cleanup", "--days-old=365"],
        ];
        assert_eq!(choose(&read(&others)), None);
        let jobs = read(&[
            others[0],
            &["job", "mautic:import"],
            &["job", "mautic:campaigns:update"],
        ]);
        assert_eq!(choose(&jobs).expect("a job").command, "mautic:campaigns:update");
        assert_eq!(Job::read(&json!({"Target": {"Arn": "arn:queue", "Input": "{}"}})), None);
    }

    #[test]
    fn schedules_that_are_switched_off_are_left_alone_and_the_likely_one_comes_first() {
        let one = |name: &str, state: &str| json!({"Name": name, "State": state});
        let listed = json!({"Schedules": [
            one("ImportContacts", "ENABLED"), one("SendMessages", "DISABLED"), one("UpdateSegments", "ENABLED"),
        ]});
        assert_eq!(enabled(&listed), ["UpdateSegments", "ImportContacts"]);
        assert_eq!(enabled(&Value::Null), Vec::<String>::new());
    }

    #[test]
    fn the_task_is_started_as_the_schedule_starts_it() {
        let words = order(&job(), "smoke-test-1");
        let (names, values): (Vec<&str>, Vec<&str>) = words[2..]
            .chunks(2)
            .map(|pair| (pair[0].as_str(), pair[1].as_str()))
            .unzip();
        assert_eq!(words[..2], ["ecs", "run-task"]);
        assert_eq!(
            names,
            [
                "--cluster",
                "--task-definition",
                "--launch-type",
                "--network-configuration",
                "--overrides",
                "--propagate-tags",
                "--started-by",
                "--client-token"
            ]
        );
        let plain = [
            "arn:cluster",
            "arn:definition:7",
            "FARGATE",
            "TASK_DEFINITION",
            "smoke-test",
            "smoke-test-1",
        ];
        assert_eq!([&values[..3], &values[5..]].concat(), plain);
        let network = json!({"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"});
        let overrides = json!({"name": "job", "command": ["job", "mautic:segments:update"]});
        assert_eq!(
            [values[3], values[4]].map(|text| serde_json::from_str::<Value>(text).expect("JSON")),
            [
                json!({"awsvpcConfiguration": network}),
                json!({"containerOverrides": [overrides]})
            ]
        );
    }

    #[test]
    fn a_job_that_ended_with_0_passes_with_what_its_last_line_says() {
        let ended = stopped(&json!({"name": "job", "exitCode": 0}));
        let log = |line: &str| Ok(json!({"events": [{"message": "Updating segments"}, {"message": line}]}));
        let cases = [
            (
                log(r#"{"job": "mautic:segments:update", "exit": 0, "seconds": 12.34}"#),
                ", after 12.3 s of work.",
            ),
            (
                log(r#"{"job": "mautic:segments:update", "exit": 0, "skipped": true}"#),
                ": another run of it was at work.",
            ),
            (log("no JSON"), "."),
            (refused("ResourceNotFoundException"), "."),
        ];
        for (log, ending) in cases {
            let seen = format!("mautic:segments:update ran as its schedule runs it and ended with 0{ending}");
            assert_eq!(judged(&ended, &log), Judgement::passed(seen));
        }
    }

    #[test]
    fn a_job_that_failed_is_told_with_its_code_and_where_its_log_is() {
        assert_eq!(
            judged(&stopped(&json!({"name": "job", "exitCode": 7})), &Ok(Value::Null)),
            Judgement::failed(
                "mautic:segments:update ended with exit code 7.",
                "docs/runbooks/jobs-failed.md says what to look at. Its log: `aws logs tail /jobs --log-stream-names job/job/0a1b2c`."
            )
        );
    }

    #[test]
    fn a_task_that_never_ran_is_told_with_ecss_reason() {
        let judge = |container: Value| judged(&stopped(&container), &Ok(Value::Null)).seen;
        assert_eq!(
            [
                judge(json!({"name": "job", "reason": "CannotPullContainerError: no such image."})),
                judge(json!({"name": "job"})),
            ],
            [
                "mautic:segments:update never ran, its task stopped before: CannotPullContainerError: no such image.",
                "mautic:segments:update never ran, its task stopped before: Task failed to start.",
            ]
        );
    }

    #[test]
    fn a_job_that_still_runs_is_no_failure_and_one_that_did_not_start_is() {
        assert_eq!(
            judged(&json!({"lastStatus": "RUNNING"}), &Ok(Value::Null)),
            Judgement::skipped(
                "mautic:segments:update still runs after 15 min; it goes on.",
                "See how it ends. Its log: `aws logs tail /jobs --log-stream-names job/job/0a1b2c`."
            )
        );
        assert_eq!(
            judged(&json!({"lastStatus": "PENDING"}), &Ok(Value::Null)).seen,
            "mautic:segments:update did not start within 15 min: its task is PENDING."
        );
    }

    #[test]
    fn a_task_that_ecs_does_not_start_is_told_with_its_reason() {
        let refused = json!({"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]});
        assert_eq!(
            started_task(&refused),
            Err(Judgement::failed(
                "ECS started no task for the job: Capacity is unavailable at this time.",
                "Schedules meet the same: docs/runbooks/jobs-not-invoked.md."
            ))
        );
        assert_eq!(
            started_task(&json!({"tasks": [{"taskArn": TASK}]})),
            Ok(TASK.to_owned())
        );
    }
}
