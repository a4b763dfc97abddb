//! Values by name, and what is wrong with them: every mistake is noted, so that all are told at
//! once.

use std::collections::BTreeMap;

use super::{Platform, VARIABLES, names};
use crate::trust::issuer::{Issuer, Keys};
use crate::trust::key::Key;
use crate::trust::{issuer_list, key_text};

/// Reads values by name, and notes mistakes and warnings on the way.
pub(super) struct Reader {
    platform: Platform,
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(
        platform: Platform,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let values = variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let values = names::by_todays_names(values);
        let mut reader = Self { platform, values, mistakes: Vec::new(), warnings: Vec::new() };
        let given: Vec<String> = reader.values.keys().cloned().collect();
        for name in given {
            if names::NOT_YET.contains(&name.as_str()) {
                reader.mistake(&name, "is not supported by this version; remove it");
            } else if VARIABLES.iter().any(|it| it.name == name && !it.is_read_on(platform)) {
                reader.warnings.push(format!("{name} means nothing on {platform}; remove it"));
            } else if let Some(known) = names::resembles(&name) {
                reader
                    .warnings
                    .push(format!("{name} is not a variable of the hub; did you mean {known}?"));
            }
        }
        reader
    }

    pub(super) fn mistake(&mut self, name: &str, what: &str) {
        self.mistakes.push(format!("{name}: {what}"));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The parsed value, or the parsed default.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let variable = VARIABLES.iter().find(|variable| variable.name == name)?;
        let default = variable.default_on(self.platform);
        let text = self.values.get(name).map_or(default, |value| value.trim());
        match parse(text) {
            Ok(value) => Some(value),
            Err(what) => {
                self.mistake(name, &what);
                None
            }
        }
    }

    /// The parsed value, if there is one.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.has(name).then(|| self.required(name, parse)).flatten()
    }

    /// The key of a role, with the algorithm that another variable names.
    pub(super) fn key(&mut self, name: &str, algorithm_name: &str) -> Option<Key> {
        // One that is wrong is noted, whether there is a key for it or not.
        let algorithm = self.optional(algorithm_name, |name| {
            key_text::algorithm(name).map_err(|what| format!("is {what}"))
        });
        if self.has(algorithm_name) && algorithm.is_none() {
            return None;
        }
        match key_text::key(self.values.get(name)?, algorithm, algorithm_name) {
            Ok(read) => {
                let warnings = read.warnings.iter().map(|warning| format!("{name} {warning}"));
                self.warnings.extend(warnings);
                Some(read.key)
            }
            Err(what) => {
                self.mistake(name, &what);
                None
            }
        }
    }

    pub(super) fn issuers(&mut self, name: &str, own: &Keys) -> Vec<Issuer> {
        let Some(text) = self.values.get(name) else { return Vec::new() };
        let warnings = &mut self.warnings;
        match issuer_list::read(text, own, &mut |warning| warnings.push(warning)) {
            Ok(issuers) => issuers,
            Err(what) => {
                self.mistake(name, &what);
                Vec::new()
            }
        }
    }

    /// Whether no mistake was found so far.
    pub(super) fn is_clean(&self) -> bool {
        self.mistakes.is_empty()
    }

    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.mistakes, self.warnings)
    }
}
