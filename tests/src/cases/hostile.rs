//! Bytes that no client means to send: each gets an answer, and the hub survives ("What it
//! promises": never a panic).

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::form;
use crate::http::{Connection, Request};
use crate::hub::{Hub, fresh};
use crate::token::{base64, header_v0, header_v1, sign, sign_bytes};

pub(crate) const CASES: &[Case] = &[
    case!(hostile_tokens_are_invalid),
    case!(hostile_header_fields_get_an_answer).needing(&[Capability::RawRequests]),
    case!(hostile_targets_get_an_answer).needing(&[Capability::RawRequests]),
    case!(hostile_bodies_get_an_answer),
    case!(broken_requests_do_not_reach_others).needing(&[Capability::RawRequests]),
    case!(no_request_is_smuggled_behind_another).needing(&[Capability::RawRequests]),
    case!(a_field_that_is_two_or_folded_counts_for_no_more).needing(&[Capability::RawRequests]),
    case!(a_field_cannot_hold_another),
    case!(patterns_that_cost_too_much_together_are_refused),
    case!(costly_patterns_and_templates_do_not_hold_up_others),
];

/// An answer that is about the request, rather than about a fault of the hub.
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
        // draft-08, "Authorization Details": a limit on the entries in a token
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

// A truncated body is not a publication.
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
    expect_nothing_yet(hub, &mut stream, &topic);
    lives(hub);
}

/// The status of the answer to these bytes; `None` if the hub closes the connection.
fn status(hub: &Hub, request: &str) -> Option<u16> {
    let mut connection = Connection::open(&hub.endpoint).expect("the hub listens");
    // The hub may close the connection during the write.
    let _ = connection.write(request.as_bytes());
    match connection.head() {
        Ok(head) => Some(head.status),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => panic!("{error}: {request}"),
        Err(_) => None,
    }
}

// RFC 9112, sections 6.1, 6.3 and 11.2: where two readers could disagree about where a body ends,
// the request is refused or read one way, and what follows never counts as a request with somebody
// else's token.
fn no_request_is_smuggled_behind_another(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let (path, token) = (hub.path(), hub.anyone());
    let smuggled = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    let body = format!("topic={topic}&data=smuggled");
    let lengths = |value: &str| format!("Content-Length: {value}\r\n");
    for (framing, body) in [
        (format!("{}Transfer-Encoding: chunked\r\n", lengths("6")), "0\r\n\r\n"),
        (format!("Transfer-Encoding: chunked\r\n{}", lengths("999")), "0\r\n\r\n"),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), body.as_str()),
        ("Transfer-Encoding: chunked, identity\r\n".to_owned(), "0\r\n\r\n"),
        ("Transfer-Encoding : chunked\r\n".to_owned(), body.as_str()),
        (format!("{}{}", lengths("0"), lengths("9")), body.as_str()),
        (lengths("-1"), body.as_str()),
        (lengths("+9"), body.as_str()),
        (lengths("0x9"), body.as_str()),
        (lengths("9, 9"), body.as_str()),
        (lengths("99999999999999999999"), body.as_str()),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "-1\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "ffffffffffffffffff\r\nx\r\n"),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "zz\r\n\r\n"),
    ] {
        // The smuggled request has no token of its own; it could only succeed with the first one's.
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{framing}\r\n{body}{smuggled}{body}"
        );
        let answer = status(hub, &request);
        assert!(answer.is_none_or(|status| status < 500), "{answer:?}: {request}");
        assert_ne!(answer, Some(200), "{request}");
    }
    expect_nothing_yet(hub, &mut stream, &topic);
    lives(hub);
}

fn a_field_that_is_two_or_folded_counts_for_no_more(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let (path, token) = (hub.path(), hub.anyone());
    let body = format!("topic={topic}&data=forged");
    for fields in [
        format!("Authorization: Bearer {token}\r\nAuthorization: Bearer x\r\n"),
        format!("Authorization: Bearer x\r\nAuthorization: Bearer {token}\r\n"),
        format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"),
        format!("Authorization : Bearer {token}\r\n"),
        format!("Authorization\t: Bearer {token}\r\n"),
        format!(" Authorization: Bearer {token}\r\n"),
        format!("Authorization Bearer: {token}\r\n"),
        format!("X-Authorization: Bearer {token}\r\n"),
        format!("Authorization_: Bearer {token}\r\n"),
        format!("X: y\r\n Authorization: Bearer {token}\r\n"),
        format!("X: y\rAuthorization: Bearer {token}\r\n"),
        format!("X: y\0Authorization: Bearer {token}\r\n"),
        format!("Authorization: Bearer {token}\0\r\n"),
        // Two media types are a form only if both are.
        format!(
            "Authorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Type: text/plain\r\n"
        ),
        format!(
            "Authorization: Bearer {token}\r\nContent-Type: text/plain\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        ),
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = status(hub, &request);
        assert!(answer.is_none_or(|status| (400..500).contains(&status)), "{answer:?}: {request}");
    }
    expect_nothing_yet(hub, &mut stream, &topic);
    lives(hub);
}

// draft-08, "Server-Sent Events Field Injection": nothing from a URL ends up in another field of
// the answer.
fn a_field_cannot_hold_another(hub: &Hub) {
    for cursor in
        ["x%0D%0ASet-Cookie:%20a=b", "x%0ASet-Cookie:%20a=b", "x%00", "x%C2%85Set-Cookie:%20a"]
    {
        for name in ["last_event_id", "lastEventID", "Last-Event-ID", "lastEventId"] {
            let stream = hub.subscription_by(&format!("topic=a&{name}={cursor}")).open();
            assert_eq!(stream.header("Set-Cookie"), None);
            assert_eq!(stream.header("Mercure-Last-Event-ID"), Some("earliest".to_owned()));
        }
    }
    for target in ["/x%0D%0ASet-Cookie:%20a=b", "/%0D%0A%0D%0A<script>"] {
        let answer = hub.request("GET", target).send();
        assert_eq!(answer.header("Set-Cookie"), None, "{answer}");
        assert!(!answer.text().contains("<script>"), "{answer}");
    }
}

fn patterns_that_cost_too_much_together_are_refused(hub: &Hub) {
    let query = |unit: &dyn Fn(usize) -> String| {
        let patterns: Vec<String> =
            (0..300).map(|number| form::pairs(&[("match_urlpattern", &unit(number))])).collect();
        patterns.join("&")
    };
    for unit in [
        &|number: usize| format!("/{number}/((?:a?){{25}}a{{25}})") as _,
        &|number: usize| format!("/{number}/((?:(?:a*)*)*b)") as _,
        &|number: usize| format!("/{number}/({})", "a?".repeat(40)) as _,
        &|number: usize| format!("/{number}{}", "{/:a(x*)*}?".repeat(5).replace(":a", "")) as _,
    ] as [&dyn Fn(usize) -> String; 4]
    {
        let request = hub.subscription_by(&query(unit));
        match request.start() {
            // Either within the bound, or refused.
            Ok((head, _)) => {
                assert!(matches!(head.status, 200 | 400), "{}: {request}", head.status)
            }
            Err(error) => panic!("{error} in answer to {request}"),
        }
    }
    hub.subscription_by(&query(&|number| format!("/{number}/((?:a?){{25}}a{{25}})")))
        .send()
        .expect_no_challenge(400);
    hub.subscription_by(&query(&|number| format!("/{number}/:id"))).open();
    lives(hub);
}

// An engine that backtracks would not end before the sun does.
fn costly_patterns_and_templates_do_not_hold_up_others(hub: &Hub) {
    let patterns = [
        ("match_urlpattern", "/((?:a+)+b)"),
        ("match_urlpattern", "/((?:a|aa|a?)*b)"),
        ("match_urlpattern", "/((?:.*a){20}b)"),
        ("match_urlpattern", "/:a(.*)(.*)(.*)(.*)b"),
    ];
    let (long, exploded) =
        (format!("{}!", "{+a}".repeat(1_000)), format!("{}!", "{a}{/b*}{?c*}".repeat(100)));
    let templates = [("topic", long.as_str()), ("topic", exploded.as_str()), ("topic", "/ab")];
    // What one subscriber may have of each.
    let mut streams = [&patterns[..], &templates].map(|matchers| hub.subscription(matchers).open());
    let long = format!("/{}", "a".repeat(4_000));
    hub.publish(&[("topic", &long), ("data", "matches none of them")]);
    hub.publish(&[("topic", "/ab"), ("data", "matches")]);
    for stream in &mut streams {
        stream.expect_data("matches");
    }
}
