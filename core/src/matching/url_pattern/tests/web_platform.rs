//! The test data of web-platform-tests (`urlpattern/resources/urlpatterntestdata.json`), as the
//! published package of the crate `urlpattern` 0.6.0 has it; the licences are beside the file.
//!
//! Captures are not compared: a hub has no use for them.

use serde::Deserialize;
use serde_json::Value;
use urlpattern::quirks::{self, MatchInput, StringOrInit};

use url::Url;

use super::*;

const DATA: &str = include_str!("../../../../tests/vectors/urlpatterntestdata.json");

#[derive(Deserialize)]
struct Case {
    pattern: Vec<Value>,
    #[serde(default)]
    inputs: Vec<StringOrInit<'static>>,
    /// The compiled pattern as text, or `"error"`; missing members are not compared.
    expected_obj: Option<Value>,
    expected_match: Option<Value>,
}

/// Why a case is not run.
fn skipped(case: &Case) -> Option<&'static str> {
    let options = case.pattern.iter().any(|argument| argument.get("ignoreCase").is_some());
    options.then_some("draft-08, \"URL Pattern\": hubs MUST NOT enable `ignoreCase`")
}

#[test]
fn all_cases() {
    let cases: Vec<Case> = serde_json::from_str(DATA).unwrap();
    assert_eq!(cases.len(), 352, "the data has changed");
    let (skips, cases): (Vec<_>, Vec<_>) = cases.iter().partition(|case| skipped(case).is_some());
    assert_eq!(skips.len(), 5);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{:?}: {}", case.pattern, run(case).err()?)))
        .collect();
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

/// The cases that a hub can meet: a pattern as text, the hub's URL as its base, a topic as text.
#[test]
fn cases_of_texts() {
    let cases: Vec<Case> = serde_json::from_str(DATA).unwrap();
    let mut run = 0;
    for case in cases.iter().filter(|case| skipped(case).is_none()) {
        let (base, text) = match case.pattern.as_slice() {
            [Value::String(text)] => ("https://hub.example.com/.well-known/mercure", text),
            [Value::String(text), Value::String(base)] => (base.as_str(), text),
            _ => continue,
        };
        let (Ok(hub), [StringOrInit::String(topic)]) = (HubUrl::parse(base), &*case.inputs) else {
            continue;
        };
        // Only in a browser is a relative pattern without a base an error.
        let erroneous = case.expected_obj.as_ref().is_some_and(|object| object == "error");
        let pattern = UrlPattern::parse(text, &hub);
        if erroneous && pattern.as_ref().is_ok_and(|pattern| pattern.0.source.base.is_some()) {
            continue;
        }
        // `https:x` is absolute without a base, and relative with one of the same scheme.
        if case.pattern.len() == 1 && Url::parse(topic).ok() != hub.resolve(topic) {
            continue;
        }
        run += 1;
        let matched = pattern.as_ref().is_ok_and(|pattern| {
            ParsedTopic::new(topic, &hub).is_some_and(|topic| pattern.matches(&topic))
        });
        assert_eq!(pattern.is_err(), erroneous, "{text:?}");
        assert_eq!(matched, case.expected_match.as_ref().is_some_and(Value::is_object), "{text:?}");
    }
    assert!(run > 30, "{run}");
}

fn run(case: &Case) -> Result<(), String> {
    let compiled = parse(case).and_then(|(pattern, pathname)| {
        let strings = components(&pattern);
        let source = Source { text: "".into(), base: None };
        let pattern = Compiled::new(source, pattern, pathname.as_deref())
            .map_err(|error| error.to_string())?;
        Ok((pattern, strings))
    });
    let (pattern, strings) = match compiled {
        Ok(compiled) => compiled,
        Err(_) if case.expected_obj.as_ref().is_some_and(|object| object == "error") => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if let Some(object) = &case.expected_obj {
        for (name, got) in strings {
            if let Some(expected) = object.get(name).filter(|expected| **expected != got) {
                return Err(format!("{name} is {got:?}, not {expected}"));
            }
        }
        if !object.is_object() {
            return Err("is not an error".into());
        }
    }
    let base = match case.inputs.get(1) {
        Some(StringOrInit::String(base)) => Some(&**base),
        _ => None,
    };
    let input = case.inputs.first().cloned().unwrap_or(StringOrInit::Init(Default::default()));
    let input = match (quirks::process_match_input(input, base), &case.expected_match) {
        (Err(_), Some(Value::String(error))) if error == "error" => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(input), _) => input.and_then(|(input, _)| quirks::parse_match_input(input)),
    };
    let matched = input
        .is_some_and(|input| pattern.matches(|part| part_of(&input, part), &Effort::default()));
    match case.expected_match.is_some() == matched {
        true => Ok(()),
        false => Err(format!("{:?}: {matched}", case.inputs)),
    }
}

/// The pattern of a case, parsed, and its path as it was written.
fn parse(case: &Case) -> Result<(urlpattern::UrlPattern<Regexp>, Option<String>), String> {
    let base = case.pattern.get(1).and_then(Value::as_str);
    if case.pattern.len() > 2 {
        return Err("too many arguments".into());
    }
    let init = match (case.pattern.first(), base.map(Url::parse).transpose()) {
        (_, Err(error)) => return Err(error.to_string()),
        (Some(Value::String(text)), Ok(base)) => {
            UrlPatternInit::parse_constructor_string::<Regexp>(text, base)
        }
        (init, Ok(_)) => {
            let init = init.cloned().unwrap_or_else(|| Value::Object(Default::default()));
            let init = serde_json::from_value(init).map_err(|error| error.to_string())?;
            quirks::process_construct_pattern_input(StringOrInit::Init(init), base)
        }
    };
    let options = UrlPatternOptions { regex_syntax: RegexSyntax::EcmaScript, ignore_case: false };
    let init = init.map_err(|error| error.to_string())?;
    let pathname = init.pathname.clone().filter(|_| init.base_url.is_none());
    let pattern =
        urlpattern::UrlPattern::parse(init, options).map_err(|error| error.to_string())?;
    Ok((pattern, pathname))
}

/// The components of a pattern as text.
fn components(pattern: &urlpattern::UrlPattern<Regexp>) -> [(&'static str, String); 8] {
    [
        ("protocol", pattern.protocol().to_owned()),
        ("username", pattern.username().to_owned()),
        ("password", pattern.password().to_owned()),
        ("hostname", pattern.hostname().to_owned()),
        ("port", pattern.port().to_owned()),
        ("pathname", pattern.pathname().to_owned()),
        ("search", pattern.search().to_owned()),
        ("hash", pattern.hash().to_owned()),
    ]
}

fn part_of(input: &MatchInput, part: Part) -> &str {
    match part {
        Part::Pathname => &input.pathname,
        Part::Hostname => &input.hostname,
        Part::Protocol => &input.protocol,
        Part::Port => &input.port,
        Part::Search => &input.search,
        Part::Hash => &input.hash,
        Part::Username => &input.username,
        Part::Password => &input.password,
    }
}
