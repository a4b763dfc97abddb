//! Keys that an issuer publishes, and that change while a hub runs.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::http::{DEADLINE, Response};
use crate::hub::{Hub, fresh};
use crate::issuer::{Answer, Issuer, Key};
use crate::token::detail;

pub(crate) const CASES: &[Case] = &[
    case!(the_keys_that_an_issuer_publishes_verify_its_tokens launching),
    case!(a_role_may_have_its_keys_at_a_url_for_both_generations launching),
    case!(an_issuers_metadata_leads_to_its_keys launching),
    case!(keys_change_while_the_hub_runs_and_forged_ones_fetch_nothing launching),
    case!(while_the_issuer_is_away_the_last_keys_serve launching),
    case!(before_there_are_keys_a_token_is_not_invalid launching),
    case!(a_hub_that_starts_anew_need_not_wait_for_the_issuer launching)
        .needing(&[Capability::SharedCache]),
    case!(what_is_no_set_of_keys_is_not_taken_and_named launching),
];

const PATH: &str = "/jwks";

/// A hub that trusts what `https://issuer.example` publishes there, and nobody else.
fn launch(suite: &Suite, issuer: &Issuer) -> Hub {
    let trusted = json!([{"issuer": suite.arguments.issuer, "jwks_uri": issuer.url(PATH)}]);
    launch_trusting(suite, &trusted)
}

fn launch_trusting(suite: &Suite, issuers: &Value) -> Hub {
    suite.launch(&[
        ("MERCURE_PUBLISHER_JWT_KEY", ""),
        ("MERCURE_SUBSCRIBER_JWT_KEY", ""),
        ("MERCURE_TRUSTED_ISSUERS", &issuers.to_string()),
    ])
}

/// The claims of a token for everything.
fn claims(hub: &Hub) -> Value {
    let details = ["publish", "subscribe"].map(|action| detail(action, &["*"]));
    hub.claims_v1(json!(details))
}

fn publish(hub: &Hub, token: &str) -> Response {
    hub.publication(&[("topic", &fresh("a"))]).bearer(token).send()
}

#[track_caller]
fn refused(hub: &Hub, token: &str) {
    publish(hub, token).expect_challenge(401, Some("invalid_token"));
    let stream = hub.subscription(&[("match", "a")]).bearer(token);
    stream.send().expect_challenge(401, Some("invalid_token"));
}

// draft-08, "Token Validation"
fn the_keys_that_an_issuer_publishes_verify_its_tokens(suite: &Suite) {
    let (issuer, a, b) = (Issuer::start(), Key::new("a"), Key::new("b"));
    issuer.answer(PATH, Answer::keys(&[&a, &b]));
    let hub = launch(suite, &issuer);
    let claims = claims(&hub);
    hub.expect_to_accept(&a.sign(&claims));
    hub.expect_to_accept(&b.sign(&claims));
    let header = json!({"alg": "EdDSA", "typ": "at+jwt"});
    hub.expect_to_accept(&b.sign_as(&header, &claims));
    refused(&hub, &Key::new("c").sign_as(&header, &claims));
    // One key under another's name.
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "a"});
    refused(&hub, &b.sign_as(&header, &claims));
    let mut other = claims;
    other["iss"] = json!("https://other.example");
    refused(&hub, &a.sign(&other));
}

fn a_role_may_have_its_keys_at_a_url_for_both_generations(suite: &Suite) {
    let (issuer, publisher, subscriber) = (Issuer::start(), Key::new("p"), Key::new("s"));
    issuer.answer("/p", Answer::keys(&[&publisher]));
    issuer.answer("/s", Answer::keys(&[&subscriber]));
    let hub = suite.launch(&[
        ("MERCURE_PUBLISHER_JWT_KEY", ""),
        ("MERCURE_SUBSCRIBER_JWT_KEY", ""),
        ("MERCURE_PUBLISHER_JWKS_URI", &issuer.url("/p")),
        ("MERCURE_SUBSCRIBER_JWKS_URI", &issuer.url("/s")),
    ]);
    let old = json!({"mercure": {"publish": ["*"], "subscribe": ["*"]}});
    let header = |kid: &str| json!({"alg": "EdDSA", "typ": "JWT", "kid": kid});
    for (publisher, subscriber) in [
        (publisher.sign(&claims(&hub)), subscriber.sign(&claims(&hub))),
        (publisher.sign_as(&header("p"), &old), subscriber.sign_as(&header("s"), &old)),
    ] {
        let topic = fresh("a");
        let mut stream = hub.subscription(&[("match", &topic)]).bearer(&subscriber).open();
        let update = [("topic", topic.as_str()), ("private", "on"), ("data", "x")];
        hub.publication(&update).bearer(&publisher).send().expect_status(200);
        stream.expect_data("x");
        publish(&hub, &subscriber).expect_challenge(401, Some("invalid_token"));
    }
}

// draft-08, "Token Validation"; RFC 8414
fn an_issuers_metadata_leads_to_its_keys(suite: &Suite) {
    let (issuer, key) = (Issuer::start(), Key::new("a"));
    let identifier = issuer.url("/tenant");
    let not_found = Answer { status: 404, ..Answer::of("") };
    issuer.answer("/.well-known/oauth-authorization-server/tenant", not_found);
    let metadata = json!({"issuer": identifier, "jwks_uri": issuer.url(PATH)}).to_string();
    issuer.answer("/tenant/.well-known/openid-configuration", Answer::of(metadata));
    issuer.answer(PATH, Answer::keys(&[&key]));
    let hub = launch_trusting(suite, &json!([{"issuer": identifier}]));
    let mut claims = claims(&hub);
    claims["iss"] = json!(identifier);
    hub.expect_to_accept(&key.sign(&claims));
    claims["iss"] = json!(issuer.url("/"));
    refused(&hub, &key.sign(&claims));
}

fn keys_change_while_the_hub_runs_and_forged_ones_fetch_nothing(suite: &Suite) {
    let (issuer, old, new) = (Issuer::start(), Key::new("old"), Key::new("new"));
    issuer.answer(PATH, Answer::keys(&[&old]));
    let hub = launch(suite, &issuer);
    let claims = claims(&hub);
    publish(&hub, &old.sign(&claims)).expect_status(200);
    issuer.answer(PATH, Answer { delay: Duration::from_millis(300), ..Answer::keys(&[&new]) });
    // All at once: they wait for one fetch.
    let before = issuer.asked(PATH);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| publish(&hub, &new.sign(&claims)).expect_status(200));
        }
    });
    // On other platforms, each process fetches for itself.
    let is_one = !hub.has(Capability::Environments);
    assert!(!is_one || issuer.asked(PATH) == before + 1, "{} fetches", issuer.asked(PATH));
    // One that is no longer published is refused, though it was known. (A process that has not heard
    // of the new one may know it still.)
    if is_one {
        refused(&hub, &old.sign(&claims));
    }
    let before = issuer.asked(PATH);
    let forged = Key::new("forged");
    for number in 0..20 {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": format!("forged {number}")});
        publish(&hub, &forged.sign_as(&header, &claims))
            .expect_challenge(401, Some("invalid_token"));
    }
    assert!(!is_one || issuer.asked(PATH) == before, "forged tokens fetch");
    publish(&hub, &new.sign(&claims)).expect_status(200);
}

fn while_the_issuer_is_away_the_last_keys_serve(suite: &Suite) {
    let (issuer, old, new) = (Issuer::start(), Key::new("old"), Key::new("new"));
    issuer.answer(PATH, Answer::keys(&[&old]));
    let hub = launch(suite, &issuer);
    let claims = claims(&hub);
    publish(&hub, &old.sign(&claims)).expect_status(200);
    issuer.stop();
    // Nobody can tell whether it is valid.
    publish(&hub, &new.sign(&claims)).expect_status(503);
    for _ in 0..3 {
        publish(&hub, &old.sign(&claims)).expect_status(200);
    }
    issuer.answer(PATH, Answer::keys(&[&new]));
    eventually_accepted(&hub, &new.sign(&claims));
    publish(&hub, &old.sign(&claims)).expect_challenge(401, Some("invalid_token"));
}

fn before_there_are_keys_a_token_is_not_invalid(suite: &Suite) {
    let (issuer, key) = (Issuer::start(), Key::new("a"));
    let hub = launch(suite, &issuer);
    let token = key.sign(&claims(&hub));
    let answer = publish(&hub, &token).expect_status(503);
    assert!(answer.head.header("retry-after").is_some(), "{answer:?}");
    hub.subscription(&[("match", "a")])
        .without_header("accept")
        .bearer(&token)
        .send()
        .expect_status(503);
    // To many libraries, anything but 200 is the last word.
    let answer = hub.subscription(&[("match", "a")]).bearer(&token).send().expect_status(200);
    assert!(answer.text().contains("retry: "), "{answer:?}");
    // Who needs no token needs no keys.
    hub.subscribe(&fresh("a"));
    issuer.answer(PATH, Answer::keys(&[&key]));
    eventually_accepted(&hub, &token);
}

fn a_hub_that_starts_anew_need_not_wait_for_the_issuer(suite: &Suite) {
    let (issuer, key) = (Issuer::start(), Key::new("a"));
    let hub = launch(suite, &issuer);
    let token = key.sign(&claims(&hub));
    // What was fetched is kept after the answer, and the hub may be killed before that.
    let deadline = Instant::now() + DEADLINE;
    loop {
        issuer.answer(PATH, Answer::keys(&[&key]));
        publish(&hub, &token).expect_status(200);
        issuer.stop();
        hub.kill();
        hub.restart();
        let before = issuer.asked(PATH);
        let answer = publish(&hub, &token);
        if answer.status == 200 {
            assert_eq!(issuer.asked(PATH), before);
            return;
        }
        assert!(Instant::now() < deadline, "nothing is kept: {answer:?}");
        hub.kill();
        hub.restart();
    }
}

/// Publishes until the hub has asked the issuer again.
#[track_caller]
fn eventually_accepted(hub: &Hub, token: &str) {
    let deadline = Instant::now() + Duration::from_secs(150);
    loop {
        let answer = publish(hub, token);
        if answer.status == 200 {
            return;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(Instant::now() < deadline, "the hub does not ask again");
        thread::sleep(Duration::from_millis(250));
    }
}

fn what_is_no_set_of_keys_is_not_taken_and_named(suite: &Suite) {
    let (issuer, key) = (Issuer::start(), Key::new("a"));
    let good = Answer::keys(&[&key]);
    let mut many: Vec<Value> = vec![key.jwk()];
    many.resize(101, json!({"kty": "AKP"}));
    let large = [good.body.clone(), vec![b' '; 2 << 20]].concat();
    issuer.answer("/good", good.clone());
    let metadata = |issuer: &str, jwks_uri: &str| {
        Answer::of(json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string())
    };
    let location = ("Location", issuer.url("/good"));
    let elsewhere = issuer.url("/elsewhere");
    issuer.answer(
        "/elsewhere/.well-known/openid-configuration",
        metadata(&elsewhere, &format!("http://localhost:1{PATH}")),
    );
    let not_found = Answer { status: 404, ..Answer::of("") };
    issuer.answer("/.well-known/oauth-authorization-server/elsewhere", not_found);
    let mut trusted = vec![json!({"issuer": elsewhere})];
    let mut expected = vec![(elsewhere, "at another host")];
    for (name, answer, named) in [
        (
            "redirect",
            Answer { status: 302, fields: vec![location], ..Answer::of("") },
            "redirects are not followed",
        ),
        ("large", Answer::of(large), "larger than 1048576 bytes"),
        ("many", Answer::of(json!({"keys": many}).to_string()), "101 keys"),
        ("html", Answer::of("<html>"), "not a JWK Set"),
        ("error", Answer { status: 500, ..good.clone() }, "its status is 500"),
        ("slow", Answer { delay: Duration::from_secs(60), ..good }, "it took more than 5s"),
    ] {
        let path = format!("/{name}");
        issuer.answer(&path, answer);
        let identifier = format!("https://{name}.example");
        trusted.push(json!({"issuer": identifier, "jwks_uri": issuer.url(&path)}));
        expected.push((identifier, named));
    }
    let hub = launch_trusting(suite, &json!(trusted));
    for (identifier, named) in expected {
        let mut claims = claims(&hub);
        claims["iss"] = json!(identifier);
        publish(&hub, &key.sign(&claims)).expect_status(503);
        let log = hub.log();
        assert!(log.contains(named), "{named} in {log}");
    }
    assert_eq!(issuer.asked("/good"), 0, "a redirect was followed");
}
