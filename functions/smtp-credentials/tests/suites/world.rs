//! IAM and Secrets Manager in memory, as strict as they are; and what happens to those who call them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use custom_resource::testing::{LOGICAL_ID, Response, STACK_ID, Scenario};
use custom_resource::{Owner, Runtime};
use recorded_calls::Refusal;
use serde_json::{Value, json};
use smtp_credentials::{Endpoint, OWNER_TAG, SmtpCredentials};

pub const TYPE: &str = "Custom::SmtpCredentials";
pub const USER: &str = "shop-MailUser-1ABCDEFGHIJKL";
pub const ID: &str = "smtp-credentials:shop-MailUser-1ABCDEFGHIJKL";
pub const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:SmtpSecret-GhIjKl";
pub const REGION: &str = "eu-central-1";
pub const HOST: &str = "email-smtp.eu-central-1.amazonaws.com";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    /// What IAM shows once: it must be seen nowhere else.
    pub secret: String,
    pub active: bool,
    pub made: u64,
}

/// One version of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub content: String,
    pub labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    /// The user's tags; `None` while there is no user.
    pub user: Option<BTreeMap<String, String>>,
    pub keys: Vec<AccessKey>,
    /// Keys that are not listed yet.
    pub late: Vec<AccessKey>,
    pub versions: BTreeMap<String, Written>,
    /// Whether CloudFormation has begun to delete the resource.
    pub withdrawn: bool,
    /// Every key has an id of its own.
    pub made: usize,
}

type Edit = Box<dyn FnOnce(&mut World) + Send>;

/// The world, and what happens to those who call it.
#[derive(Default)]
pub struct Stage {
    world: Mutex<World>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    calls: Vec<&'static str>,
    /// From this call on, everything is denied: as if the function had been killed before it.
    dies_at: Option<usize>,
    /// How many more calls of an action are refused, and how.
    refused: Option<(&'static str, usize, &'static str)>,
    /// Each runs once before the given call, after so many others of it; the next one counts from there.
    meanwhile: VecDeque<(&'static str, usize, Edit)>,
}

pub fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

pub fn owner() -> Owner {
    Owner::new(STACK_ID, LOGICAL_ID)
}

impl World {
    /// A user with our mark, and an empty secret.
    fn new() -> Self {
        let tags = [
            (OWNER_TAG.to_owned(), owner().to_string()),
            ("Application".to_owned(), "shop".to_owned()),
        ];
        Self {
            user: Some(tags.into()),
            ..Self::default()
        }
    }

    pub fn existing(&self) -> Result<&BTreeMap<String, String>, Refusal> {
        let missing = || Refusal("NoSuchEntity", format!("The user with name {USER} cannot be found."));
        self.user.as_ref().ok_or_else(missing)
    }

    pub fn make_key(&mut self) -> Result<AccessKey, Refusal> {
        self.existing()?;
        if self.keys.len() >= 2 {
            let text = "Cannot exceed quota for AccessKeysPerUser: 2".to_owned();
            return Err(Refusal("LimitExceeded", text));
        }
        self.made += 1;
        let key = AccessKey {
            id: format!("AKIA-{}", self.made),
            secret: format!("s3nt1nel/Key+{:027}", self.made),
            active: true,
            made: seconds(),
        };
        self.keys.push(key.clone());
        Ok(key)
    }

    pub fn delete_key(&mut self, id: &str) -> Result<(), Refusal> {
        self.existing()?;
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        if self.keys.len() < before {
            return Ok(());
        }
        Err(Refusal(
            "NoSuchEntity",
            format!("The Access Key with id {id} cannot be found."),
        ))
    }

    pub fn version(&self, label: &str) -> Option<(&String, &Written)> {
        self.versions
            .iter()
            .find(|(_, version)| version.labels.iter().any(|own| own == label))
    }

    /// A new version becomes the current one; the one before the previous one.
    pub fn write(&mut self, id: &str, content: &str) -> Result<(), Refusal> {
        match self.versions.get(id) {
            Some(version) if version.content == content => return Ok(()),
            Some(_) => {
                return Err(Refusal(
                    "ResourceExistsException",
                    "a version of that token exists".to_owned(),
                ));
            }
            None => {}
        }
        let written = Written {
            content: content.to_owned(),
            labels: Vec::new(),
        };
        self.versions.insert(id.to_owned(), written);
        self.make_current(id)
    }

    pub fn make_current(&mut self, id: &str) -> Result<(), Refusal> {
        if !self.versions.contains_key(id) {
            return Err(Refusal("ResourceNotFoundException", "no such version".to_owned()));
        }
        let before = self.version("AWSCURRENT").map(|(id, _)| id.clone());
        for (own, version) in &mut self.versions {
            version.labels.retain(|label| label == "AWSPENDING");
            if own == id {
                version.labels.push("AWSCURRENT".to_owned());
            } else if Some(own) == before.as_ref() {
                version.labels.push("AWSPREVIOUS".to_owned());
            }
        }
        Ok(())
    }

    pub fn current(&self) -> Value {
        let (_, version) = self.version("AWSCURRENT").expect("a current version");
        serde_json::from_str(&version.content).expect("JSON")
    }

    /// Whether the current version is one with which somebody can sign in.
    pub fn serves(&self) -> bool {
        let current = self.current();
        let key = self
            .keys
            .iter()
            .find(|key| current["username"] == key.id.as_str() && key.active);
        key.is_some_and(|key| current["password"] == password(key, current["region"].as_str().unwrap_or_default()))
    }
}

pub fn password(key: &AccessKey, region: &str) -> String {
    use secrecy::ExposeSecret;
    smtp_password::smtp_password(&key.secret.clone().into(), region)
        .expose_secret()
        .to_owned()
}

impl Stage {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::new(World::new()),
            script: Mutex::default(),
        })
    }

    pub fn world(&self) -> World {
        self.edit().clone()
    }

    pub fn edit(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn calls(&self) -> Vec<&'static str> {
        self.script.lock().unwrap().calls.clone()
    }

    /// Denies everything from the call of this number on, counted from now; `None` lifts that.
    pub fn die_at(&self, call: Option<usize>) {
        let mut script = self.script.lock().unwrap();
        script.dies_at = call.map(|call| script.calls.len() + call);
    }

    /// Refuses the next calls of `action`, so many of them, with this code.
    pub fn refuse(&self, action: &'static str, times: usize, code: &'static str) {
        self.script.lock().unwrap().refused = Some((action, times, code));
    }

    /// Lets somebody else change the world just before the call of `action` that comes after so many others.
    pub fn meanwhile(&self, action: &'static str, after: usize, change: impl FnOnce(&mut World) + Send + 'static) {
        let change = Box::new(change);
        self.script.lock().unwrap().meanwhile.push_back((action, after, change));
    }

    /// One call, with what it does to the world.
    pub fn call<T>(
        &self,
        action: &'static str,
        answer: impl FnOnce(&mut World) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut script = self.script.lock().unwrap();
        let number = script.calls.len();
        script.calls.push(action);
        if script.dies_at.is_some_and(|at| number >= at) {
            return Err(Refusal("AccessDenied", "killed".to_owned()));
        }
        if let Some((refused, left @ 1.., code)) = &mut script.refused
            && *refused == action
        {
            *left -= 1;
            return Err(Refusal(code, "not now".to_owned()));
        }
        let mut world = self.world.lock().unwrap();
        if let Some((awaited, left, _)) = script.meanwhile.front_mut()
            && *awaited == action
        {
            if *left > 0 {
                *left -= 1;
            } else if let Some((_, _, change)) = script.meanwhile.pop_front() {
                change(&mut world);
            }
        }
        answer(&mut world)
    }

    pub fn runtime(self: &Arc<Self>) -> Runtime {
        self.runtime_at(None)
    }

    pub fn runtime_at(self: &Arc<Self>, endpoint: Option<Endpoint>) -> Runtime {
        Runtime::new().on(TYPE, SmtpCredentials::new(crate::clients::clients(self), endpoint))
    }
}

pub fn properties() -> Value {
    json!({"UserName": USER, "SecretArn": SECRET, "Region": REGION, "Host": HOST, "Port": "587", "Nonce": "1"})
}

pub fn with(mut properties: Value, name: &str, value: &str) -> Value {
    properties[name] = json!(value);
    properties
}

pub async fn send(stage: &Arc<Stage>, scenario: &Scenario) -> Response {
    scenario.send(&stage.runtime()).await.response()
}

pub async fn succeeds(stage: &Arc<Stage>, scenario: &Scenario) -> Response {
    let response = send(stage, scenario).await;
    let calls = stage.calls();
    assert_eq!((response.status(), response.reason()), ("SUCCESS", ""), "{calls:?}");
    response
}

pub async fn fails(stage: &Arc<Stage>, scenario: &Scenario) -> String {
    let response = send(stage, scenario).await;
    assert_eq!(response.status(), "FAILED");
    response.reason().to_owned()
}
