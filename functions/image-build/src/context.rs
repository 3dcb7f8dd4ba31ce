//! The build context, which travels inside the function.

use sha2::{Digest, Sha256};

/// The archive that `build.rs` made: `container/`, `buildspec.yml` and `build.sh`.
pub static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/context.zip"));
/// What the keys of all contexts in the build bucket begin with.
pub const PREFIX: &str = "contexts/";

/// The archive's SHA-256, in hexadecimal digits.
#[must_use]
pub fn digest() -> String {
    hexadecimal(&Sha256::digest(ARCHIVE))
}

/// Where the archive lies in the build bucket.
#[must_use]
pub fn key() -> String {
    format!("{PREFIX}{}.zip", digest())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Cursor;
    use std::path::Path;

    use super::*;

    fn names(archive: &zip::ZipArchive<Cursor<&[u8]>>) -> Vec<String> {
        let names = archive.file_names();
        names.map(|name| name.expect("a name").into_owned()).collect()
    }

    fn below(folder: &Path, root: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                below(&path, root, names);
            } else {
                let name = path.strip_prefix(root).expect("below the root");
                names.insert(name.to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn it_holds_the_container_as_it_is_and_what_codebuild_runs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut expected = BTreeSet::from(["build.sh".to_owned(), "buildspec.yml".to_owned()]);
        below(&root.join("container"), root, &mut expected);
        let mut archive = zip::ZipArchive::new(Cursor::new(ARCHIVE)).expect("an archive");
        let names: BTreeSet<String> = names(&archive).into_iter().collect();
        assert_eq!(names, expected);
        for name in names {
            let mut content = Vec::new();
            let mut file = archive.by_name(&name).expect("listed");
            std::io::copy(&mut file, &mut content).expect("readable");
            assert_eq!(content, std::fs::read(root.join(&name)).expect("in the tree"), "{name}");
        }
    }

    #[test]
    fn nothing_of_the_machine_or_the_moment_is_in_it() {
        let mut archive = zip::ZipArchive::new(Cursor::new(ARCHIVE)).expect("an archive");
        for index in 0..archive.len() {
            let file = archive.by_index(index).expect("an entry");
            assert_eq!(file.last_modified(), Some(zip::DateTime::DEFAULT), "{index}");
            assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o644), "{index}");
        }
        let names = names(&archive);
        assert!(names.is_sorted(), "{names:?}");
    }
}
