//! Bytes that no client means to send: each gets an answer, and the hub lives on ("What it
//! promises": never a panic).

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::http::{Connection, Request};
use crate::hub::{Hub, fresh};
use crate::token::{base64, header_v0, header_v1, sign, sign_bytes};

pub(crate) const CASES: &[Case] = &[
    case!(hostile_tokens_are_invalid),
    case!(hostile_header_fields_get_an_answer).needing(&[Capability::RawRequests]),
    case!(hostile_targets_get_an_answer).needing(&[Capability::RawRequests]),
    case!(hostile_bodies_get_an_answer),
    case!(broken_requests_do_not_reach_others).needing(&[Capability::RawRequests]),
];

/// An answer that says something of the request, rather than of a fault of the hub.
#[track_caller]
fn answered(request: &Request) {
    match request.start() {
        Ok((head, _)) => assert!(head.status < 500, "{} in answer to {request}", head.status),
        Err(error) => panic!("{error} in answer to {request}"),
    }
}

#[track_caller]
fn lives(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    hub.publish(&[("topic", &topic), ("data", "alive")]);
    stream.expect_data("alive");
}

fn hostile_tokens_are_invalid(hub: &Hub) {
    let key = &hub.keys.publisher;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let topics: Vec<String> = (0..1_500).map(|number| format!("t{number}")).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    for token in [
        sign_bytes(header_v0().to_string(), &deep, key),
        sign_bytes(&deep, "{}", key),
        sign_bytes(header_v0().to_string(), format!("{{\"mercure\":{deep}}}"), key),
        sign_bytes(
            header_v0().to_string(),
            "{\"mercure\":{\"publish\":[\"*\"]},\"exp\":1e999}",
            key,
        ),
        sign_bytes(header_v0().to_string(), b"\xFF\xFE", key),
        sign(&header_v0(), &json!({"mercure": {"publish": "*"}}), key),
        sign(&header_v0(), &json!({"mercure": 1}), key),
        sign(&header_v0(), &json!({"mercure": {"publish": [1]}}), key),
        sign(&header_v1(), &json!({"exp": -1e300}), key),
        format!("{}.{}.{}", base64("{}"), base64("{}"), base64([0; 10_000])),
        ".".repeat(5_000),
        // draft-08, "Authorization Details": a limit to the entries of a token
        hub.publisher_v1(json!([crate::token::detail("publish", &topics)])),
    ] {
        hub.publication(&[("topic", &fresh("a"))])
            .bearer(&token)
            .send()
            .expect_challenge(401, Some("invalid_token"));
    }
    lives(hub);
}

fn hostile_header_fields_get_an_answer(hub: &Hub) {
    let plain = || hub.subscription(&[("match", "a")]);
    for bytes in [&b"\xFF\xFE"[..], b"\xC3\xA9", b"\x80", b"=;=;\"", b";;;,,,", &[b'x'; 8_000]] {
        for name in ["Last-Event-ID", "Cookie", "Authorization", "Accept", "Origin", "Referer"] {
            answered(&plain().header(name, bytes));
            answered(&hub.publication(&[("topic", "a")]).header(name, bytes));
        }
        answered(&plain().native().header("Last-Event-ID", bytes));
        answered(&hub.granted(&[("topic", &fresh("a"))]).header("Content-Type", bytes));
    }
    answered(&plain().header("Host", "other.example").header("X-Forwarded-Host", "evil.example"));
    lives(hub);
}

fn hostile_targets_get_an_answer(hub: &Hub) {
    let path = hub.path();
    for target in [
        format!("{path}?match=%"),
        format!("{path}?match=%zz&%&%1"),
        format!("{path}?{}", "&".repeat(5_000)),
        format!("{path}?{}", "match=a&".repeat(2_000)),
        format!("{path}?match={}", "%F0%9F%98%80".repeat(200)),
        format!("{path}??match=a"),
        format!("{path}?match=a#fragment"),
        "/%FF%FE".to_owned(),
        "/%00".to_owned(),
        "//".to_owned(),
        "/../../etc/passwd".to_owned(),
        format!("{path}/%2e%2e/%2e%2e"),
        format!("/{}", "a/".repeat(4_000)),
    ] {
        answered(&hub.request("GET", &target));
        answered(&hub.request("POST", &target).body("topic=a"));
    }
    lives(hub);
}

fn hostile_bodies_get_an_answer(hub: &Hub) {
    let token = hub.anyone();
    for body in [
        vec![0; 1_000],
        vec![0xFF; 1_000],
        b"%".repeat(1_000),
        b"&=".repeat(100_000),
        b"topic=a&".repeat(100_000),
        b"topic".repeat(100_000),
        b"id=1&".repeat(1_000),
        b"topic=http://[::::&data=x".to_vec(),
        b"topic=//\\\\/@:&data=x".to_vec(),
        b"topic=%F0%9F%98%80&data=\xF0\x9F\x98\x80".to_vec(),
        br#"{"topic":"a"}"#.to_vec(),
    ] {
        answered(&hub.publication_of(body).bearer(&token));
    }
    lives(hub);
}

// A body that ends before its time is no publication.
fn broken_requests_do_not_reach_others(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let (path, token) = (hub.path(), hub.anyone());
    for request in [
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: 10000\r\n\r\ntopic={topic}&data=cut"
        ),
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Transfer-Encoding: chunked\r\n\r\n1000\r\ntopic={topic}&data=cut"
        ),
        "GET".to_owned(),
        "\r\n\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET {path} HTTP/1.1\r\nHost\r\n\r\n"),
        "\0\0\0\0".to_owned(),
    ] {
        let mut connection = Connection::open(&hub.endpoint).expect("the hub listens");
        connection.write(request.as_bytes()).expect("the hub takes what is sent");
    }
    super::expect_nothing_yet(hub, &mut stream, &topic);
    lives(hub);
}
