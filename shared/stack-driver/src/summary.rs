//! What stands after a deployment, for people.

use crate::command_line::{CommandLine, quote};
use crate::dns::{Purpose, Record};
use crate::event::Status;
use crate::readiness::cloudformation;
use crate::style::{Style, Tone, columns};

/// A schema on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Host and port.
    pub server: String,
    /// The schema's name.
    pub name: String,
}

/// A user on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Host and port.
    pub server: String,
    /// The user's name.
    pub name: String,
    /// From where it may connect; `%` is anywhere.
    pub from: String,
}

/// Whether the account may send to anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// SES granted production access.
    Production,
    /// Only verified addresses receive mail.
    Sandbox,
    /// It could not be asked.
    Unknown(String),
}

/// A domain that sends mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The domain.
    pub domain: String,
    /// "DKIM SUCCESS, MAIL FROM mail.example.com SUCCESS", or why it is not known.
    pub identity: String,
    /// The id of the public zone; `None` if Route 53 has none for the domain.
    pub zone: Option<String>,
    /// The records of the domain's mail that the zone holds, or why they could not be read.
    pub records: Result<Vec<(Purpose, Record)>, String>,
    /// The account's state.
    pub sending: Sending,
}

/// What stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The stack's name.
    pub stack: String,
    /// Its status.
    pub status: Status,
    /// Whether deletion is forbidden.
    pub locked: bool,
    /// Name, value, description.
    pub outputs: Vec<[String; 3]>,
    /// Domains that the stack set up with SES.
    pub mail: Vec<Mail>,
    /// Schemas that the stack made.
    pub schemas: Vec<Schema>,
    /// Users that the stack made.
    pub users: Vec<User>,
    /// The ARNs of the secrets beside the users.
    pub secrets: Vec<String>,
    /// The address of a local AWS.
    pub endpoint: Option<String>,
    /// What brings a shell to this AWS, for the commands below it.
    pub setup: Option<String>,
}

/// Reads `mysql-schema:HOST:PORT/NAME`, the physical id of a `Custom::Database`.
#[must_use]
pub fn schema(physical_id: &str) -> Option<Schema> {
    let (server, name) = physical_id.strip_prefix("mysql-schema:")?.split_once('/')?;
    Some(Schema {
        server: server.to_owned(),
        name: name.to_owned(),
    })
}

/// Reads `mysql-user:HOST:PORT/USER@FROM`, the physical id of a `Custom::DatabaseUser`.
#[must_use]
pub fn user(physical_id: &str) -> Option<User> {
    let (server, account) = physical_id.strip_prefix("mysql-user:")?.split_once('/')?;
    let (name, from) = account.rsplit_once('@')?;
    Some(User {
        server: server.to_owned(),
        name: name.to_owned(),
        from: from.to_owned(),
    })
}

/// Reads `ses-domain:DOMAIN`, the physical id of a `Custom::SesDomain`.
#[must_use]
pub fn domain(physical_id: &str) -> Option<&str> {
    physical_id.strip_prefix("ses-domain:")
}

/// A value has lines of its own: ARNs are long, and a zone file has many lines.
fn output([name, value, description]: &[String; 3]) -> String {
    let head = match description.as_str() {
        "" => name.clone(),
        description => format!("{name}: {description}"),
    };
    let lines: Vec<String> = value.lines().map(|line| format!("    {line}\n")).collect();
    format!("  {head}\n{}", lines.concat())
}

impl Summary {
    /// The whole text.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let tone = if self.status.is_success() {
            Tone::Good
        } else {
            Tone::Bad
        };
        let head = style.paint(tone, &format!("{} is {}", self.stack, self.status)) + "\n";
        let mail: String = self.mail.iter().map(|mail| mail.render(style)).collect();
        head + &self.outputs(style) + &mail + &self.database(style) + &self.endpoints(style) + &self.next(style)
    }

    fn outputs(&self, style: Style) -> String {
        let outputs: Vec<String> = self.outputs.iter().map(output).collect();
        section("Outputs", &outputs.concat(), style)
    }

    fn database(&self, style: Style) -> String {
        let schemas = self.schemas.iter().map(|schema| {
            vec![
                "schema".to_owned(),
                schema.name.clone(),
                format!("on {}", schema.server),
            ]
        });
        let users = self.users.iter().map(|user| {
            vec![
                "user".to_owned(),
                format!("{}@{}", user.name, user.from),
                format!("on {}", user.server),
            ]
        });
        section(
            "Database",
            &columns(2, &schemas.chain(users).collect::<Vec<_>>()),
            style,
        )
    }

    fn endpoints(&self, style: Style) -> String {
        let mut servers: Vec<&String> = self
            .schemas
            .iter()
            .map(|schema| &schema.server)
            .chain(self.users.iter().map(|user| &user.server))
            .collect();
        servers.sort();
        servers.dedup();
        let databases = servers
            .into_iter()
            .map(|server| vec!["MySQL".to_owned(), server.clone()]);
        let local = self
            .endpoint
            .iter()
            .map(|endpoint| vec!["local AWS".to_owned(), endpoint.clone()]);
        section(
            "Endpoints",
            &columns(2, &databases.chain(local).collect::<Vec<_>>()),
            style,
        )
    }

    fn next(&self, style: Style) -> String {
        let lines: Vec<String> = self
            .commands()
            .iter()
            .map(|(why, line)| format!("  # {why}\n  {line}\n"))
            .collect();
        section("What to try next", &lines.concat(), style)
    }

    /// What each command shows, and the command.
    fn commands(&self) -> Vec<(String, String)> {
        let shell = shell_line(self.setup.as_deref(), self.endpoint.as_deref())
            .map(|line| ("a shell that speaks to this AWS".to_owned(), line));
        let unlock = self.locked.then(|| {
            let unlock = cloudformation("update-termination-protection", &self.stack);
            (
                "before it can be removed, on purpose only: the lock goes".to_owned(),
                unlock.with(["--no-enable-termination-protection"]).one_line(),
            )
        });
        let delete = (
            "remove it all again, but for what is kept on purpose".to_owned(),
            cloudformation("delete-stack", &self.stack).one_line(),
        );
        let mail = self.mail.iter().flat_map(Mail::commands);
        let secrets = self.secrets.iter().map(|secret| show_secret(secret));
        let users = self.users.iter().map(|user| self.log_in(user));
        shell
            .into_iter()
            .chain(mail)
            .chain(secrets)
            .chain(users)
            .chain(unlock)
            .chain([delete])
            .collect()
    }

    fn log_in(&self, user: &User) -> (String, String) {
        let (host, port) = user.server.rsplit_once(':').unwrap_or((&user.server, "3306"));
        let same_server = |schema: &&Schema| schema.server == user.server;
        // Several users have a schema each, of their own name.
        let near = || self.schemas.iter().filter(same_server);
        let named = near().find(|schema| schema.name == user.name);
        let schema = named.or_else(|| near().next()).map(|schema| schema.name.clone());
        let line = CommandLine::new("mysql")
            .with(["--host", host, "--port", port, "--user", &user.name])
            .with(["--password", "--ssl-mode=REQUIRED"])
            .with(schema);
        (format!("the database as {} sees it", user.name), line.one_line())
    }
}

/// What brings a shell to this AWS: what the caller says, or the address of a local AWS; nothing for AWS itself.
#[must_use]
pub fn shell_line(setup: Option<&str>, endpoint: Option<&str>) -> Option<String> {
    let export = |url: &str| format!("export AWS_ENDPOINT_URL={}", quote(url));
    setup.map(str::to_owned).or_else(|| endpoint.map(export))
}

fn show_secret(secret: &str) -> (String, String) {
    let line = CommandLine::new("aws")
        .with(["secretsmanager", "get-secret-value", "--secret-id", secret])
        .with(["--query", "SecretString", "--output", "text"]);
    (
        "a database password; it appears on the screen".to_owned(),
        line.one_line(),
    )
}

impl Mail {
    fn commands(&self) -> Vec<(String, String)> {
        let zone = self.zone.as_ref().map(|zone| {
            let line = CommandLine::new("aws")
                .with(["route53", "list-resource-record-sets", "--hosted-zone-id", zone])
                .with(["--output", "table"]);
            (format!("the zone of {} as it stands", self.domain), line.one_line())
        });
        let identity = CommandLine::new("aws").with(["sesv2", "get-email-identity", "--email-identity", &self.domain]);
        let identity = (format!("what SES thinks of {}", self.domain), identity.one_line());
        zone.into_iter().chain([identity]).collect()
    }

    fn render(&self, style: Style) -> String {
        let records = match (&self.records, &self.zone) {
            (Err(cause), _) => format!("  could not be read: {cause}\n"),
            (Ok(_), None) => "  Route 53 has no public zone for this domain: its DNS is elsewhere.\n".to_owned(),
            (Ok(records), Some(_)) if records.is_empty() => "  none yet\n".to_owned(),
            (Ok(records), Some(_)) => columns(2, &records.iter().flat_map(record_rows).collect::<Vec<_>>()),
        };
        let place = self
            .zone
            .as_ref()
            .map_or_else(String::new, |zone| format!(" in zone {zone}"));
        let title = format!("DNS records of {}{place}", self.domain);
        let account = match &self.sending {
            Sending::Production => style.paint(Tone::Good, "This account has SES production access."),
            Sending::Sandbox => style.paint(
                Tone::Notice,
                "This account is in the SES sandbox: only verified addresses receive mail. Ask for production access in the SES console.",
            ),
            Sending::Unknown(cause) => format!("Whether SES is in its sandbox is not known: {cause}"),
        };
        let identity = format!("{}: {}", self.domain, self.identity);
        section(&title, &records, style)
            + &section("Mail", &(style.wrap(2, &identity) + &style.wrap(2, &account)), style)
    }
}

fn record_rows((purpose, record): &(Purpose, Record)) -> Vec<Vec<String>> {
    let row = |value: &String| {
        vec![
            purpose.name().to_owned(),
            record.name.clone(),
            record.kind.clone(),
            value.clone(),
        ]
    };
    record.values.iter().map(row).collect()
}

fn section(title: &str, body: &str, style: Style) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("\n{}\n{body}", style.paint(Tone::Strong, title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let record = Record {
            name: "_dmarc.example.com".to_owned(),
            kind: "TXT".to_owned(),
            values: vec!["\"v=DMARC1; p=none\"".to_owned()],
        };
        Summary {
            stack: "mautic".to_owned(),
            status: Status::new("CREATE_COMPLETE"),
            locked: false,
            outputs: vec![
                [
                    "DatabaseEndpoint".to_owned(),
                    "localhost".to_owned(),
                    "The server's name".to_owned(),
                ],
                ["Zone".to_owned(), "Z1".to_owned(), String::new()],
            ],
            mail: vec![Mail {
                domain: "example.com".to_owned(),
                identity: "DKIM SUCCESS, MAIL FROM mail.example.com SUCCESS".to_owned(),
                zone: Some("Z1".to_owned()),
                records: Ok(vec![(Purpose::Dmarc, record)]),
                sending: Sending::Sandbox,
            }],
            schemas: vec![schema("mysql-schema:localhost:33061/mautic").expect("a schema")],
            users: vec![user("mysql-user:localhost:33061/mautic@%").expect("a user")],
            secrets: vec!["arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-1a2b".to_owned()],
            endpoint: Some("http://127.0.0.1:4566".to_owned()),
            setup: None,
        }
    }

    #[test]
    fn the_summary_says_what_stands_and_what_to_try_next() {
        assert_eq!(
            summary().render(Style::PLAIN),
            r#"mautic is CREATE_COMPLETE

Outputs
  DatabaseEndpoint: The server's name
    localhost
  Zone
    Z1

DNS records of example.com in zone Z1
  DMARC  _dmarc.example.com  TXT  "v=DMARC1; p=none"

Mail
  example.com: DKIM SUCCESS, MAIL FROM mail.example.com SUCCESS
  This account is in the SES sandbox: only verified addresses receive mail. Ask for production access in the SES console.

Database
  schema  mautic    on localhost:33061
  user    mautic@%  on localhost:33061

Endpoints
  MySQL      localhost:33061
  local AWS  http://127.0.0.1:4566

What to try next
  # a shell that speaks to this AWS
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566
  # the zone of example.com as it stands
  aws route53 list-resource-record-sets --hosted-zone-id Z1 --output table
  # what SES thinks of example.com
  aws sesv2 get-email-identity --email-identity example.com
  # a database password; it appears on the screen
  aws secretsmanager get-secret-value --secret-id arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-1a2b --query SecretString --output text
  # the database as mautic sees it
  mysql --host localhost --port 33061 --user mautic --password --ssl-mode=REQUIRED mautic
  # remove it all again, but for what is kept on purpose
  aws cloudformation delete-stack --stack-name mautic
"#
        );
    }

    #[test]
    fn each_user_is_led_to_the_schema_of_its_name() {
        let [own, mautic] = ["mautic_bounces", "mautic"];
        let both = Summary {
            schemas: [own, mautic]
                .iter()
                .map(|name| schema(&format!("mysql-schema:localhost:33061/{name}")).expect("a schema"))
                .collect(),
            users: [mautic, own]
                .iter()
                .map(|name| user(&format!("mysql-user:localhost:33061/{name}@%")).expect("a user"))
                .collect(),
            ..summary()
        };
        let text = both.render(Style::PLAIN);
        for name in [own, mautic] {
            let line = format!("--user {name} --password --ssl-mode=REQUIRED {name}\n");
            assert!(text.contains(&line), "{text}");
        }
    }

    #[test]
    fn a_stack_without_mail_and_database_shows_neither() {
        let bare = Summary {
            mail: Vec::new(),
            schemas: Vec::new(),
            users: Vec::new(),
            secrets: Vec::new(),
            outputs: Vec::new(),
            endpoint: None,
            status: Status::new("UPDATE_COMPLETE"),
            ..summary()
        };
        assert_eq!(
            bare.render(Style::PLAIN),
            "mautic is UPDATE_COMPLETE\n\nWhat to try next\n  # remove it all again, but for what is kept on purpose\n  aws \
             cloudformation delete-stack --stack-name mautic\n"
        );
    }

    #[test]
    fn a_stack_that_is_locked_names_the_command_that_unlocks_it() {
        let locked = Summary {
            locked: true,
            ..summary()
        };
        assert!(locked.render(Style::PLAIN).ends_with(
            "  # before it can be removed, on purpose only: the lock goes
  aws cloudformation update-termination-protection --stack-name mautic --no-enable-termination-protection
  # remove it all again, but for what is kept on purpose
  aws cloudformation delete-stack --stack-name mautic
"
        ));
    }

    #[test]
    fn a_domain_whose_dns_is_elsewhere_is_said_to_be_so() {
        let mail = Mail {
            zone: None,
            records: Ok(Vec::new()),
            sending: Sending::Unknown("no answer".to_owned()),
            ..summary().mail[0].clone()
        };
        assert_eq!(
            mail.render(Style::PLAIN),
            "\nDNS records of example.com\n  Route 53 has no public zone for this domain: its DNS is elsewhere.\n\nMail\n  example.com: \
             DKIM SUCCESS, MAIL FROM mail.example.com SUCCESS\n  Whether SES is in its sandbox is not known: no answer\n"
        );
    }

    #[test]
    fn ids_of_other_resources_are_not_taken_for_a_database() {
        assert_eq!(
            (
                schema("mautic-Schema-1A2B"),
                user("mysql-user:localhost"),
                domain("example.com")
            ),
            (None, None, None)
        );
        assert_eq!(domain("ses-domain:example.com"), Some("example.com"));
    }
}
