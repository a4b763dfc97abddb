//! Independent proof: `uritemplate-next` expands, and the expansions must match; and of all short
//! topics, nothing else may.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uritemplate::{TemplateVar, UriTemplate};

use super::Template;

/// Numbers that are the same on each run (Vigna's SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn several<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn text(&mut self, choices: &[&str], most: usize) -> String {
        self.several(most, |numbers| numbers.one_of(choices)).concat()
    }

    /// A variable with its modifier.
    fn variable(&mut self) -> (&'static str, String) {
        let name = self.one_of(&["x", "y", "id", "a.b", "_1", "topic", "%41", "q%C3%A9", "X"]);
        let modifier = match self.below(8) {
            0 | 1 => "*".to_owned(),
            2 => format!(":{}", self.below(5) + 1),
            3 => format!(":{}", self.below(9999) + 1),
            _ => String::new(),
        };
        (name, modifier)
    }

    fn value(&mut self, prefixed: bool) -> Option<TemplateVar> {
        const ANY: [&str; 24] = [
            "a", "Z", "0", "-", ".", "_", "~", "/", ",", "=", "&", ";", "?", "#", "+", "!", "'",
            "%", "%41", "%c3%a9", " ", "\\", "{", "\"",
        ];
        // The expander leaves reserved characters in names, as the RFC says for some operators but
        // not others; our readings do not.
        const NAMES: [&str; 6] = ["a", "b", "1", ".", "~", "-"];
        let any = |numbers: &mut Self| numbers.text(&ANY, 6);
        // Section 2.4.1: a prefix modifier does not apply to lists and associative arrays.
        Some(match self.below(if prefixed { 4 } else { 8 }) {
            0 => return None,
            1..=3 => TemplateVar::Scalar(any(self)),
            4 | 5 => TemplateVar::List(self.several(3, any)),
            _ => TemplateVar::AssociativeArray(
                self.several(3, |numbers| (numbers.text(&NAMES, 3), any(numbers))),
            ),
        })
    }
}

fn expand(template: &str, values: &BTreeMap<&str, TemplateVar>) -> String {
    let mut expander = UriTemplate::new(template);
    for (name, value) in values {
        expander.set(name, value.clone());
    }
    expander.build()
}

#[test]
fn every_expansion_matches() {
    const LITERALS: [&str; 14] =
        ["/", "a", ".", ",", "?", "=", "&", "#", ";", "%5C", "%c3", "é", "'", "https://e.org/"];
    let mut numbers = Numbers(6570);
    let mut lengths = 0;
    for _ in 0..20_000 {
        let mut template = String::new();
        let mut variables = Vec::new();
        for _ in 0..=numbers.below(3) {
            if numbers.below(3) == 0 {
                template += &numbers.text(&LITERALS, 4);
            }
            let list = [vec![numbers.variable()], numbers.several(2, Numbers::variable)].concat();
            let specifications: Vec<_> =
                list.iter().map(|(name, modifier)| format!("{name}{modifier}")).collect();
            let operator = numbers.one_of(&["", "+", "#", ".", "/", ";", "?", "&"]);
            template += &format!("{{{operator}{}}}", specifications.join(","));
            variables.extend(list);
        }
        let values = variables
            .iter()
            .filter_map(|(name, _)| {
                let prefixed = variables
                    .iter()
                    .any(|(other, modifier)| other == name && modifier.starts_with(':'));
                Some((*name, numbers.value(prefixed)?))
            })
            .collect();
        let topic = expand(&template, &values);
        lengths += topic.len();
        assert!(Template::parse(&template).unwrap().matches(&topic), "{template} and {topic}");
    }
    assert!(lengths > 20_000 * 20, "the expansions are too short to say much: {lengths}");
}

/// All topics of up to `most` of these characters.
fn topics(characters: &[&str], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = all.clone();
    for _ in 0..most {
        longest = longest
            .iter()
            .flat_map(|text| characters.iter().map(move |character| format!("{text}{character}")))
            .collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// All lists of `members` of these texts whose lengths add up to `most` or less.
fn lists(texts: &[String], members: usize, most: usize) -> Vec<Vec<String>> {
    if members == 0 {
        return vec![Vec::new()];
    }
    texts
        .iter()
        .filter(|text| text.len() <= most)
        .flat_map(|text| {
            let rest = lists(texts, members - 1, most - text.len());
            rest.into_iter().map(move |rest| [vec![text.clone()], rest].concat())
        })
        .collect()
}

/// All values of these texts, and of lists and arrays of them, that can expand to `most` characters
/// or less.
fn values(texts: &[String], prefixed: bool, most: usize) -> Vec<TemplateVar> {
    let mut values: Vec<_> = texts.iter().cloned().map(TemplateVar::Scalar).collect();
    if !prefixed {
        // There is a character between any two members.
        for members in 1..=most + 1 {
            let left = most + 1 - members;
            values.extend(lists(texts, members, left).into_iter().map(TemplateVar::List));
            values.extend(lists(texts, 2 * members, left).into_iter().map(|texts| {
                let pairs = texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
                TemplateVar::AssociativeArray(pairs.collect())
            }));
        }
    }
    values
}

/// Of all short topics, an expression matches the expansions of all values, and no others.
#[test]
fn nothing_else_matches() {
    for (operator, first, separator) in [
        ("", "", ","),
        ("+", "", ","),
        ("#", "#", ","),
        (".", ".", "."),
        ("/", "/", "/"),
        (";", ";", ";"),
        ("?", "?", "&"),
        ("&", "&", "&"),
    ] {
        let reserved = operator == "+" || operator == "#";
        let most = if reserved { 3 } else { 5 };
        let characters = BTreeSet::from(["x", "=", ",", separator, first]);
        let characters: Vec<_> = characters.into_iter().filter(|text| !text.is_empty()).collect();
        let all = topics(&characters, most);
        // What values leave as it is; they encode the rest, to topics that are longer than these.
        let texts = match operator {
            "+" | "#" => all.clone(),
            "." => topics(&["x", "."], most),
            _ => topics(&["x"], most),
        };

        let expansions = ["", "*", ":2"].map(|modifier| {
            let template = format!("{{{operator}x{modifier}}}");
            let mut expansions: BTreeSet<_> = values(&texts, modifier == ":2", most)
                .into_iter()
                .map(|value| expand(&template, &BTreeMap::from([("x", value)])))
                .collect();
            if modifier.is_empty() && [";", "?", "&"].contains(&operator) {
                // The expander mistakes a list of empty texts for one empty text.
                let commas = (1..=most).map(|commas| ",".repeat(commas));
                expansions.extend(commas.map(|commas| format!("{first}x={commas}")));
            }
            (modifier, expansions)
        });

        let compare = |template: &str, expansions: &BTreeSet<String>| {
            let parsed = Template::parse(template).unwrap();
            for topic in &all {
                let expected = topic.is_empty() || expansions.contains(topic);
                assert_eq!(parsed.matches(topic), expected, "{template} and {topic}");
            }
        };
        for (modifier, one) in &expansions {
            compare(&format!("{{{operator}x{modifier}}}"), one);
            // Each occurrence by itself.
            for (other_modifier, other) in &expansions {
                let mut both = one | other;
                for left in one.iter().filter(|left| left.len() <= most) {
                    for right in other.iter().filter(|right| right.len() <= most) {
                        both.insert(format!("{left}{separator}{}", &right[first.len()..]));
                    }
                }
                compare(&format!("{{{operator}x{modifier},x{other_modifier}}}"), &both);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(
        text in prop_oneof![any::<String>(), "([a%é/41]|\\{[+#./;?&=]?|[ax,.:9*]|\\}){0,20}"],
        topic in prop_oneof![any::<String>(), "[a%é/=,&;?#C39A]{0,80}"],
    ) {
        if let Ok(template) = Template::parse(&text) {
            if template.matches(&topic) {
                prop_assert!(topic.starts_with(template.prefix()));
            }
            // No literal and no value has a `<`.
            let illegal = topic + "<";
            prop_assert!(!template.matches(&illegal));
        }
    }
}
