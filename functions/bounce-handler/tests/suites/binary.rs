//! The binary itself, behind Lambda's Runtime API: its settings, its answers, and what it prints.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::report::Report;
use crate::world::{PASSWORD, World, worlds};

/// Lambda and Secrets Manager on one port.
#[derive(Default)]
struct Aws {
    events: VecDeque<String>,
    answers: Vec<(String, String)>,
    secret: String,
}

async fn serve(listener: TcpListener, aws: Arc<Mutex<Aws>>) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(answer(connection, Arc::clone(&aws)));
    }
}

/// One request a connection.
async fn answer(mut connection: TcpStream, aws: Arc<Mutex<Aws>>) -> Option<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        (connection.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or_default();
    while bytes.len() < end + 4 + length {
        (connection.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    let target = head.split(' ').nth(1)?.to_owned();
    let (headers, text) = if target.ends_with("/invocation/next") {
        let event = loop {
            if let Some(event) = aws.lock().expect("no panic before").events.pop_front() {
                break event;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(30);
        let headers = format!(
            "lambda-runtime-aws-request-id: 8476a536\r\nlambda-runtime-deadline-ms: {}\r\nlambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:b\r\n",
            deadline.as_millis()
        );
        (headers, event)
    } else if target.contains("/runtime/") {
        aws.lock().expect("no panic before").answers.push((target, body));
        (String::new(), "{}".to_owned())
    } else {
        (
            String::new(),
            json!({"SecretString": aws.lock().expect("no panic before").secret}).to_string(),
        )
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    connection.write_all(answer.as_bytes()).await.ok()
}

/// Runs the binary over `events`; its answers, in their order, and what it printed.
async fn run(world: &World, events: Vec<String>) -> (Vec<(String, String)>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let number = events.len();
    let secret = json!({"username": world.user, "password": PASSWORD}).to_string();
    let aws = Arc::new(Mutex::new(Aws {
        events: events.into(),
        answers: Vec::new(),
        secret,
    }));
    let serving = tokio::spawn(serve(listener, Arc::clone(&aws)));
    let mut child = Command::new(env!("CARGO_BIN_EXE_bounce-handler"))
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "b"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_ENDPOINT_URL", &format!("http://{address}")),
            ("DATABASE_HOST", &world.server.host),
            ("DATABASE_PORT", &world.server.port.to_string()),
            ("DATABASE_CA_BUNDLE", &world.server.ca_file.to_string_lossy()),
            (
                "DATABASE_SECRET_ARN",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:b",
            ),
            ("MAUTIC_SCHEMA", &world.mautic),
            ("BOUNCES_SCHEMA", &world.own),
            ("METRICS_NAMESPACE", "Mautic/test/Bounces"),
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary");
    let mut out = child.stdout.take().expect("a pipe");
    let reading = tokio::spawn(async move {
        let mut text = Vec::new();
        // It ends with the process.
        let _ = out.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    });
    for _ in 0..4000 {
        if aws.lock().expect("no panic before").answers.len() == number {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().await.expect("it ran");
    serving.abort();
    let answers = std::mem::take(&mut aws.lock().expect("no panic before").answers);
    (answers, reading.await.expect("its output"))
}

#[tokio::test]
async fn queues_and_topics_are_answered_each_in_its_way_and_nothing_is_told_of_anybody() {
    for world in worlds("").await {
        world
            .run(&["INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com'), (2, 'joe@example.com')"])
            .await;
        let (jane, joe) = (
            Report::bounce("1", "jane@example.com", "550 jane@example.com").text(),
            Report::complaint("2", "joe@example.com", "abuse").text(),
        );
        let queue = json!({"Records": [{"messageId": "q-0", "body": jane, "eventSource": "aws:sqs"}, {"messageId": "q-1", "body": "SPOILT", "eventSource": "aws:sqs"},
            {"messageId": "q-2", "body": json!({"eventType": "é".repeat(1000)}).to_string(), "eventSource": "aws:sqs"}]});
        // Half a surrogate pair, which no JSON library takes for text.
        let queue = queue.to_string().replace("SPOILT", r"\ud83d");
        let topic = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": joe}}]});
        let poison = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": "joe@example.com"}}]});
        let (answers, printed) = run(&world, vec![queue, topic.to_string(), poison.to_string()]).await;
        let answers: Vec<_> = answers
            .iter()
            .map(|(target, body)| {
                (
                    target.rsplit('/').next().unwrap_or_default(),
                    serde_json::from_str(body).unwrap_or(Value::Null),
                )
            })
            .collect();
        let reason =
            "the message is no JSON; send only what SES publishes to this queue or topic, and delete the message";
        assert_eq!(
            answers,
            [
                ("response", json!({"batchItemFailures": [{"itemIdentifier": "q-1"}]})),
                ("response", json!({"batchItemFailures": []})),
                ("error", json!({"errorType": "Failed", "errorMessage": reason})),
            ]
        );
        assert_eq!(
            world.rows().await,
            [
                "1 2026-11-23 23:38:25 2 email NULL Permanent/General: 550 jane@example.com",
                "2 2026-11-23 23:38:25 1 email NULL complaint: abuse",
            ]
        );
        for secret in [PASSWORD, "jane@", "joe@", "example.com"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
        told(&printed);
    }
}

/// Each line is JSON; the metrics of three batches are there, and two incidents.
fn told(printed: &str) {
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let totals: Vec<_> = lines.iter().filter(|line| line["Messages"].is_number()).collect();
    let counted = |name: &str| {
        totals
            .iter()
            .map(|line| line[name].as_f64().expect(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (counted("Messages"), counted("Malformed"), counted("Failed")),
        (vec![3.0, 1.0, 1.0], vec![1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0])
    );
    assert_eq!(
        totals[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"],
        "Mautic/test/Bounces"
    );
    assert!(totals[0]["Lag"].as_f64().is_some(), "{:?}", totals[0]);
    let dimensioned =
        |name: &str, value: &str| lines.iter().any(|line| line[name] == value && line["_aws"].is_object());
    for (name, value) in [
        ("Type", "Bounce"),
        ("SubType", "General"),
        ("SubType", "abuse"),
        ("Action", "bounced"),
        ("Action", "complained"),
        ("Correlation", "address"),
    ] {
        assert!(dimensioned(name, value), "{name} {value} in {printed}");
    }
    let unknown: Vec<_> = lines
        .iter()
        .filter_map(|line| line["name"].as_str())
        .filter(|name| name.starts_with('é'))
        .collect();
    assert_eq!(unknown, ["é".repeat(32)]);
    let recorded: Vec<_> = lines.iter().filter(|line| line["message"] == "recorded").collect();
    let pseudonyms: Vec<_> = recorded.iter().map(|line| line["address"].clone()).collect();
    assert_eq!(
        pseudonyms,
        [
            telemetry::pseudonym("jane@example.com"),
            telemetry::pseudonym("joe@example.com")
        ]
    );
}
