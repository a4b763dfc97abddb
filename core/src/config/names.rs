//! Names that are not in the table: old ones, those of later versions, and misspelt ones.

use std::collections::BTreeMap;

use crate::config::variables::{VARIABLES, Variable};

/// The names that this protocol's first hubs used, and today's names for them. A name for one role
/// comes before the name for both, which is for the role that is left.
const OLD: [(&str, &[&str]); 12] = [
    ("PUBLISHER_JWT_KEY", &["MERCURE_PUBLISHER_JWT_KEY"]),
    ("SUBSCRIBER_JWT_KEY", &["MERCURE_SUBSCRIBER_JWT_KEY"]),
    ("PUBLISHER_JWT_ALGORITHM", &["MERCURE_PUBLISHER_JWT_ALG"]),
    ("SUBSCRIBER_JWT_ALGORITHM", &["MERCURE_SUBSCRIBER_JWT_ALG"]),
    ("MERCURE_PUBLISHER_JWT_ALGORITHM", &["MERCURE_PUBLISHER_JWT_ALG"]),
    ("MERCURE_SUBSCRIBER_JWT_ALGORITHM", &["MERCURE_SUBSCRIBER_JWT_ALG"]),
    ("JWT_KEY", &["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY"]),
    ("JWT_ALGORITHM", &["MERCURE_PUBLISHER_JWT_ALG", "MERCURE_SUBSCRIBER_JWT_ALG"]),
    ("ALLOW_ANONYMOUS", &["ANONYMOUS"]),
    ("CORS_ALLOWED_ORIGINS", &["CORS_ORIGINS"]),
    ("PUBLISH_ALLOWED_ORIGINS", &["PUBLISH_ORIGINS"]),
    ("DISPATCH_SUBSCRIPTIONS", &["SUBSCRIPTIONS"]),
];

/// Names that have no effect here, and what to do instead. To ignore one could open what its owner
/// meant to close.
const REFUSED: [(&str, &str); 3] = [
    (
        "MERCURE_EXTRA_DIRECTIVES",
        "has lines of a Caddyfile, which this hub does not read; write `anonymous` as ANONYMOUS=1, `cors_origins` as CORS_ORIGINS, `publish_origins` as PUBLISH_ORIGINS, `heartbeat` as HEARTBEAT",
    ),
    (
        "MERCURE_JWT_KEY",
        "is not a variable of the hub; set MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY to its value",
    ),
    (
        "MERCURE_JWT_SECRET",
        "is a variable of applications, not of the hub; set MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY to its value",
    ),
];

/// The same values by today's names. The value of an old name stands for each of its new ones that
/// has none. An old name that is left contradicts its new ones.
#[must_use]
pub fn by_todays_names(mut values: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for (old, names) in OLD {
        let Some(value) = values.get(old).filter(|value| !value.is_empty()).cloned() else {
            values.remove(old);
            continue;
        };
        let mut has_effect = false;
        for name in names {
            let new = values.entry((*name).to_owned()).or_default();
            if new.is_empty() {
                new.clone_from(&value);
            }
            has_effect |= *new == value;
        }
        if has_effect {
            values.remove(old);
        }
    }
    values
}

/// Every name that the hub reads or refuses.
pub fn all() -> impl Iterator<Item = &'static str> {
    let today = VARIABLES.iter().map(|variable| variable.name);
    today.chain(OLD.map(|(old, _)| old)).chain(REFUSED.map(|(name, _)| name))
}

/// Whether the value of a variable is a list. Its name may be an old one.
pub(super) fn takes_several(name: &str) -> bool {
    let old = OLD.iter().find(|(old, _)| *old == name);
    let is_meant = |today| old.map_or(name == today, |(_, names)| names.contains(&today));
    VARIABLES.iter().any(|variable| variable.list && is_meant(variable.name))
}

/// Why a name that is left by [`by_todays_names`] must not be, and what to do.
pub(super) fn refusal(name: &str) -> Option<String> {
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return Some((*why).to_owned());
    }
    let (_, names) = OLD.iter().find(|(old, _)| *old == name)?;
    let names = names.join(" and ");
    Some(format!("is an older name of {names}, set to something else; remove one of them"))
}

/// The variable that this name, which is not one, resembles: at edit distance 2 or less, but for
/// capitals and `MERCURE_` in front, which some names have and others do not.
#[must_use]
pub fn resembles(name: &str) -> Option<&'static str> {
    let bare = |name: &str| name.to_ascii_uppercase().replacen("MERCURE_", "", 1);
    let name_of =
        |variable: &Variable| (distance(&bare(name), &bare(variable.name)), variable.name);
    let (distance, nearest) = VARIABLES.iter().map(name_of).min()?;
    (distance <= 2 && nearest != name).then_some(nearest)
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
        for (name, variable) in [
            ("MERCURE_CORS_ORIGINS", "CORS_ORIGINS"),
            ("cors_origins", "CORS_ORIGINS"),
            ("TRUSTED_ISSUERS", "MERCURE_TRUSTED_ISSUERS"),
            ("PUBLISHER_JWT_ALG", "MERCURE_PUBLISHER_JWT_ALG"),
        ] {
            assert_eq!(resembles(name), Some(variable));
        }
        for other in ["PATH", "HOME", "MERCURE_URL", "MERCURE_PUBLIC_URL", "http_proxy"] {
            assert_eq!(resembles(other), None, "{other}");
        }
    }

    #[test]
    fn todays_names_are_those_of_variables() {
        for (old, names) in OLD {
            let is_todays = |name: &str| VARIABLES.iter().any(|variable| variable.name == name);
            assert!(names.iter().all(|name| is_todays(name)) && !is_todays(old), "{old}");
        }
    }
}
