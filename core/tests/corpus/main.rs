//! The fuzzers' corpora, replayed: every input that was worth keeping, through the same functions
//! (see `fuzz/`). So whatever a fuzzer found once is a test from then on.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use targets::TARGETS;

/// A test for each target, with its name.
macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_its_corpus_and_its_test() {
            let folders = files(&corpora());
            let folders = folders.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap());
            let targets = TARGETS.map(|target| target.name);
            assert_eq!(folders.collect::<Vec<_>>(), targets);
            assert_eq!([$(stringify!($name)),*], targets);
        }
    };
}

tests!(command configuration feed hub_url publication request streams template token url_pattern);

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let inputs = files(&corpora().join(name));
    assert!(!inputs.is_empty(), "the corpus is empty");
    let fails = |path: &&PathBuf| {
        let bytes = fs::read(path).expect("a file that can be read");
        catch_unwind(|| (target.run)(&bytes)).is_err()
    };
    let failures: Vec<&PathBuf> = inputs.iter().filter(fails).collect();
    assert!(failures.is_empty(), "these inputs fail: {failures:#?}");
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

/// The contents of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
