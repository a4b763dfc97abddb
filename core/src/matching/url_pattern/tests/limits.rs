//! Bounds on what a pattern costs.

use super::*;
use crate::limits::MAX_MATCHER_LENGTH;
use crate::matching::effort::STEP_EFFORT;

/// What each pattern keeps bounds the memory of 300 matchers of 4 kB.
const MAX_KEPT: usize = 48 * 1024;

/// Patterns that use all they may.
fn greedy() -> Vec<String> {
    let long = |unit: &str| unit.repeat(MAX_MATCHER_LENGTH / unit.len());
    let within = |start: &str, end: &str, unit: &str| {
        let times = (MAX_MATCHER_LENGTH - start.len() - end.len()) / unit.len();
        format!("{start}{}{end}", unit.repeat(times))
    };
    vec![
        long("/a"),
        long("/"),
        long("é"),
        long("/é"),
        long("x"),
        within("/:x", "/:y", "/a"),
        within("/:x", "/:y", "é"),
        within("/:x/", "{/:y}?", "abc"),
        within("/(", ")", "a?"),
        within("/(", ")", "[a-z]"),
        within("/(", ")", "a|"),
        within("/(", ")", ".*"),
        within("/(", ")", "a{9}"),
        within("/", "", ":a/").replacen(":a/", "/", 3),
        "/(\\d{4000})".into(),
        "https://(a{900}).(b{900})/(c{900})\\?(d{900})#(e{900})".into(),
        "/(.{1000}.{1000}.{1000})".into(),
        "/((?:a?){2000})".into(),
        "/:a/(x*)*/(y*)+/*".into(),
    ]
}

#[test]
fn a_pattern_keeps_little() {
    let mut kept = 0;
    for text in greedy() {
        assert!(text.len() <= MAX_MATCHER_LENGTH);
        if let Ok(pattern) = UrlPattern::parse(&text, &hub()) {
            assert!(pattern.size() <= MAX_KEPT, "{} bytes: {text:.60}", pattern.size());
            kept = kept.max(pattern.size());
        }
    }
    // The bound is not far above that.
    assert!(kept > MAX_KEPT / 2, "{kept}");
}

#[test]
fn what_is_too_large_is_refused() {
    let refused = |text: &str| UrlPattern::parse(text, &hub()).unwrap_err();
    for text in [
        "/(a{5000})",
        "/(a{4294967296})",
        "/((?:a{1000}){1000})",
        "/((?:(?:(?:a{9}){9}){9}){9})",
        "/((?:a?){0,4294967295})",
        "https://(a{3000}).(b{3000})/(c{3000})",
    ] {
        assert_eq!(refused(text), InvalidUrlPattern::TooLong, "{text}");
    }
    // Nothing repeated is still nothing.
    assert!(selects("/x((?:){4294967295})", "/x"));
    assert!(selects("/x((?:(?:){4294967295}){4294967295})", "/x"));
    assert_eq!(refused(&"/:a".repeat(257)), InvalidUrlPattern::TooManyGroups);
    assert_eq!(refused(&"/*".repeat(257)), InvalidUrlPattern::TooManyGroups);
    let nested = |depth: usize| format!("/({}{})", "(?:".repeat(depth), ")".repeat(depth));
    assert!(UrlPattern::parse(&nested(40), &hub()).is_ok());
    assert_eq!(refused(&nested(60)), InvalidUrlPattern::Regexp(InvalidRegexp::TooDeep));
    let nested = format!("/({}{})", "[".repeat(60), "]".repeat(60));
    assert_eq!(refused(&nested), InvalidUrlPattern::Regexp(InvalidRegexp::TooDeep));
}

/// The patterns that clients send need no program.
#[test]
fn usual_patterns_cost_little() {
    let room = "/.well-known/mercure/subscriptions/:match_type/https%3A%2F%2Fexample.com%2Fa";
    for (text, cost) in [
        ("https://example.com/books/:id", 0),
        ("https://example.com/*", 0),
        ("https://:shop.example.com/:section/books/*", 0),
        (&format!("{room}/:subscriber"), 0),
        // With and without what may be missing, one by one.
        (&format!("{room}{{/:subscriber}}?"), 1),
        ("http{s}?://example.com/:section?/books/:id?", 4),
    ] {
        let pattern = pattern(text);
        assert_eq!(pattern.cost(), cost, "{text}");
        assert!(pattern.size() < 2_000, "{text}: {}", pattern.size());
    }
    // A text that does not end the run before it leaves a choice, which takes a program.
    assert_ne!(pattern("/:name-:id").cost(), 0);
}

/// A backtracking engine would outlive the sun here.
#[test]
fn nested_quantifiers_are_matched() {
    let topic = format!("/{}!", "a".repeat(MAX_MATCHER_LENGTH - 2));
    for text in [
        "/((?:a+)+)",
        "/((?:a*)*b)",
        "/((?:a|aa)+)",
        "/((?:a|a?)+)",
        "/((?:.*a){20})",
        "/((?:a?){25}a{25})",
        "/:a(.*)(.*)(.*)(.*)x",
        "/(a*)*(a*)*b",
    ] {
        assert!(!selects(text, &topic), "{text}");
    }
    assert!(selects("/((?:a+)+!)", &topic));
}

/// At most the product of both lengths in steps: counted, not timed.
#[test]
fn matching_is_linear_in_the_topic() {
    for text in ["^(?:(?:a+)+)+$", "^(?:a|aa|a?)*$", "^(?:.*a){20}$"] {
        let program = program::Program::new(&regexp::parse(text).unwrap()).unwrap();
        for length in [0, 1, 100, 1_000] {
            let topic = "a".repeat(length) + "!";
            let effort = Effort::default();
            assert!(!program.matches(topic.as_bytes(), &effort));
            let most = (topic.len() + 1) * program.steps() * STEP_EFFORT;
            assert!(effort.spent() <= most, "{text}: {}", effort.spent());
        }
    }
}
