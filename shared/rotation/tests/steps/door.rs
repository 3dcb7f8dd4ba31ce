//! A door that opens to two keys, as strict as a service; keys are made by the door, as IAM makes access keys.

use std::sync::{Arc, Mutex, MutexGuard};

use rotation::testing::Shelf;
use rotation::{Retirement, Rotation, RotationTarget, Secret};
use serde_json::json;
use thiserror::Error;

pub const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Door-AbCdEf";
pub const V1: &str = "11111111-1111-1111-1111-111111111111";
pub const V2: &str = "22222222-2222-2222-2222-222222222222";
pub const V3: &str = "33333333-3333-3333-3333-333333333333";

#[derive(Debug, Error, PartialEq, Eq)]
pub enum Stuck {
    #[error("the door does not open to the key of `{0}`")]
    Closed(String),
    #[error("the door is jammed")]
    Jammed,
}

#[derive(Default)]
pub struct Keys {
    /// What has been cut, by the name of who holds it.
    pub cut: Vec<(String, String)>,
    pub installed: Vec<String>,
    pub made: usize,
    /// How many more calls find it jammed.
    pub jammed: usize,
    /// Whether calls are never answered.
    pub is_silent: bool,
    /// Whether retiring takes its time.
    pub slow: bool,
}

#[derive(Clone, Default)]
pub struct Door(Arc<Mutex<Keys>>);

impl Door {
    pub fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap()
    }

    pub fn opens_to(&self, key: &str) -> bool {
        self.keys().installed.iter().any(|installed| installed == key)
    }

    async fn call(&self) -> Result<MutexGuard<'_, Keys>, Stuck> {
        if self.keys().is_silent {
            std::future::pending::<()>().await;
        }
        let mut keys = self.keys();
        if keys.jammed > 0 {
            keys.jammed -= 1;
            return Err(Stuck::Jammed);
        }
        Ok(keys)
    }
}

fn key(secret: &Secret) -> String {
    secret.text("password").expect("a key").to_owned()
}

impl RotationTarget for Door {
    type Error = Stuck;

    async fn make(&self, current: &Secret) -> Result<Secret, Stuck> {
        let mut keys = self.call().await?;
        keys.made += 1;
        let made = format!("s3nt1nel-{}", keys.made);
        keys.cut.push(("key".to_owned(), made.clone()));
        Ok(current.with("password", &made))
    }

    async fn take_back(&self, made: &Secret) -> Result<(), Stuck> {
        self.call().await?.cut.retain(|(_, cut)| *cut != key(made));
        Ok(())
    }

    async fn install(&self, current: &Secret, pending: &Secret) -> Result<(), Stuck> {
        self.call().await?.installed = vec![key(pending), key(current)];
        Ok(())
    }

    async fn prove(&self, pending: &Secret) -> Result<(), Stuck> {
        drop(self.call().await?);
        if self.opens_to(&key(pending)) {
            return Ok(());
        }
        Err(Stuck::Closed(pending.username().expect("a name").to_owned()))
    }

    async fn retire(&self, current: &Secret, pending: Option<&Secret>) -> Result<Retirement, Stuck> {
        let mut keys = self.call().await?;
        if keys.slow {
            return Ok(Retirement::UnderWay);
        }
        let kept: Vec<String> = [Some(current), pending].into_iter().flatten().map(key).collect();
        keys.installed.retain(|installed| kept.contains(installed));
        Ok(Retirement::Done)
    }

    fn may_pass(&self, error: &Stuck) -> bool {
        *error == Stuck::Jammed
    }
}

pub struct Stage {
    pub shelf: Arc<Shelf>,
    pub door: Door,
    pub rotation: Rotation<Door>,
}

impl Stage {
    pub fn new() -> Self {
        let shelf = Shelf::new();
        shelf.hold(
            ARN,
            V1,
            &json!({"username": "porter", "password": "s3nt1nel-0", "room": 7}),
        );
        let door = Door::default();
        door.keys().installed = vec!["s3nt1nel-0".to_owned()];
        let rotation = Rotation::new(shelf.client(|config| config), [ARN.to_owned()], door.clone());
        Self { shelf, door, rotation }
    }

    pub fn key(&self, label: &str) -> Option<String> {
        Some(self.shelf.content(ARN, label)?["password"].as_str()?.to_owned())
    }

    /// What a client holds that read the secret before, and one that reads it now: both get in.
    pub fn both_get_in(&self, before: &str) -> bool {
        self.door.opens_to(before) && self.door.opens_to(&self.key("AWSCURRENT").expect("a current key"))
    }
}
