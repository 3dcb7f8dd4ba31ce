//! IAM in memory, as strict as it is, in front of a real SMTP server.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::{create_access_key, delete_access_key, list_access_keys};
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AccessKey, AccessKeyMetadata, StatusType};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use recorded_calls::{Hesitation, Recorder, Refusal, locked_rule};
use rotate_smtp::{Error, MailUser, SmtpServers};
use rotation::testing::{ARN, Scene, Shelf, V1};
use rotation::{Rotation, Secret};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use smtp_password::smtp_password;

use crate::server::SmtpServer;

pub const USER: &str = "shop-MailUser-1ABCDEFGHIJKL";
const REGION: &str = "eu-central-1";

pub struct Key {
    pub id: String,
    pub secret: String,
    pub made: u64,
    pub is_active: bool,
}

pub struct Iam {
    pub keys: Vec<Key>,
    pub made: usize,
    /// Whether SES learns of new keys only when it is told.
    pub is_slow: bool,
    /// An action that the function's role does not allow.
    pub denied: Option<&'static str>,
    pub most: usize,
    pub smtp: SmtpServer,
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Iam {
    pub fn make(&mut self, made: u64) -> Option<(String, String)> {
        if self.keys.len() >= 2 {
            return None;
        }
        self.made += 1;
        let (id, secret) = (format!("KEY{}", self.made), format!("s3nt1nel/Key+{:027}", self.made));
        self.keys.push(Key {
            id: id.clone(),
            secret: secret.clone(),
            made,
            is_active: true,
        });
        self.most = self.most.max(self.keys.len());
        if !self.is_slow {
            self.propagate();
        }
        Some((id, secret))
    }

    /// SES learns of all keys.
    pub fn propagate(&mut self) {
        for key in &self.keys {
            if key.is_active {
                self.smtp.allow(&key.id, &password(&key.secret));
            } else {
                self.smtp.deny(&key.id);
            }
        }
    }

    /// Deactivates a key, or activates it again.
    pub fn turn(&mut self, id: &str, is_active: bool) {
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.is_active = is_active;
        }
        self.propagate();
    }

    fn allows(&self, action: &str) -> Result<(), Refusal> {
        if self.denied == Some(action) {
            return Err(Refusal("AccessDenied", format!("not authorized to perform: {action}")));
        }
        Ok(())
    }
}

pub fn password(secret: &str) -> String {
    smtp_password(&secret.to_owned().into(), REGION)
        .expose_secret()
        .to_owned()
}

pub struct World {
    pub shelf: Arc<Shelf>,
    pub iam: Arc<Mutex<Iam>>,
    pub rotation: Rotation<MailUser>,
}

impl World {
    pub fn new() -> Self {
        let mut iam = Iam {
            keys: Vec::new(),
            made: 0,
            is_slow: false,
            denied: None,
            most: 0,
            smtp: SmtpServer::start(),
        };
        let (key, secret) = iam.make(now() - 10_000).expect("room");
        let shelf = Shelf::new();
        let content = json!({
            "username": key, "password": password(&secret), "region": REGION, "host": iam.smtp.host, "port": iam.smtp.port,
        });
        shelf.hold(ARN, V1, &content);
        let believed = trusting(&iam.smtp.ca_file);
        let iam = Arc::new(Mutex::new(iam));
        Self {
            rotation: rotation(&shelf, &iam, believed),
            shelf,
            iam,
        }
    }

    pub fn iam(&self) -> MutexGuard<'_, Iam> {
        self.iam.lock().unwrap()
    }
}

impl Scene for World {
    type Target = MailUser;

    fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    fn rotation(&self) -> &Rotation<MailUser> {
        &self.rotation
    }

    /// A minute, after which nobody can be about to write a key.
    fn pass_time(&self) {
        for key in &mut self.iam().keys {
            key.made -= 60;
        }
    }

    async fn lets_in(&self, content: &Value) -> bool {
        let secret = Secret::parse(&content.to_string()).expect("a secret");
        let believed = trusting(&self.iam().smtp.ca_file);
        match believed.sign_in(&secret).await {
            Ok(()) => true,
            Err(Error::Refused { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn trusting(authority: &std::path::Path) -> SmtpServers {
    SmtpServers::new(tls_connection::Trust::from_file(authority).expect("the authority"))
}

pub fn rotation(shelf: &Arc<Shelf>, iam: &Arc<Mutex<Iam>>, server: SmtpServers) -> Rotation<MailUser> {
    let secrets = shelf.client(|config| {
        config
            .interceptor(Recorder::of("rotate-smtp"))
            .identity_cache(Hesitation)
    });
    Rotation::new(secrets, [ARN.to_owned()], MailUser::new(client(iam), USER, server))
}

fn client(iam: &Arc<Mutex<Iam>>) -> Client {
    mock_client!(
        aws_sdk_iam,
        RuleMode::MatchAny,
        &[list(iam), create(iam), delete(iam)],
        |config| {
            config
                .interceptor(Recorder::of("rotate-smtp"))
                .identity_cache(Hesitation)
        }
    )
}

fn list(iam: &Arc<Mutex<Iam>>) -> Rule {
    let answer = |iam: &mut Iam, input: &list_access_keys::ListAccessKeysInput| {
        iam.allows("iam:ListAccessKeys")?;
        assert_eq!(input.user_name(), Some(USER));
        let keys = iam.keys.iter().map(|key| {
            let made = DateTime::from_secs(i64::try_from(key.made).unwrap());
            let status = if key.is_active {
                StatusType::Active
            } else {
                StatusType::Inactive
            };
            let metadata = AccessKeyMetadata::builder().access_key_id(&key.id).status(status);
            metadata.create_date(made).build()
        });
        let output = list_access_keys::ListAccessKeysOutput::builder().set_access_key_metadata(Some(keys.collect()));
        Ok(output.build().unwrap())
    };
    let error = list_access_keys::ListAccessKeysError::generic;
    locked_rule(mock!(Client::list_access_keys), iam, answer, error)
}

fn create(iam: &Arc<Mutex<Iam>>) -> Rule {
    let answer = |iam: &mut Iam, _: &create_access_key::CreateAccessKeyInput| {
        let full = || {
            Refusal(
                "LimitExceeded",
                "Cannot exceed quota for AccessKeysPerUser: 2".to_owned(),
            )
        };
        iam.allows("iam:CreateAccessKey")?;
        let (id, secret) = iam.make(now()).ok_or_else(full)?;
        let key = AccessKey::builder()
            .user_name(USER)
            .access_key_id(id)
            .secret_access_key(secret);
        let key = key.status(StatusType::Active).build().unwrap();
        Ok(create_access_key::CreateAccessKeyOutput::builder()
            .access_key(key)
            .build())
    };
    let error = create_access_key::CreateAccessKeyError::generic;
    locked_rule(mock!(Client::create_access_key), iam, answer, error)
}

fn delete(iam: &Arc<Mutex<Iam>>) -> Rule {
    let answer = |iam: &mut Iam, input: &delete_access_key::DeleteAccessKeyInput| {
        iam.allows("iam:DeleteAccessKey")?;
        let id = input.access_key_id().unwrap_or_default();
        let before = iam.keys.len();
        iam.keys.retain(|key| key.id != id);
        if iam.keys.len() == before {
            return Err(Refusal("NoSuchEntity", "It cannot be found.".to_owned()));
        }
        iam.smtp.deny(id);
        Ok(delete_access_key::DeleteAccessKeyOutput::builder().build())
    };
    let error = delete_access_key::DeleteAccessKeyError::generic;
    locked_rule(mock!(Client::delete_access_key), iam, answer, error)
}
