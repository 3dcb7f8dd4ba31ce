//! What CloudFormation answers on the wire, and what the driver makes of it. The answers come from a server of this
//! test's own, for no emulator answers with nested change sets.

mod http;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use stack_driver::cloud::{Cloud, Stack};
use stack_driver::event::Status;
use stack_driver::follow::{Ending, Follower};
use stack_driver::inputs::Inputs;
use stack_driver::preview::preview;
use stack_driver::style::Style;
use stack_driver::template::Template;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Answers each request with the first text whose marks all stand in the request's body.
struct Server {
    cloud: Cloud,
    requests: Arc<Mutex<Vec<String>>>,
}

type Answers = Vec<(&'static [&'static str], u16, String)>;

impl Server {
    async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &answers, &seen).await;
            }
        });
        let credentials = Credentials::new("key", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self {
            cloud: Cloud::new(config),
            requests,
        }
    }

    /// The requests in their order, each as the marks that are found in it.
    fn asked(&self, marks: &[&'static str]) -> Vec<Vec<&'static str>> {
        let requests = self.requests.lock().expect("no panic");
        let found = |body: &String| marks.iter().copied().filter(|mark| body.contains(mark)).collect();
        requests.iter().map(found).collect()
    }
}

async fn answer(mut stream: TcpStream, answers: &Answers, seen: &Mutex<Vec<String>>) {
    let (_, body) = http::read_request(&mut stream).await;
    let fits = |(marks, _, _): &&(&[&str], u16, String)| marks.iter().all(|mark| body.contains(mark));
    let (_, status, text) = answers
        .iter()
        .find(fits)
        .unwrap_or_else(|| panic!("nothing answers {body}"));
    seen.lock().expect("no panic").push(body);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(text.as_bytes()).await.expect("written");
}

fn wrapped(action: &str, body: &str) -> String {
    format!("<{action}Response><{action}Result>{body}</{action}Result></{action}Response>")
}

fn change_set(changes: &str) -> String {
    let body = format!("<Status>CREATE_COMPLETE</Status><Changes>{changes}</Changes>");
    wrapped("DescribeChangeSet", &body)
}

fn change(action: &str, name: &str, kind: &str, more: &str) -> String {
    format!(
        "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action><LogicalResourceId>{name}</LogicalResourceId>\
         <ResourceType>{kind}</ResourceType>{more}</ResourceChange></member>"
    )
}

fn detail(attribute: &str, name: &str, recreation: &str) -> String {
    format!(
        "<member><Target><Attribute>{attribute}</Attribute><Name>{name}</Name><RequiresRecreation>{recreation}\
         </RequiresRecreation></Target></member>"
    )
}

fn stands() -> Stack {
    Stack {
        id: "arn:aws:cloudformation:eu-central-1:1:stack/mautic/1".to_owned(),
        name: "mautic".to_owned(),
        status: Status::new("CREATE_COMPLETE"),
        parameters: std::collections::BTreeMap::from([("Old".to_owned(), "kept".to_owned())]),
        outputs: Vec::new(),
        termination_protection: false,
    }
}

fn template() -> Template {
    let body = "Parameters:\n  Old: {Type: String}\n  New: {Type: String, Default: x}\n  Given: {Type: String}\n\
                Resources:\n  Topic: {Type: AWS::SNS::Topic}\n";
    Template::parse("mautic.yaml", body).expect("parses")
}

const CREATED: &str = "<CreateChangeSetResponse><CreateChangeSetResult><Id>root-set</Id></CreateChangeSetResult></CreateChangeSetResponse>";
const DELETED: &str =
    "<DeleteChangeSetResponse><DeleteChangeSetResult></DeleteChangeSetResult></DeleteChangeSetResponse>";

/// The rows of the root's change set.
fn root_changes() -> String {
    let stack = "AWS::CloudFormation::Stack";
    [
        change(
            "Modify",
            "Database",
            stack,
            "<Replacement>Conditional</Replacement><ChangeSetId>database-set</ChangeSetId>",
        ),
        change("Modify", "Ses", stack, "<ChangeSetId>ses-set</ChangeSetId>"),
        change(
            "Remove",
            "Topic",
            "AWS::SNS::Topic",
            "<PolicyAction>Delete</PolicyAction>",
        ),
        change(
            "Modify",
            "Domain",
            "Custom::SesDomain",
            &format!(
                "<Replacement>Conditional</Replacement><Details>{}</Details>",
                detail("Properties", "DmarcPolicy", "Conditionally")
            ),
        ),
        change(
            "Remove",
            "Cache",
            stack,
            "<PhysicalResourceId>arn:cache</PhysicalResourceId><PolicyAction>Delete</PolicyAction>",
        ),
    ]
    .concat()
}

fn nested_change_sets() -> Answers {
    let replaced = format!(
        "<Replacement>True</Replacement><PolicyAction>ReplaceAndSnapshot</PolicyAction><Details>{}{}</Details>",
        detail("Properties", "DBInstanceIdentifier", "Always"),
        detail("Tags", "", "Never")
    );
    let inside = "<StackResourceSummaries><member><LogicalResourceId>Group</LogicalResourceId><PhysicalResourceId>group-1\
                  </PhysicalResourceId><ResourceType>AWS::ElastiCache::ReplicationGroup</ResourceType></member>\
                  </StackResourceSummaries>";
    let database = change("Modify", "Instance", "AWS::RDS::DBInstance", &replaced);
    let unchanged = "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes. Submit different \
                     information to create a change set.</StatusReason>";
    vec![
        (&["Action=CreateChangeSet"], 200, CREATED.to_owned()),
        (
            &["Action=DescribeChangeSet", "database-set"],
            200,
            change_set(&database),
        ),
        (
            &["Action=DescribeChangeSet", "ses-set"],
            200,
            wrapped("DescribeChangeSet", unchanged),
        ),
        (
            &["Action=DescribeChangeSet", "root-set"],
            200,
            change_set(&root_changes()),
        ),
        (
            &["Action=ListStackResources", "arn%3Acache"],
            200,
            wrapped("ListStackResources", inside),
        ),
        (&["Action=DeleteChangeSet", "root-set"], 200, DELETED.to_owned()),
    ]
}

#[tokio::test]
async fn a_preview_shows_what_happens_inside_nested_stacks_and_leaves_no_change_set() {
    let server = Server::start(nested_change_sets()).await;
    let inputs = Inputs::merge(None, &["Given=1".to_owned()], &[]).expect("merges");
    let changes = preview(&server.cloud, &stands(), &template(), &inputs, None, None)
        .await
        .expect("a preview");
    assert_eq!(
        stack_driver::change_set::render(&changes, Style::PLAIN),
        "  The stack itself
    -  Topic   AWS::SNS::Topic
        the old one is deleted
    ~  Domain  Custom::SesDomain
        DmarcPolicy
    -  Cache   AWS::CloudFormation::Stack
        the old one is deleted
  Cache
    -  Group  AWS::ElastiCache::ReplicationGroup
  Database
    !  Instance  AWS::RDS::DBInstance
        !DBInstanceIdentifier, Tags; a snapshot of the old one is kept
  In all: ~ 1 changed, ! 1 replaced, - 3 removed.
  What is removed or replaced is gone afterwards, unless its line says that it is kept. A property with ! in front is the one that forces the replacement.
"
    );
    let marks = [
        "CreateChangeSet",
        "IncludeNestedStacks=true",
        "UsePreviousValue=true",
        "ParameterKey=New",
        "DeleteChangeSet",
    ];
    let asked = server.asked(&marks);
    assert_eq!(
        asked.first(),
        Some(&vec![
            "CreateChangeSet",
            "IncludeNestedStacks=true",
            "UsePreviousValue=true"
        ])
    );
    assert_eq!(asked.last(), Some(&vec!["DeleteChangeSet"]));
}

#[tokio::test]
async fn a_change_set_that_fails_for_a_reason_is_told_with_it_and_deleted() {
    let failed = "<Status>FAILED</Status><StatusReason>Rule ProdNeedsAlarmEmail: set AlarmEmail</StatusReason>";
    let server = Server::start(vec![
        (&["Action=CreateChangeSet"], 200, CREATED.to_owned()),
        (&["Action=DescribeChangeSet"], 200, wrapped("DescribeChangeSet", failed)),
        (&["Action=DeleteChangeSet"], 200, DELETED.to_owned()),
    ])
    .await;
    let error = preview(&server.cloud, &stands(), &template(), &Inputs::default(), None, None).await;
    assert_eq!(
        error.expect_err("refused").to_string(),
        "CloudFormation cannot work out the changes of the stack mautic: Rule ProdNeedsAlarmEmail: set AlarmEmail"
    );
    assert_eq!(
        server.asked(&["DeleteChangeSet"]).last(),
        Some(&vec!["DeleteChangeSet"])
    );
}

fn event(id: &str, second: u8) -> String {
    format!(
        "<member><EventId>{id}</EventId><StackId>arn:1</StackId><LogicalResourceId>Topic</LogicalResourceId>\
         <ResourceType>AWS::SNS::Topic</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>\
         <Timestamp>1970-01-01T00:00:{second:02}.250Z</Timestamp></member>"
    )
}

/// An event of the stack `arn:STACK`, of one of its resources or of the stack itself.
fn told(stack: &str, name: &str, kind: &str, physical_id: &str, status: &str, second: u8) -> String {
    format!(
        "<member><EventId>{name}-{status}-{second}</EventId><StackId>arn:{stack}</StackId><LogicalResourceId>{name}\
         </LogicalResourceId><PhysicalResourceId>{physical_id}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
         <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>as told</ResourceStatusReason>\
         <Timestamp>1970-01-01T00:00:{second:02}.000Z</Timestamp></member>"
    )
}

#[tokio::test]
async fn a_nested_stack_that_failed_before_anybody_looked_is_followed_to_its_root_cause() {
    let stack = "AWS::CloudFormation::Stack";
    let root = [
        told("root", "mautic", stack, "arn:root", "ROLLBACK_COMPLETE", 9),
        told("root", "Ses", stack, "arn:ses", "CREATE_FAILED", 6),
        told("root", "Ses", stack, "arn:ses", "CREATE_IN_PROGRESS", 4),
        told("root", "mautic", stack, "arn:root", "CREATE_IN_PROGRESS", 3),
        told("root", "mautic", stack, "arn:root", "DELETE_COMPLETE", 1),
    ];
    let ses = [
        told("ses", "Domain", "Custom::SesDomain", "", "CREATE_FAILED", 5),
        told("ses", "Domain", "Custom::SesDomain", "", "UPDATE_FAILED", 2),
    ];
    let server = Server::start(vec![
        (&["StackName=mautic"], 200, events(&root, "")),
        (&["StackName=arn%3Aroot"], 200, events(&root, "")),
        (&["StackName=arn%3Ases"], 200, events(&ses, "")),
    ])
    .await;
    let since = Duration::from_secs(1);
    let mut follower = Follower::new(&server.cloud, "mautic", since, Style::PLAIN).expect("signals");
    let ending = follower.follow(&mut None).await.expect("an ending");
    assert!(matches!(ending, Ending::Finished(status) if status.as_str() == "ROLLBACK_COMPLETE"));
    let journal = follower.journal().expect("events");
    assert_eq!(journal.events().len(), 5);
    let cause = stack_driver::root_cause(journal).expect("a cause");
    assert_eq!((cause.first.path.as_str(), cause.others.len()), ("Ses / Domain", 0));
}

fn events(of: &[String], next: &str) -> String {
    wrapped(
        "DescribeStackEvents",
        &format!("<StackEvents>{}</StackEvents>{next}", of.concat()),
    )
}

#[tokio::test]
async fn events_are_read_page_by_page_until_they_are_old() {
    let second_page = events(&[event("b", 30), event("a", 20)], "<NextToken>third</NextToken>");
    let server = Server::start(vec![
        (&["NextToken=second"], 200, second_page),
        (
            &["Action=DescribeStackEvents"],
            200,
            events(&[event("c", 40)], "<NextToken>second</NextToken>"),
        ),
    ])
    .await;
    let read = server
        .cloud
        .events_after("mautic", Duration::from_millis(20_250))
        .await
        .expect("events");
    let read: Vec<(&str, Duration)> = read.iter().map(|event| (event.id.as_str(), event.at)).collect();
    assert_eq!(
        read,
        [
            ("c", Duration::from_millis(40_250)),
            ("b", Duration::from_millis(30_250))
        ]
    );
    assert_eq!(
        server.asked(&["NextToken=second", "NextToken=third"]),
        [vec![], vec!["NextToken=second"]]
    );
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_no_error_and_a_refusal_is_one() {
    let refusal = |code: &str, message: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
    };
    let server = Server::start(vec![
        (
            &["StackName=absent"],
            400,
            refusal("ValidationError", "Stack with id absent does not exist"),
        ),
        (
            &["StackName=secret"],
            403,
            refusal(
                "AccessDenied",
                "User: x is not authorized to perform: cloudformation:DescribeStacks",
            ),
        ),
    ])
    .await;
    assert!(server.cloud.stack("absent").await.expect("an answer").is_none());
    assert!(
        server
            .cloud
            .events_after("absent", Duration::ZERO)
            .await
            .expect("an answer")
            .is_empty()
    );
    assert_eq!(
        server.cloud.stack("secret").await.expect_err("refused").to_string(),
        "AWS refuses to describe the stack secret: User: x is not authorized to perform: cloudformation:DescribeStacks (AccessDenied)"
    );
}
