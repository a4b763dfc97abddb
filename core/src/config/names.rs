//! Names that are not in the table: old ones, those of later versions, and misspelt ones.

use std::collections::BTreeMap;

use crate::config::variables::VARIABLES;

/// The names that this protocol's first hubs used, and today's names for them.
pub(super) const OLD: [(&str, &[&str]); 4] = [
    ("JWT_KEY", &["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY"]),
    ("ALLOW_ANONYMOUS", &["ANONYMOUS"]),
    ("CORS_ALLOWED_ORIGINS", &["CORS_ORIGINS"]),
    ("PUBLISH_ALLOWED_ORIGINS", &["PUBLISH_ORIGINS"]),
];

/// Variables of later versions. To ignore one could open what its owner meant to close.
pub(super) const NOT_YET: [&str; 1] = ["SUBSCRIPTIONS"];

/// The same values by today's names. The value of an old name stands for each of its new ones that
/// has none.
#[must_use]
pub fn by_todays_names(mut values: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for (old, names) in OLD {
        let Some(value) = values.remove(old).filter(|value| !value.is_empty()) else { continue };
        for name in names {
            let new = values.entry((*name).to_owned()).or_default();
            if new.is_empty() {
                new.clone_from(&value);
            }
        }
    }
    values
}

/// Every name that the hub reads or refuses.
pub fn all() -> impl Iterator<Item = &'static str> {
    let today = VARIABLES.iter().map(|variable| variable.name);
    today.chain(OLD.map(|(old, _)| old)).chain(NOT_YET)
}

/// The variable that this name, which is not one, resembles: at edit distance 1 or 2.
#[must_use]
pub fn resembles(name: &str) -> Option<&'static str> {
    let nearest =
        VARIABLES.iter().map(|variable| (distance(name, variable.name), variable.name)).min()?;
    matches!(nearest.0, 1 | 2).then_some(nearest.1)
}

/// Levenshtein's distance, row by row.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_variable_does_not_resemble_itself() {
        for variable in VARIABLES {
            assert_eq!(resembles(variable.name), None, "{}", variable.name);
        }
        assert_eq!(resembles("HUB_URI"), Some("HUB_URL"));
        assert_eq!(resembles("PATH"), None);
    }
}
