//! Packs the build context into one archive that the function carries: `container/`, and beside it what CodeBuild runs.
//!
//! The same files give the same bytes: sorted names, one time, one mode, nothing compressed (the function's own package
//! compresses it once more anyhow). Its digest is a part of the image's tag, so that an unchanged context is not built again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What the archive holds besides the container.
const BUILD: [&str; 2] = ["build.sh", "buildspec.yml"];

fn main() -> io::Result<()> {
    let mut names: Vec<PathBuf> = BUILD.map(PathBuf::from).into();
    collect(Path::new("container"), &mut names)?;
    names.sort();
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let mut archive = ZipWriter::new(fs::File::create(out.join("context.zip"))?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    for name in &names {
        println!("cargo::rerun-if-changed={}", name.display());
        archive.start_file(name.to_string_lossy(), options)?;
        archive.write_all(&fs::read(name)?)?;
    }
    archive.finish()?;
    Ok(())
}

/// All files below `folder`; the folders themselves are watched, for files that are new.
fn collect(folder: &Path, names: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, names)?;
        } else {
            names.push(path);
        }
    }
    Ok(())
}
