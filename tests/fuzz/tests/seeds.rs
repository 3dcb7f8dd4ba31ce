//! Every seed, and every input that once failed, holds.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_seed_holds() {
    for (target, hold) in TARGETS {
        let files = seeds(target);
        assert!(!files.is_empty(), "{target} has no seeds");
        for file in files {
            let input = fs::read(&file).unwrap();
            let held = catch_unwind(|| hold(&input)).is_ok();
            assert!(held, "{} fails: what it found stands above", file.display());
        }
    }
}

#[test]
fn any_single_byte_and_any_cut_of_a_seed_holds() {
    for (target, hold) in TARGETS {
        hold(&[]);
        for byte in 0..=u8::MAX {
            hold(&[byte]);
        }
        for file in seeds(target) {
            let input = fs::read(file).unwrap();
            for end in 0..input.len() {
                hold(&input[..end]);
            }
        }
    }
}

#[test]
fn every_target_can_be_run_by_libfuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer/targets");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, TARGETS.map(|(name, _)| name));
}
