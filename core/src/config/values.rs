//! Values by name. Every mistake in them is noted and reading goes on, so that users are told of all
//! mistakes at once.

use std::collections::BTreeMap;

use jsonwebtoken::Algorithm;
use serde_json::Value;

use crate::config::config_error::ConfigError;
use crate::config::platform::Platform;
use crate::config::{json, names};
use crate::trust::issuer::{Issuer, Keys};
use crate::trust::key::Key;
use crate::trust::key_source::KeySource;
use crate::trust::key_text::{self, KeyAndWeaknesses};
use crate::trust::trusted::{Configured, Trusted};
use crate::trust::weakness::Weakness;
use crate::trust::{algorithm, issuer_list};

/// The values that are set, and what was found wrong with those that were read.
pub(super) struct Values<'a> {
    platform: &'a Platform,
    values: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
    misspelt: Vec<String>,
    well_known_keys: Vec<String>,
}

/// The names of the variables that say which keys verify the tokens of a role.
pub(super) struct OfRole {
    key: &'static str,
    previous: &'static str,
    algorithm: &'static str,
    published: &'static str,
}

pub(super) const PUBLISHER: OfRole = OfRole {
    key: "MERCURE_PUBLISHER_JWT_KEY",
    previous: "MERCURE_PUBLISHER_JWT_KEY_PREVIOUS",
    algorithm: "MERCURE_PUBLISHER_JWT_ALG",
    published: "MERCURE_PUBLISHER_JWKS_URI",
};

pub(super) const SUBSCRIBER: OfRole = OfRole {
    key: "MERCURE_SUBSCRIBER_JWT_KEY",
    previous: "MERCURE_SUBSCRIBER_JWT_KEY_PREVIOUS",
    algorithm: "MERCURE_SUBSCRIBER_JWT_ALG",
    published: "MERCURE_SUBSCRIBER_JWKS_URI",
};

struct Mistake {
    name: String,
    what: String,
}

impl<'a> Values<'a> {
    pub(super) fn new(
        platform: &'a Platform,
        variables: impl IntoIterator<Item = (String, Value)>,
    ) -> Self {
        let mut values = Self {
            platform,
            values: BTreeMap::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            misspelt: Vec::new(),
            well_known_keys: Vec::new(),
        };
        let mut given = BTreeMap::new();
        for (name, value) in variables {
            if !names::all().any(|known| known == name) {
                if value != "" {
                    values.point_out(&name);
                }
            } else if let Some(text) = json::text_of(&name, &value) {
                given.insert(name, text);
            } else {
                values.mistake(&name, json::UNREADABLE);
            }
        }
        given.retain(|_, text| !text.is_empty());
        for (name, value) in names::by_todays_names(given) {
            if let Some(what) = names::refusal(&name) {
                values.mistake(&name, &what);
            } else if !platform.reads(&name) {
                values.warn(format!("{name} has no effect on {}; remove it", platform.name));
            } else {
                values.values.insert(name, value);
            }
        }
        values
    }

    /// Points out a name that is not a variable's, if it resembles one.
    fn point_out(&mut self, name: &str) {
        if let Some(known) = names::resembles(name) {
            let warning = format!("{name} is not a variable of the hub; did you mean {known}?");
            self.misspelt.push(warning.clone());
            self.warn(warning);
        }
    }

    pub(super) fn mistake(&mut self, name: &str, what: &str) {
        self.mistakes.push(Mistake { name: name.to_owned(), what: what.to_owned() });
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The parsed value, or else the default: also in place of a mistake, so that what follows has a
    /// value to be checked with.
    #[expect(
        clippy::expect_used,
        reason = "defaults are constants, and xtask's tests read those of every platform"
    )]
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let given = self.optional(name, &parse);
        given.unwrap_or_else(|| parse(self.platform.default_of(name)).expect("a valid default"))
    }

    /// The parsed value, if there is one.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = parse(self.values.get(name)?.trim());
        parsed.map_err(|what| self.mistake(name, &what)).ok()
    }

    /// The keys of a role.
    pub(super) fn trusted(&mut self, names: &OfRole) -> Option<Trusted> {
        // A wrong algorithm is noted even if there is no key for it.
        let algorithm = self.optional(names.algorithm, |name| {
            algorithm::algorithm(name).map_err(|what| format!("is {what}"))
        });
        if self.has(names.algorithm) && algorithm.is_none() {
            return None;
        }
        if self.has(names.published) {
            return self.published(names, algorithm).map(Trusted::Published);
        }
        if self.has(names.previous) && !self.has(names.key) {
            let what = format!("is set, and {} is not; set that, or remove this", names.key);
            self.mistake(names.previous, &what);
        }
        let current = self.key(names.key, |text| key_text::key(text, algorithm, names.algorithm));
        let previous = self
            .key(names.previous, |text| key_text::previous_key(text, algorithm, names.algorithm));
        Some(Trusted::Configured(Configured::new(current?, previous)))
    }

    /// Where the keys of a role are published.
    fn published(&mut self, names: &OfRole, algorithm: Option<Algorithm>) -> Option<KeySource> {
        // Which of them counts could be the difference between one issuer and another.
        for other in [names.key, names.previous] {
            if self.has(other) {
                let what = format!("is set, and so is {other}; keep the one that is meant");
                self.mistake(names.published, &what);
            }
        }
        self.optional(names.published, |text| KeySource::at(text, algorithm))
    }

    fn key(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<KeyAndWeaknesses, String>,
    ) -> Option<Key> {
        match read(self.values.get(name)?) {
            Ok(read) => {
                for weakness in read.weaknesses {
                    self.note(name, weakness);
                }
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
        let mut weak = Vec::new();
        let issuers = issuer_list::read(text, own, &mut |key, weakness| weak.push((key, weakness)));
        for (key, weakness) in weak {
            self.note(&key, weakness);
        }
        issuers.map_err(|what| self.mistake(name, &what)).unwrap_or_default()
    }

    fn note(&mut self, key: &str, weakness: Weakness) {
        let warning = format!("{key} {weakness}");
        match weakness {
            Weakness::WellKnown => self.well_known_keys.push(warning),
            Weakness::WhiteSpace | Weakness::Short(_) => self.warn(warning),
        }
    }

    /// The warnings about keys that anybody can look up, which are not yet among the others.
    pub(super) fn well_known_keys(&self) -> &[String] {
        &self.well_known_keys
    }

    /// The warnings about names that resemble a variable's.
    pub(super) fn misspelt(&self) -> &[String] {
        &self.misspelt
    }

    /// Whether a mistake was found so far.
    pub(super) fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// Whether a mistake was found in one of these variables.
    pub(super) fn has_mistakes_in(&self, names: &[&str]) -> bool {
        self.mistakes.iter().any(|mistake| names.contains(&mistake.name.as_str()))
    }

    /// The warnings, if there is no mistake.
    pub(super) fn finish(self) -> Result<Vec<String>, ConfigError> {
        if self.mistakes.is_empty() {
            return Ok(self.warnings);
        }
        let line = |Mistake { name, what }| format!("{name}: {what}");
        let mistakes = self.mistakes.into_iter().map(line).collect();
        Err(ConfigError { mistakes, warnings: self.warnings })
    }
}
