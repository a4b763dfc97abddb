//! The loop over the vectors in a file.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A file of vectors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<Scene, Given, Expected> {
    /// For readers of the file.
    #[serde(rename = "about")]
    _about: String,
    scene: Scene,
    vectors: Vec<Vector<Given, Expected>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<Given, Expected> {
    name: String,
    given: Given,
    expected: Expected,
}

/// Runs every vector in a file, then names all that failed.
pub(super) fn check<Scene, Given, Expected, Got>(json: &str, run: impl Fn(&Scene, &Given) -> Got)
where
    Scene: DeserializeOwned,
    Given: DeserializeOwned,
    Expected: DeserializeOwned + Debug + PartialEq<Got>,
    Got: Debug,
{
    let file: File<Scene, Given, Expected> =
        serde_json::from_str(json).expect("a file of vectors, without unknown members");
    assert!(!file.vectors.is_empty(), "the file holds no vectors");

    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    for Vector { name, given, expected } in &file.vectors {
        assert!(names.insert(name), "two vectors are named `{name}`");
        // A panic in the core must not hide which vector caused it, nor the other vectors.
        match catch_unwind(AssertUnwindSafe(|| run(&file.scene, given))) {
            Ok(got) if *expected == got => {}
            Ok(got) => {
                failures.push(format!("{name}\n  expected {expected:?}\n  got      {got:?}"));
            }
            Err(_) => failures.push(format!("{name}\n  expected {expected:?}\n  got a panic")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} vectors failed:\n\n{}\n",
        failures.len(),
        file.vectors.len(),
        failures.join("\n\n")
    );
}
