//! The template files: read once, and changed in memory where a test plants a violation.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::stack::{NESTED, Stack, TemplateError};
use crate::{value::Look, yaml};

/// The root template's file, below `cloudformation/`.
pub const ROOT: &str = "mautic.yaml";

/// One template file.
#[derive(Debug)]
pub struct Template {
    /// Below `cloudformation/`, such as `modules/database.yaml`.
    pub file: String,
    /// The file's name without its ending: the module.
    pub module: String,
    /// The text with its comments.
    pub source: String,
    /// The same as a value; short forms are written long.
    pub body: Value,
}

impl Template {
    /// # Panics
    /// If the text is no YAML: nothing could be proven of it.
    #[must_use]
    pub fn parse(file: &str, source: String) -> Self {
        let body = yaml::parse(&source).unwrap_or_else(|error| panic!("{file}: {error}"));
        let module = Path::new(file)
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        Self {
            file: file.to_owned(),
            module,
            source,
            body,
        }
    }

    /// The entries of a section, in their order.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.body
            .at(name)
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Lines with their numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.source.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

type Resolution = Result<Arc<Stack>, TemplateError>;
type Resolved = Arc<Mutex<HashMap<String, Resolution>>>;

/// All templates, and what they resolve to for parameters that were asked for before.
#[derive(Debug, Default)]
pub struct Templates {
    files: BTreeMap<String, Arc<Template>>,
    resolved: Resolved,
    /// The file that a test changed: what it resolves to is not what others share.
    changed: Option<String>,
}

/// The project's folder.
///
/// # Panics
/// If the crate was moved away from it.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the project's folder")
}

impl Templates {
    /// Reads every template below `cloudformation/`.
    ///
    /// # Panics
    /// If a file cannot be read or is no YAML.
    #[must_use]
    pub fn load() -> Self {
        let folder = project().join("cloudformation");
        let files = ["", "modules/"].iter().flat_map(|below| {
            let listing = std::fs::read_dir(folder.join(below)).expect("cloudformation/ is there");
            listing.filter_map(move |entry| {
                let name = entry
                    .expect("a readable folder")
                    .file_name()
                    .to_string_lossy()
                    .into_owned();
                name.strip_suffix(".yaml").is_some().then(|| format!("{below}{name}"))
            })
        });
        let templates = files.map(|file| {
            let source = std::fs::read_to_string(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            Template::parse(&file, source)
        });
        let files = templates
            .map(|template| (template.file.clone(), Arc::new(template)))
            .collect();
        Self {
            files,
            ..Self::default()
        }
    }

    /// Every template, the modules after the root.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.files.values().map(Arc::as_ref)
    }

    /// The template of this file.
    ///
    /// # Errors
    /// There is none.
    pub fn file(&self, file: &str) -> Result<&Arc<Template>, TemplateError> {
        self.files
            .get(file)
            .ok_or_else(|| TemplateError::new(format!("there is no template {file}")))
    }

    /// The root template.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn root(&self) -> &Template {
        self.file(ROOT).expect("a root template")
    }

    /// The same templates with one file changed.
    ///
    /// # Panics
    /// If there is no such file.
    #[must_use]
    pub fn with(&self, file: &str, change: impl FnOnce(&mut Template)) -> Self {
        let old = self.file(file).unwrap_or_else(|error| panic!("{error}"));
        let mut changed = Template {
            file: old.file.clone(),
            module: old.module.clone(),
            source: old.source.clone(),
            body: old.body.clone(),
        };
        change(&mut changed);
        let mut files = self.files.clone();
        files.insert(file.to_owned(), Arc::new(changed));
        let is_second = self.changed.as_deref().is_some_and(|before| before != file);
        assert!(!is_second, "{file}: one seed changes one file");
        Self {
            files,
            resolved: self.resolved.clone(),
            changed: Some(file.to_owned()),
        }
    }

    /// Whether a template has nested stacks, one of which may have changed.
    fn nests(&self, file: &str) -> bool {
        let template = self.files.get(file);
        template.is_some_and(|template| template.section("Resources").any(|(_, one)| one.at("Type") == NESTED))
    }

    /// The stack that these parameters and tags make; resolved once, however many deployments it is part of. The root is
    /// another for every choice, and what a test changed is its own.
    pub(crate) fn once(&self, file: &str, key: String, resolve: impl FnOnce() -> Resolution) -> Resolution {
        let is_changed = self
            .changed
            .as_deref()
            .is_some_and(|changed| changed == file || self.nests(file));
        if file == ROOT || is_changed {
            return resolve();
        }
        if let Some(known) = self.resolved.lock().expect("no test panics in here").get(&key) {
            return known.clone();
        }
        // Not under the lock: it would keep the other thread waiting.
        let made = resolve();
        self.resolved
            .lock()
            .expect("no test panics in here")
            .insert(key, made.clone());
        made
    }
}
