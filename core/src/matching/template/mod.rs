//! URI templates (RFC 6570, levels 1 to 4), read backwards: which topics does one expand to?
//!
//! The 0.x protocol selects topics by templates, in the `topic` of a subscription and in the claims
//! of a token. RFC 6570 only defines expansion, so here a template matches a topic if its variables
//! can have values (texts, lists, associative arrays, or none) with which it expands to exactly
//! this topic.
//!
//! ```text
//! /users/{id}{?page}    /users/1   /users/1?page=2   /users/   /users/a,b   /users/me%40home
//!                   not /users/1/x   /users/é   /users/1?size=2   /USERS/1
//! {+base}/feed          https://example.com/a/b/feed   /feed
//! /{year:4}{/path*}     /2026/10/a   /   /2026           not /20261
//! ```
//!
//! # Readings
//!
//! A selector in a token grants access, so where the RFC leaves a choice, the narrower reading is
//! taken, with two exceptions, which say why. Each has its vectors in `templates.json`.
//!
//! | question | reading |
//! |---|---|
//! | undefined variables | Every variable may be undefined, and every text empty: `/users/{id}` matches `/users/`, and `/users{/id}` matches `/users`. |
//! | lists | A variable without a modifier may be a list: `{id}` matches `1,2`. One with a prefix may not (section 2.4.1). |
//! | names in an associative array | They are encoded like values: `{?x*}` does not match `?a[b]=1`. (By section 3.2.1 they keep their reserved characters; `{;x*}` would then match `;` and any path after it.) They may repeat. |
//! | an empty value after `;` | It has no `=`, not even in lists: `{;x}` matches `;x`, not `;x=`. |
//! | prefixes | `:n` counts characters, as in section 2.4.1: `%C3%A9` is one. |
//! | values beyond ASCII | They are percent-encoded: `{id}` matches `%C3%A9`, not `é`. |
//! | percent-encoded values | **Wider**: any triplet passes, in upper or lower case, even where an expander would write the character itself (`%7E` for `~`), since publishers use other encoders too. RFC 3986, section 6.2.2.2, makes the two equal, so a grant of `~` gains nothing by also matching `%7E`. |
//! | percent-encoded literals | They match only themselves: `/%5C{x}` matches neither `/%5c` nor `/\`. |
//! | literals beyond ASCII | **Wider**: `/é/{id}` matches `/%C3%A9/1`, as the RFC says, and `/é/1`, since topics may be IRIs. RFC 3987, section 3.1, makes the two equal. |
//! | apostrophes in literals | They are allowed (erratum 6937). |
//!
//! # Naming a variable twice
//!
//! `/users/{id}/inbox/{id}` expands with the same value in both places. Whether such a value exists
//! is NP-hard to decide in general (membership in a pattern language), so **each occurrence is
//! matched by itself**, as in the 0.x hubs, which turn each into a regular expression: it also
//! matches `/users/1/inbox/2`. A subscription gains no rights from that, but a token would grant
//! more than its issuer wrote. So code that reads grants must refuse a template that [names a
//! variable twice](Template::names_a_variable_twice). No client that we know of does. All other
//! templates match exactly what the readings above say.
//!
//! # Costs
//!
//! A [`Template`] is its text and nothing else: a thousand of them take what they took in the
//! request. The time to match is at most the product of the two lengths, whatever they hold, and
//! most steps treat 64 bytes of the topic at once. A topic is scanned once for all templates; the
//! scan takes some 40 bytes for each byte of the topic. What the templates of one request or token
//! may cost together is bounded ([`Template::cost`]).

#[cfg(test)]
mod expansions;
mod matching;
mod offsets;
mod parse;
mod scan;

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

pub(crate) use self::parse::InvalidTemplate;
use self::parse::{Modifier, Part, Parts, Variable};
pub(crate) use self::scan::Scan;

/// A well-formed URI template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Box<str>")]
pub(crate) struct Template(Box<str>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// RFC 6570, section 2: for anything that its grammar does not produce, and for the operators
    /// that it reserves.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        text.to_owned().into_boxed_str().try_into()
    }

    /// Whether some values of the variables expand this template to exactly this topic, which is
    /// only scanned if it begins with the prefix.
    fn expands_to<'t>(&self, topic: &'t str, scanned: impl FnOnce() -> Rc<Scan<'t>>) -> bool {
        topic.starts_with(self.prefix()) && matching::matches(&self.0, &scanned())
    }

    /// Whether a selector with this spelling selects a topic: one that it expands to or, as in the
    /// 0.x hubs, the topic that is spelt the same.
    pub(crate) fn selects<'t>(
        &self,
        topic: &'t str,
        scanned: impl FnOnce() -> Rc<Scan<'t>>,
    ) -> bool {
        *self.0 == *topic || self.expands_to(topic, scanned)
    }

    /// Roughly what a character of a topic takes at most: one for each variable, and three for an
    /// exploded one, which may be a list of pairs.
    pub(crate) fn cost(&self) -> usize {
        let cost = |variable: Variable<'_>| match variable.modifier {
            Modifier::Explode => 3,
            Modifier::None | Modifier::Prefix(_) => 1,
        };
        self.variables().map(cost).sum()
    }

    fn variables(&self) -> impl Iterator<Item = Variable<'_>> {
        Parts::of(&self.0)
            .filter_map(|part| match part {
                Ok(Part::Expression(expression)) => Some(expression),
                _ => None,
            })
            .flat_map(|expression| expression.variables().flatten())
    }

    /// How many bytes its text has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What every topic that this template matches begins with, for an index.
    pub(crate) fn prefix(&self) -> &str {
        // A literal beyond ASCII has two spellings.
        let end = self.0.find(|c: char| c == '{' || !c.is_ascii());
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// Whether this template may match more topics than it expands to (the module says why).
    pub(crate) fn names_a_variable_twice(&self) -> bool {
        let mut names = BTreeSet::new();
        self.variables().any(|variable| !names.insert(variable.name))
    }
}

impl TryFrom<Box<str>> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: Box<str>) -> Result<Self, InvalidTemplate> {
        for part in Parts::of(&text) {
            if let Part::Expression(expression) = part? {
                for variable in expression.variables() {
                    variable?;
                }
            }
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
impl Template {
    fn matches(&self, topic: &str) -> bool {
        self.expands_to(topic, || Rc::new(Scan::new(topic)))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::matching::vectors;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Expected {
        Match,
        Mismatch,
        Malformed,
    }

    fn outcome(template: &str, topic: &str) -> Expected {
        match Template::parse(template) {
            Ok(template) if template.matches(topic) => Expected::Match,
            Ok(_) => Expected::Mismatch,
            Err(_) => Expected::Malformed,
        }
    }

    #[test]
    fn vectors() {
        vectors::check(include_str!("../../../tests/vectors/templates.json"), outcome);
    }

    #[test]
    fn a_template_is_restored_from_its_text_alone() {
        let template = Template::parse("/é/{id}").unwrap();
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json, "\"/é/{id}\"");
        assert_eq!(serde_json::from_str::<Template>(&json).unwrap(), template);
        assert!(serde_json::from_str::<Template>("\"/{id\"").is_err());
        assert!(Template::parse("/a{x}").unwrap() < Template::parse("/b{x}").unwrap());
        assert_eq!(&*template.0, "/é/{id}");
    }

    #[test]
    fn every_match_begins_with_the_prefix() {
        for (template, prefix) in [
            ("https://example.com/books/{id}", "https://example.com/books/"),
            ("{+x}", ""),
            ("/a%5Cb", "/a%5Cb"),
            ("/caf\u{e9}/{id}", "/caf"),
            ("", ""),
        ] {
            assert_eq!(Template::parse(template).unwrap().prefix(), prefix, "{template}");
        }
    }

    #[test]
    fn variables_that_are_named_twice_are_found() {
        for template in ["{x}{x}", "{.who,who}", "/{x:1}{/x*}", "{+x}{?y,x}", "{%41}{%41}"] {
            assert!(Template::parse(template).unwrap().names_a_variable_twice(), "{template}");
        }
        // Names are compared as they are written (RFC 6570, section 2.3).
        for template in ["", "/x{x}", "{x,y}{z}", "{x}{X}", "{x.y}{x}{y}", "{%41}{A}"] {
            assert!(!Template::parse(template).unwrap().names_a_variable_twice(), "{template}");
        }
    }

    #[test]
    fn variables_cost_one_and_lists_of_pairs_three() {
        for (template, cost) in
            [("/books", 0), ("/books/{id}{?page}", 2), ("{a,b}{c:3}", 3), ("{/a*}{?b*,c}", 7)]
        {
            assert_eq!(Template::parse(template).unwrap().cost(), cost, "{template}");
        }
    }

    /// These would take forever if any choice were tried twice.
    #[test]
    fn hostile_templates_end() {
        let templates = [
            "{a}",
            "{+a}",
            "{a*}",
            "{/a*}",
            "{?a*}",
            "{;a*}",
            "{.a*}",
            "{a:9999}",
            "{+a:9999}",
            "{+a}b",
            "{a}%41",
            "{&a}",
            "{#a}",
        ]
        .map(|unit| unit.repeat(1024 / unit.len()));
        let lists = ["", "+", "/", "?", ";", "."].map(|operator| {
            ["a,", "a*,", "a:9999,"]
                .map(|unit| format!("{{{operator}{}a}}", unit.repeat((1024 - 4) / unit.len())))
        });
        let topics =
            ["a", "a,", "a=a&", "?a=", ";a", "/a=", ".", "%41", "%C3%A9", "b", "&a=a=", "é"]
                .map(|unit| unit.repeat(1024 / unit.len()));
        for template in templates.iter().chain(lists.iter().flatten()) {
            let template = Template::parse(template).unwrap();
            assert!(template.matches("") || template.0.ends_with(['b', '1']));
            for topic in &topics {
                assert!(!template.matches(&format!("{topic}<")));
            }
        }
    }
}
