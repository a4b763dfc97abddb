//! Vectors of expressions: pairs of an expression and a topic, and what becomes of each.

use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<Expected> {
    #[serde(rename = "about")]
    _about: String,
    vectors: Vec<Vector<Expected>>,
}

/// Pairs with the same expected outcome.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<Expected> {
    name: String,
    given: Vec<(String, String)>,
    expected: Expected,
}

/// Holds every pair of a file to its expected outcome.
#[track_caller]
pub(super) fn check<Expected>(file: &str, outcome: impl Fn(&str, &str) -> Expected)
where
    Expected: DeserializeOwned + Debug + PartialEq,
{
    let file: File<Expected> = serde_json::from_str(file).unwrap();
    let mut failures = Vec::new();
    for Vector { name, given, expected } in file.vectors {
        assert!(!given.is_empty(), "{name}: no pairs");
        for (expression, topic) in given {
            let got = outcome(&expression, &topic);
            if got != expected {
                failures.push(format!("{name}: {expression} and {topic}: {got:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
