//! CodeBuild, ECR, the bucket, the logs and the stack's state in memory, as strict as they are where it matters here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use recorded_calls::Refusal;

pub const PROJECT: &str = "shop-prod-image";
pub const BUCKET: &str = "shop-prod-builds";
pub const REPOSITORY: &str = "shop-prod";
pub const LOG_GROUP: &str = "shop-prod-BuildLogGroup";

/// What becomes of the builds that are started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Play {
    /// Each pushes its image and succeeds.
    #[default]
    Well,
    /// Each runs until somebody ends it.
    Never,
    /// Each ends with this status in this phase, with these words, without an image.
    Ends(&'static str, &'static str, &'static str),
    /// Each fails at its push, because the image is there.
    PushRefused,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    pub id: String,
    pub variables: BTreeMap<String, String>,
    pub source: String,
    /// `None` while it runs.
    pub status: Option<&'static str>,
    pub phase: &'static str,
    pub message: &'static str,
    /// How often CodeBuild still says that there is no such build.
    pub unseen: usize,
}

#[derive(Debug, Default)]
pub struct Account {
    pub builds: Vec<Build>,
    /// The repository: tag to digest.
    pub images: BTreeMap<String, String>,
    /// The bucket: key to size.
    pub objects: BTreeMap<String, usize>,
    /// By a build's id: its log's lines.
    pub lines: BTreeMap<String, Vec<String>>,
    pub play: Play,
    /// Whether CloudFormation has begun to delete the resource.
    pub withdrawn: bool,
    pub calls: Vec<&'static str>,
    /// How many more calls of an action are refused, and how.
    pub refused: Option<(&'static str, usize, Refusal)>,
    /// Whether builds let a tag follow them.
    pub rolling: bool,
    /// How often a build that was started is not seen at first.
    pub lag: usize,
    tokens: BTreeMap<String, String>,
}

pub type Shared = Arc<Mutex<Account>>;

pub fn lock(account: &Shared) -> MutexGuard<'_, Account> {
    account.lock().expect("no panic before")
}

/// The digest of every image that these builds make.
pub fn digest(tag: &str) -> String {
    let seed = tag
        .bytes()
        .fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("sha256:{}", format!("{seed:016x}").repeat(4))
}

impl Account {
    /// One call: noted, and refused if the test wants it so.
    pub fn call(&mut self, action: &'static str) -> Result<(), Refusal> {
        self.calls.push(action);
        if let Some((refused, left @ 1.., refusal)) = &mut self.refused
            && *refused == action
        {
            *left -= 1;
            return Err(refusal.clone());
        }
        Ok(())
    }

    /// How often an action was called.
    pub fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| **call == action).count()
    }

    /// Starts a build; the one of the same token, if there is one.
    pub fn start(&mut self, token: &str, source: &str, variables: BTreeMap<String, String>) -> String {
        if let Some(id) = self.tokens.get(token) {
            return id.clone();
        }
        let id = self.add(variables);
        let (lag, play) = (self.lag, self.play.clone());
        self.tokens.insert(token.to_owned(), id.clone());
        self.build(&id, |build| {
            source.clone_into(&mut build.source);
            build.unseen = lag;
        });
        self.perform(&id, &play);
        id
    }

    /// A build that runs.
    pub fn add(&mut self, variables: BTreeMap<String, String>) -> String {
        let id = format!("{PROJECT}:{:08x}", self.builds.len() + 1);
        self.builds.push(Build {
            id: id.clone(),
            variables,
            ..Build::default()
        });
        id
    }

    fn perform(&mut self, id: &str, play: &Play) {
        match play {
            Play::Never => {}
            Play::Well => self.succeed(id),
            Play::Ends(status, phase, message) => self.end(id, status, phase, message),
            Play::PushRefused => {
                let tag = self.tag(id);
                self.images.insert(tag.clone(), digest(&tag));
                self.end(id, "FAILED", "BUILD", "COMMAND_EXECUTION_ERROR: tag invalid");
            }
        }
    }

    /// Pushes the image and ends well.
    pub fn succeed(&mut self, id: &str) {
        let tag = self.tag(id);
        self.images.insert(tag.clone(), digest(&tag));
        // As build.sh does where the project says so.
        if self.rolling {
            let content = tag.split('-').next().unwrap_or_default();
            self.images.insert(format!("rolling-{content}"), digest(&tag));
        }
        self.end(id, "SUCCEEDED", "", "");
    }

    pub fn tag(&self, id: &str) -> String {
        let build = self.builds.iter().find(|build| build.id == id).expect("the build");
        let (tag, patch) = (&build.variables["IMAGE_TAG"], &build.variables["PATCH"]);
        if patch.is_empty() {
            tag.clone()
        } else {
            format!("{tag}-{patch}")
        }
    }

    pub fn build(&mut self, id: &str, change: impl FnOnce(&mut Build)) {
        change(self.builds.iter_mut().find(|build| build.id == id).expect("the build"));
    }

    /// Ends a build, unless it has ended before.
    pub fn end(&mut self, id: &str, status: &'static str, phase: &'static str, message: &'static str) {
        self.build(id, |build| {
            if build.status.is_none() {
                (build.status, build.phase, build.message) = (Some(status), phase, message);
            }
        });
    }

    pub fn say(&mut self, id: &str, lines: &[&str]) {
        let known = self.lines.entry(id.to_owned()).or_default();
        known.extend(lines.iter().map(|line| (*line).to_owned()));
    }

    /// The ids that a list shows, newest first.
    pub fn listed(&self) -> Vec<String> {
        let shown = self.builds.iter().rev().filter(|build| build.unseen == 0);
        shown.map(|build| build.id.clone()).collect()
    }

    /// The builds of these ids that CodeBuild knows of already.
    pub fn described(&mut self, ids: &BTreeSet<&String>) -> Vec<Build> {
        let mut seen = Vec::new();
        for build in self.builds.iter_mut().filter(|build| ids.contains(&build.id)) {
            if build.unseen > 0 {
                build.unseen -= 1;
            } else {
                seen.push(build.clone());
            }
        }
        seen
    }
}
