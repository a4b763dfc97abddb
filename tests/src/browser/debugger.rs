//! The hub's debugger, used as people use it.

use serde_json::{Value, json};

use super::front::Front;
use super::hosts::DEBUGGERS;
use super::page::Page;
use super::process::Browser;

use crate::case::Suite;
use crate::hub::{Hub, fresh};
use crate::token::{Generation, detail, header_v0, header_v1, sign};

const ON: &[(&str, &str)] = &[("DEBUGGER", "1"), ("SUBSCRIPTIONS", "1")];

/// A page that does these steps in the debugger of a hub.
fn debug<'a>(browser: &'a Browser, hub: &Hub, host: &str, steps: &Value) -> Page<'a> {
    let front = Front::start(hub.endpoint.port).expect("a front for the hub");
    let page = format!("{}/debug/", hub.path());
    browser.drive(host, front.port(), &page, steps)
}

/// The steps that publish with a token.
fn publishes(token: &str, topic: &str, data: &str) -> Vec<Value> {
    vec![
        json!(["fill", "[data-role=publish] [name=token]", token]),
        json!(["fill", "#topics", topic]),
        json!(["fill", "#data", data]),
        json!(["click", "#publish button.main"]),
    ]
}

pub(super) fn the_debugger_shows_what_it_publishes(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(ON);
    let topic = fresh("debugged");
    let mut steps = vec![
        json!(["fill", "#matchers input", topic]),
        json!(["click", "#start"]),
        json!(["see", "#state", "listening"]),
    ];
    steps.extend(publishes(&hub.anyone(), &topic, "one\ntwo"));
    steps.push(json!(["fill", "#type", "greeting"]));
    steps.push(json!(["see", "#published", "published as "]));
    steps.push(json!(["see", "#events", "one\ntwo"]));
    steps.push(json!(["click", "#publish button.main"]));
    steps.push(json!(["see", "#events", "greeting"]));
    steps.push(json!(["click", "#events details summary"]));
    steps.push(json!(["see", "#events .hex", "65 76 65 6e 74 3a 20 67"]));
    steps.push(json!(["see", "#publish .lines", "Bearer $TOKEN"]));
    let page = debug(browser, &hub, DEBUGGERS[0], &json!(steps));
    page.see();
    let published = page.see();
    let id = published.strip_prefix("published as ").expect("it says its id").to_owned();
    let events = page.see();
    assert!(events.contains(&id) && events.contains("message"), "{events}");
    page.see();
    page.see();
    // Those lines end up in the history of shells.
    let lines = page.see();
    assert!(!lines.contains(&hub.anyone()), "{lines}");
}

pub(super) fn the_debugger_names_what_is_wrong_with_a_token(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(ON);
    let topic = fresh("debugged");
    let v1 = |name: &str, value: Value| {
        let mut claims = hub.claims_v1(json!([detail("publish", &["*"])]));
        claims[name] = value;
        sign(&header_v1(), &claims, &hub.keys.publisher)
    };
    let everything = json!({"mercure": {"publish": ["*"]}});
    let other_key = "another key, which has thirty-two bytes";
    let other_algorithm = json!({"alg": "HS512", "typ": "JWT"});
    let wrong = [
        ("expiry", v1("exp", json!(1))),
        ("audience", v1("aud", json!("https://other.example"))),
        ("issuer", v1("iss", json!("https://other.example"))),
        ("key", sign(&header_v0(), &everything, other_key)),
        ("algorithm", sign(&other_algorithm, &everything, &hub.keys.publisher)),
        ("grant", hub.publisher(Generation::V0, &["https://example.com/other"])),
        ("token", "not.a-token".to_owned()),
    ];
    let mut steps = Vec::new();
    for (what, token) in &wrong {
        steps.extend(publishes(token, &topic, "x"));
        steps.push(json!(["see", "#publish-verdicts .bad strong", what]));
    }
    steps.push(json!(["fill", "[data-role=publish] [name=way]", "cookie"]));
    steps.push(json!(["click", "#publish button.main"]));
    steps.push(json!(["see", "#publish-verdicts .bad strong", "cookie"]));
    steps.push(json!(["fill", "#origin", "https://www.example.com/page"]));
    steps.push(json!(["click", "#origin-form button"]));
    steps.push(json!([
        "see",
        "#origin-verdicts",
        "https://www.example.com is not in CORS_ORIGINS"
    ]));
    steps.push(json!(["see", "#origin-verdicts", "SameSite"]));
    let page = debug(browser, &hub, DEBUGGERS[1], &json!(steps));
    for (what, _) in wrong {
        assert_eq!(page.see(), what);
    }
    assert_eq!(page.see(), "cookie");
    page.see();
    page.see();
}

pub(super) fn the_debugger_sends_a_cookie_that_it_was_told_to_set(
    suite: &Suite,
    browser: &Browser,
) {
    let hub = suite.launch(ON);
    let topic = fresh("debugged");
    let token = hub.subscriber(Generation::V1, &["*"]);
    let field = "[data-role=subscribe]";
    let page = debug(
        browser,
        &hub,
        DEBUGGERS[2],
        &json!([
            ["fill", "#matchers input", topic],
            ["fill", format!("{field} [name=token]"), token],
            ["fill", format!("{field} [name=way]"), "cookie"],
            ["click", format!("{field} [name=set]")],
            ["click", "#start"],
            ["see", "#state", "listening"],
            ["see", "#events", "for you"],
            ["click", "#list"],
            ["see", "#here tbody", topic],
        ]),
    );
    page.see();
    let id = hub.publish(&[("topic", &topic), ("data", "for you"), ("private", "on")]);
    let events = page.see();
    assert!(events.contains(&id), "{events}");
    page.see();
}

pub(super) fn the_debugger_is_reached_by_keyboard(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(ON);
    let page = debug(browser, &hub, DEBUGGERS[3], &json!([["reach"]]));
    let reached = page.see();
    assert!(reached.starts_with("all of "), "{reached}");
}
