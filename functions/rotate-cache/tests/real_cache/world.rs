//! One cache, and ElastiCache in front of it, which changes a user's passwords in the real server.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::operation::{describe_users, modify_user};
use aws_sdk_elasticache::types::{Authentication, User};
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use local_servers::Cache as Server;
use recorded_calls::{Hesitation, Recorder, Refusal, locked_rule};
use rotate_cache::{Cache, CacheUser, command};
use rotation::Rotation;
use rotation::testing::{ARN, Scene, Shelf, V1};
use serde_json::{Value, json};
use tls_connection::{Lines, Trust};

pub const USER_ID: &str = "shop-test-mautic";

/// ElastiCache's user, as strict as it is.
pub struct ModelUser {
    name: String,
    server: Server,
    pub passwords: Vec<String>,
    /// What the user will have once the change is done.
    pub changing: Option<Vec<String>>,
    /// Whether a change takes its time.
    pub is_slow: bool,
    /// An action that the function's role does not allow.
    pub denied: Option<&'static str>,
    pub changes: usize,
}

impl ModelUser {
    fn modify(&mut self, passwords: Vec<String>) -> Result<(), Refusal> {
        let refused = |code, words: &str| Err(Refusal(code, words.to_owned()));
        if self.changing.is_some() {
            return refused("InvalidUserState", "The user is being modified.");
        }
        if !(1..=2).contains(&passwords.len()) {
            return refused("InvalidParameterValue", "A user has one or two passwords.");
        }
        self.changes += 1;
        self.changing = Some(passwords);
        if !self.is_slow {
            self.settle();
        }
        Ok(())
    }

    fn allows(&self, action: &str) -> Result<(), Refusal> {
        if self.denied == Some(action) {
            return Err(Refusal("AccessDenied", format!("not authorized to perform: {action}")));
        }
        Ok(())
    }

    /// Gives the user these passwords behind the function's back.
    pub fn give(&mut self, passwords: &[&str]) {
        self.changing = Some(passwords.iter().map(ToString::to_string).collect());
        self.settle();
    }

    /// Lets nobody sign in as the user, or everybody who has its password.
    pub fn turn(&self, state: &str) {
        let words = ["ACL", "SETUSER", &self.name, state].map(str::to_owned);
        administer(&self.server, &self.server.ports, &words);
    }

    /// The change reaches the nodes at these ports; ElastiCache is still at the others, or at its own books.
    pub fn reach(&self, ports: &[u16]) {
        let mut words = ["ACL", "SETUSER", &self.name, "reset", "on", "~*", "+@all"]
            .map(str::to_owned)
            .to_vec();
        let passwords = self.changing.iter().flatten();
        words.extend(passwords.map(|password| format!(">{password}")));
        administer(&self.server, ports, &words);
    }

    /// The change reaches every node.
    pub fn settle(&mut self) {
        if self.changing.is_some() {
            self.reach(&self.server.ports);
        }
        if let Some(passwords) = self.changing.take() {
            self.passwords = passwords;
        }
    }
}

/// Runs a command on the nodes at these ports. ElastiCache answers inside the runtime of a test, hence the thread.
fn administer(server: &Server, ports: &[u16], words: &[String]) {
    let (server, ports, words) = (server.clone(), ports.to_vec(), words.to_vec());
    let work = async move {
        let trust = Trust::from_file(&server.ca_file).expect("the authority");
        for port in ports {
            let lines = Lines::connect(&server.host, port).await.expect("a server");
            let mut lines = lines.secure(&trust).await.expect("TLS");
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            for said in [&["AUTH", &server.admin_user, &server.admin_password], words.as_slice()] {
                lines.write(&command(said)).await.expect("a server");
                assert_eq!(lines.read().await.expect("an answer"), "+OK");
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let thread = std::thread::spawn(move || runtime.expect("a runtime").block_on(work));
    thread.join().expect("an administrator's command");
}

pub struct World {
    pub server: Server,
    pub shelf: Arc<Shelf>,
    pub user: Arc<Mutex<ModelUser>>,
    pub rotation: Rotation<CacheUser>,
}

pub fn worlds(test: &str) -> Vec<World> {
    local_servers::caches()
        .into_iter()
        .map(|server| World::new(server, test))
        .collect()
}

impl World {
    pub fn new(server: Server, test: &str) -> Self {
        let name = format!("rotated-{test}");
        let shelf = Shelf::new();
        shelf.hold(ARN, V1, &json!({"username": name, "password": "s3nt1nel-0"}));
        let mut user = ModelUser {
            name,
            server: server.clone(),
            passwords: Vec::new(),
            changing: None,
            is_slow: false,
            denied: None,
            changes: 0,
        };
        user.modify(vec!["s3nt1nel-0".to_owned()]).expect("a user");
        user.changes = 0;
        let user = Arc::new(Mutex::new(user));
        let trust = Trust::from_file(&server.ca_file).expect("the authority");
        let cache = Cache::new(&server.host, server.ports[0], trust);
        Self {
            rotation: rotation(&shelf, &user, cache),
            server,
            shelf,
            user,
        }
    }

    pub fn user(&self) -> MutexGuard<'_, ModelUser> {
        self.user.lock().unwrap()
    }

    /// Whether the node at this port lets it in.
    pub async fn opens(&self, port: u16, content: &Value) -> bool {
        let secret = rotation::Secret::parse(&content.to_string()).expect("a secret");
        let trust = Trust::from_file(&self.server.ca_file).expect("the authority");
        let cache = Cache::new(&self.server.host, port, trust);
        cache.lets_in(&secret).await.expect("an answer")
    }
}

impl Scene for World {
    type Target = CacheUser;

    fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    fn rotation(&self) -> &Rotation<CacheUser> {
        &self.rotation
    }

    /// Whether every node lets it in.
    async fn lets_in(&self, content: &Value) -> bool {
        for port in &self.server.ports {
            if !self.opens(*port, content).await {
                return false;
            }
        }
        true
    }
}

pub fn rotation(shelf: &Arc<Shelf>, user: &Arc<Mutex<ModelUser>>, cache: Cache) -> Rotation<CacheUser> {
    let secrets = shelf.client(|config| {
        config
            .interceptor(Recorder::of("rotate-cache"))
            .identity_cache(Hesitation)
    });
    Rotation::new(
        secrets,
        [ARN.to_owned()],
        CacheUser::new(elasticache(user), USER_ID, cache),
    )
}

fn elasticache(user: &Arc<Mutex<ModelUser>>) -> Client {
    let answer = |user: &mut ModelUser, input: &describe_users::DescribeUsersInput| {
        user.allows("elasticache:DescribeUsers")?;
        if input.user_id() != Some(USER_ID) {
            return Err(Refusal("UserNotFound", "User not found.".to_owned()));
        }
        let count = i32::try_from(user.passwords.len()).unwrap();
        let described = User::builder()
            .user_id(USER_ID)
            .status(if user.changing.is_some() { "modifying" } else { "active" })
            .authentication(Authentication::builder().password_count(count).build());
        Ok(describe_users::DescribeUsersOutput::builder()
            .users(described.build())
            .build())
    };
    let error = describe_users::DescribeUsersError::generic;
    let described = locked_rule(mock!(Client::describe_users), user, answer, error);
    let answer = |user: &mut ModelUser, input: &modify_user::ModifyUserInput| {
        user.allows("elasticache:ModifyUser")?;
        assert_eq!(input.user_id(), Some(USER_ID));
        user.modify(input.passwords().to_vec())?;
        Ok(modify_user::ModifyUserOutput::builder().build())
    };
    let error = modify_user::ModifyUserError::generic;
    let modified = locked_rule(mock!(Client::modify_user), user, answer, error);
    mock_client!(
        aws_sdk_elasticache,
        RuleMode::MatchAny,
        [&described, &modified],
        |config| {
            config
                .interceptor(Recorder::of("rotate-cache"))
                .identity_cache(Hesitation)
        }
    )
}
