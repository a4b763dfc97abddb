//! The engine, compared with the crate `regex` on the syntax that both read alike.

use proptest::prelude::*;

use super::super::component::{Component, fixed};
use super::super::program::Program;
use super::super::regexp::parse;
use super::*;

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ab/.]".prop_map(|text| text.replace('.', "\\.")),
        Just(".".to_owned()),
        Just("\\d".to_owned()),
        Just("\\W".to_owned()),
        Just("[^\\/]+?".to_owned()),
        Just("[ab]".to_owned()),
        Just("[^a0-9]".to_owned()),
        Just("[\\da]".to_owned()),
        Just("(?:)".to_owned()),
        Just("(?i:A)".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|texts| texts.concat()),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("(?:{one}|{other})")),
            (inner.clone(), "([*+?]|\\{2\\}|\\{0,2\\}|\\{1,\\})\\??")
                .prop_map(|(text, times)| format!("(?:{text}){times}")),
            inner.clone().prop_map(|text| format!("\\b{text}")),
            inner.prop_map(|text| format!("({text}$|^{text})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_engines_agree(text in expression(), topics in prop::collection::vec("[ab/.A0 -]{0,8}", 8)) {
        let whole = format!("^{text}$");
        let oracle = regex::Regex::new(&whole).unwrap();
        let node = parse(&whole).unwrap();
        let program = Program::new(&node).unwrap();
        let component = Component::new(&node).unwrap();
        let (parts, complete) = fixed(&node, Some(b'/'));
        for topic in topics {
            let matched = oracle.is_match(&topic);
            prop_assert_eq!(program.matches(topic.as_bytes(), &Effort::default()), matched, "{} {:?}", whole, topic);
            prop_assert_eq!(component.matches(&topic, &Effort::default()), matched, "{} {:?}", whole, topic);
            if matched {
                let got: Vec<&str> = topic.split('/').collect();
                prop_assert!(got.len() >= parts.len() && (!complete || got.len() == parts.len()));
                prop_assert!(parts.iter().zip(got).all(|(part, got)| match part {
                    Fixed::Whole(text) => **text == *got,
                    Fixed::Beginning(text) => got.starts_with(&**text),
                }), "{} {:?} {:?}", whole, topic, parts);
            }
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in "[ -~é😀]{0,40}", topic in "[ -~é😀]{0,40}") {
        if let (Ok(pattern), Some(topic)) =
            (UrlPattern::parse(&text, &hub()), ParsedTopic::new(&topic, &hub()))
        {
            pattern.matches(&topic);
        }
    }

    #[test]
    fn any_syntax_gives_an_answer(
        text in "([/:*+?(){}\\[\\]\\\\.@#&|^$-]|\\(\\?|:a|https|//|[a-c]){0,24}",
        topic in "(https?://)?[a-c/:.?#@]{0,12}",
    ) {
        if let (Ok(pattern), Some(topic)) =
            (UrlPattern::parse(&text, &hub()), ParsedTopic::new(&topic, &hub()))
        {
            pattern.matches(&topic);
        }
    }
}

/// Runs that end at a text are matched without a program, with the same result, even if some parts
/// may be missing.
#[test]
fn runs_match_what_their_program_does() {
    let characters = ['a', 'b', '/', '.'];
    let mut topics = vec![String::new()];
    for at in 0.. {
        if topics[at].len() == 6 {
            break;
        }
        let longer = characters.map(|character| format!("{}{character}", topics[at]));
        topics.extend(longer);
    }
    for text in [
        "^[^\\/]+?$",
        "^[^\\/]*/[^\\/]+?$",
        "^a[^\\/]+?\\/b[ab]*\\/$",
        "^[ab]*\\.\\/[ab]+\\/[^.]*$",
        "^[^b]+b[^a]*a[^\\/]+\\/[^.]+?\\.$",
        "^[^\\/]+?\\/a(?:\\/([^\\/]+?))?$",
        "^(?:a\\/)?[^\\/]+(?:\\/b)?$",
        "^ab?$",
        "^b?[^.]*\\.(?:b[ab]*)?a$",
    ] {
        let node = parse(text).unwrap();
        let (component, program) = (Component::new(&node).unwrap(), Program::new(&node).unwrap());
        let optional = text.matches(")?").count() + text.matches("b?").count();
        assert_eq!(component.cost(), (1 << optional) - 1, "{text}");
        for topic in &topics {
            let matched = program.matches(topic.as_bytes(), &Effort::default());
            assert_eq!(component.matches(topic, &Effort::default()), matched, "{text} {topic}");
        }
    }
}
