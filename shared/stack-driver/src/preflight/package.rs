//! Whether the package is whole: every file has the checksum that it was packed with.

use crate::package::folder as containing;
use crate::preflight::finding::Finding;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// The list of checksums, as `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";
const CHECK: &str = "package";

/// What a line of the list came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum File {
    Whole,
    Missing(String),
    Changed(String),
}

/// Reads the list in this folder and each file on it. What stands beside the parameter file is the user's to change.
#[must_use]
pub fn check(folder: &Path, parameters: Option<&Path>) -> Finding {
    let own = parameters.map(containing).filter(|own| *own != folder);
    let path = folder.join(SUMS);
    let place = folder.display();
    match std::fs::read_to_string(&path) {
        Ok(list) => {
            let file = |line| file(folder, line, own);
            judge(&place.to_string(), &list.lines().filter_map(file).collect::<Vec<_>>())
        }
        Err(cause) => Finding::stop(
            CHECK,
            format!("{} cannot be read ({cause}).", path.display()),
            format!(
                "`make package` makes the package anew; --package wants --template to stand in it, and {place} is where it looked."
            ),
        ),
    }
}

/// `HASH  PATH`; anything else is no entry.
fn file(folder: &Path, line: &str, own: Option<&Path>) -> Option<File> {
    let (hash, name) = line.split_once("  ")?;
    let path = folder.join(name);
    Some(match std::fs::read(&path) {
        Ok(bytes) if own == path.parent() || sha256(&bytes) == hash => File::Whole,
        Ok(_) => File::Changed(name.to_owned()),
        Err(_) => File::Missing(name.to_owned()),
    })
}

fn judge(folder: &str, files: &[File]) -> Finding {
    let names =
        |pick: fn(&File) -> Option<&String>| files.iter().filter_map(pick).cloned().collect::<Vec<_>>().join(", ");
    let missing = names(|file| match file {
        File::Missing(name) => Some(name),
        _ => None,
    });
    let changed = names(|file| match file {
        File::Changed(name) => Some(name),
        _ => None,
    });
    let remedy = "`make package` makes the package anew; one that was downloaded is downloaded again.";
    if !missing.is_empty() {
        return Finding::stop(CHECK, format!("{folder} lacks {missing}."), remedy);
    }
    if !changed.is_empty() {
        let text = format!("Changed since it was packed: {changed}.");
        return Finding::stop(
            CHECK,
            text,
            format!("{remedy} Who changed it on purpose says --ignore {CHECK}."),
        );
    }
    if files.is_empty() {
        return Finding::stop(CHECK, format!("{folder}/{SUMS} lists no file."), remedy);
    }
    let count = match files.len() {
        1 => "1 file, as it was packed".to_owned(),
        many => format!("{many} files, each as it was packed"),
    };
    Finding::fine(CHECK, format!("{folder}: {count}."))
}

/// A SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Weight;

    /// A folder that goes with its value.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("stack-driver-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a folder");
            std::fs::write(path.join("a.yaml"), "a").expect("written");
            let list = format!("{}  a.yaml\n", sha256(b"a"));
            std::fs::write(path.join(SUMS), list).expect("written");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("removed");
        }
    }

    #[test]
    fn a_package_that_is_whole_is_fine() {
        let folder = Folder::new("whole");
        let place = folder.0.display();
        assert_eq!(
            check(&folder.0, None),
            Finding::fine("package", format!("{place}: 1 file, as it was packed."))
        );
    }

    #[test]
    fn a_file_that_is_missing_or_changed_stops_and_is_named() {
        let folder = Folder::new("changed");
        let file = folder.0.join("a.yaml");
        std::fs::write(&file, "b").expect("written");
        let changed = check(&folder.0, Some(&file));
        assert_eq!(
            (changed.weight, changed.text.as_str()),
            (Weight::Stop, "Changed since it was packed: a.yaml.")
        );
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(
            check(&folder.0, None).text,
            format!("{} lacks a.yaml.", folder.0.display())
        );
    }

    #[test]
    fn what_stands_beside_the_parameter_file_is_the_users_to_change() {
        let folder = Folder::new("own");
        let own = folder.0.join("environments");
        std::fs::create_dir_all(&own).expect("a folder");
        std::fs::write(own.join("test.json"), "mine").expect("written");
        let list = format!("{}  environments/test.json\n", sha256(b"packed"));
        std::fs::write(folder.0.join(SUMS), list).expect("written");
        let weigh = |parameters: Option<&Path>| check(&folder.0, parameters).weight;
        assert_eq!(weigh(Some(own.join("prod.json").as_path())), Weight::Fine);
        assert_eq!(weigh(None), Weight::Stop);
    }

    #[test]
    fn a_folder_without_checksums_is_no_package() {
        let folder = Folder::new("none");
        std::fs::remove_file(folder.0.join(SUMS)).expect("removed");
        assert_eq!(check(&folder.0, None).weight, Weight::Stop);
        std::fs::write(folder.0.join(SUMS), "\n").expect("written");
        assert_eq!(
            check(&folder.0, None).text,
            format!("{}/SHA256SUMS lists no file.", folder.0.display())
        );
    }
}
