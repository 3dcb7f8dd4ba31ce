//! A file that only its owner reads, gone when it is no longer needed.

use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

/// A private file; removed when dropped.
#[derive(Debug)]
pub struct PrivateFile(PathBuf);

impl PrivateFile {
    /// Writes the text into a new file of the operating system's temporary folder.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn write(text: &str) -> Result<Self> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let path = std::env::temp_dir().join(format!("stack-driver-{}-{now}.json", std::process::id()));
        // `create_new` refuses a file or link that somebody else put there.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let private = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(private)
    }

    /// As the AWS CLI takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.0.display())
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        // Nobody can be told, and the file is private.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_owner_reads_it_and_it_goes_with_its_value() {
        let file = PrivateFile::write("secret").expect("written");
        let path = PathBuf::from(file.url().trim_start_matches("file://"));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "secret");
        assert_eq!(
            std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o777,
            0o600
        );
        drop(file);
        assert!(!path.exists());
    }
}
