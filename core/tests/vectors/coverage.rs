//! `README.md`: what clients need, and what shows it. Everything that it names must exist.

use std::fs;
use std::path::Path;

use serde_json::Value;

#[test]
fn all_that_is_named_exists() {
    let mut rows = 0;
    let mut missing = Vec::new();
    for line in include_str!("README.md").lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [_, shown] = cells[..] else { panic!("two cells per row: {line}") };
        if shown == "shown by |" {
            continue;
        }
        rows += 1;
        // Code is what is between backticks: every other piece.
        for name in shown.split('`').skip(1).step_by(2) {
            let exists = match (name.rsplit_once("::"), name.split_once(": ")) {
                (Some((area, case)), _) if !name.contains(' ') => is_case(area, case),
                (_, Some((file, name))) => is_vector(file, name),
                // Not the name of a vector or case.
                _ => true,
            };
            if !exists {
                missing.push(name);
            }
        }
    }
    assert!(rows > 30, "the tables are there");
    assert!(missing.is_empty(), "these do not exist:\n{}", missing.join("\n"));
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Backticks in a vector's name are left out where it is quoted.
fn is_vector(file: &str, name: &str) -> bool {
    let path = folder().join(format!("tests/vectors/{file}.json"));
    let Ok(text) = fs::read_to_string(path) else { return false };
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("vectors");
    let mut names = vectors.iter().filter_map(|vector| vector["name"].as_str());
    names.any(|listed| listed.replace('`', "") == name)
}

fn is_case(area: &str, case: &str) -> bool {
    let path = folder().join(format!("../tests/src/cases/{}.rs", area.replace("::", "/")));
    let listed = [format!("case!({case})"), format!("case!({case} ")];
    fs::read_to_string(path).is_ok_and(|source| listed.iter().any(|case| source.contains(case)))
}
