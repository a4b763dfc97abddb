//! Clients in the field, as far as only the wire shows what they do: how they frame a request, what
//! a platform makes of a URL, and whole conversations. Their individual requests are vectors
//! (`core/tests/vectors/clients.json`).

use serde_json::{Value, json};

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::cors::LISTED;
use crate::cases::silence::expect_nothing_yet;
use crate::form;
use crate::http::{Connection, Request};
use crate::hub::{Hub, fresh};
use crate::stream::Stream;
use crate::token::{DETAIL, Generation, detail, header_v1, now, sign};

pub(crate) const CASES: &[Case] = &[
    case!(php_reads_an_answer_until_the_connection_ends).needing(&[Capability::RawRequests]),
    case!(dart_sends_a_form_in_chunks_with_a_charset).needing(&[Capability::RawRequests]),
    case!(curl_waits_for_leave_to_send_a_body).needing(&[Capability::RawRequests]),
    case!(dotnet_glues_the_path_to_a_slash).needing(&[Capability::WholeHost]),
    case!(turbo_names_classes_by_percent_encodings),
    case!(dart_encodes_nothing).needing(&[Capability::RawRequests]),
    case!(a_client_that_takes_gzip_gets_plain_events),
    case!(echo_joins_channels_and_whispers on LISTED).needing(&[Capability::Cookies]),
    case!(echo_renews_its_cookie on LISTED).needing(&[Capability::Cookies]),
    case!(echo_joins_a_hundred_presence_channels),
    case!(a_cookie_may_have_4_kib).needing(&[Capability::Cookies]),
    case!(a_page_opens_a_stream_a_record),
    case!(a_client_of_each_generation_shares_a_topic),
];

/// PHP's `file_get_contents` with a stream context, which reads the answer's body to the end of the
/// connection. The cases of [`super::talks`] use it too.
#[track_caller]
pub(super) fn php(hub: &Hub, version: &str, path: &str, token: &str, body: &str) -> String {
    let mut connection = Connection::open(&hub.endpoint).expect("the hub listens");
    let request = format!(
        "POST {path} {version}\r\nHost: {}\r\nConnection: close\r\n\
         Content-type: application/x-www-form-urlencoded\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        hub.endpoint.host,
        body.len()
    );
    connection.write(request.as_bytes()).expect("the hub takes what is sent");
    let head = connection.head().expect("an answer");
    assert_eq!(head.status, 200, "{:?}", head.headers);
    if version == "HTTP/1.0" {
        assert_eq!(head.header("Transfer-Encoding"), None, "HTTP/1.0 has no chunks");
    }
    let rest = connection.rest().expect("the answer ends with the connection");
    let rest = String::from_utf8(rest).expect("an id");
    match head.lists("Transfer-Encoding", "chunked") {
        // PHP decodes chunks; an id fits in one.
        true => rest.split("\r\n").nth(1).expect("a chunk").to_owned(),
        false => rest,
    }
}

/// The path of the hub in presence patterns.
fn presence(hub: &Hub, channel: &str, subscriber: &str) -> String {
    format!("{}/subscriptions/:match_type/{}{subscriber}", hub.path(), form::encode(channel))
}

/// Echo's main stream.
fn echo_stream(hub: &Hub, channels: &[&str], token: &str) -> Request {
    let query: Vec<String> =
        channels.iter().map(|channel| form::pairs(&[("match", channel)])).collect();
    hub.subscription_by(&query.join("&"))
        .native()
        .cookie("__Secure-mercure_access_token", token)
        .header("Origin", "https://app.example")
}

/// Echo's whisper: a form and a cookie, so that no preflight is needed.
fn whisper(hub: &Hub, topic: &str, data: &str, token: &str) -> Request {
    hub.request("POST", hub.path())
        .header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
        .header("Origin", "https://app.example")
        .cookie("__Secure-mercure_access_token", token)
        .body(form::pairs(&[("topic", topic), ("data", data), ("private", "on")]))
}

/// The next event that reaches a page.
#[track_caller]
fn message(stream: &mut Stream) -> String {
    loop {
        let event = stream.event();
        if event.event_type == "message" {
            return event.data;
        }
    }
}

fn php_reads_an_answer_until_the_connection_ends(hub: &Hub) {
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let body = form::pairs(&[("topic", &fresh("a")), ("id", "an id")]);
        assert_eq!(php(hub, version, hub.path(), &hub.anyone(), &body), "an id");
    }
}

// mercure_dart
fn dart_sends_a_form_in_chunks_with_a_charset(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let body = form::pairs(&[("topic", &topic), ("data", "ü"), ("id", "from dart")]);
    let answer = hub
        .request("POST", hub.path())
        .header("user-agent", "Dart/3.0 (dart:io)")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("accept-encoding", "gzip")
        .header("authorization", format!("Bearer {}", hub.anyone()))
        .chunks(&[body.as_bytes()])
        .send()
        .expect_status(200);
    assert_eq!(answer.text(), "from dart");
    stream.expect_data("ü");
}

// For longer bodies: curl and whatever is built on it; .NET.
fn curl_waits_for_leave_to_send_a_body(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let data = "x".repeat(2_000);
    let body = form::pairs(&[("topic", &topic), ("data", &data), ("id", "i")]);
    let mut connection = Connection::open(&hub.endpoint).expect("the hub listens");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nAccept: */*\r\n\
         Content-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Expect: 100-continue\r\n\r\n",
        hub.path(),
        hub.anyone(),
        body.len()
    );
    connection.write(head.as_bytes()).expect("the hub takes what is sent");
    // The client does not wait forever.
    connection.write(body.as_bytes()).expect("the hub takes what is sent");
    let mut answer = connection.head().expect("an answer");
    if answer.status == 100 {
        answer = connection.head().expect("another answer");
    }
    assert_eq!(answer.status, 200, "{:?}", answer.headers);
    stream.expect_data(&data);
}

// recomaty/mercure-publisher does not parse the answer to a redirect.
fn dotnet_glues_the_path_to_a_slash(hub: &Hub) {
    let answer = hub
        .request("POST", format!("/{}", hub.path()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .bearer(&hub.anyone())
        .body(form::pairs(&[("id", "i"), ("topic", &fresh("a")), ("data", "x")]))
        .send()
        .expect_status(200);
    assert_eq!(answer.text(), "i");
}

fn turbo_names_classes_by_percent_encodings(hub: &Hub) {
    let class = fresh("App%5CEntity%5CBook");
    let streams = [
        format!("topic={}", form::encode(format!("{class}/1"))),
        format!("topic={}", form::encode(format!("{class}/{{id}}"))),
        format!("match_urlpattern={}", form::encode(format!("{class}/:id"))),
    ];
    let mut streams = streams.map(|query| hub.subscription_by(&query).open());
    hub.publish(&[("topic", &class.replace("%5C", "\\")), ("data", "another")]);
    hub.publish(&[("topic", &format!("{class}/1")), ("data", "<turbo-stream>\n</turbo-stream>\n")]);
    for stream in &mut streams {
        stream.expect_data("<turbo-stream>\n</turbo-stream>\n");
    }
}

// dart_mercure
fn dart_encodes_nothing(hub: &Hub) {
    let (books, author) = (fresh("books"), fresh("authors/1"));
    let mut stream = hub.subscription_by(&format!("topic={books}/{{id}}&topic={author}&")).open();
    hub.publish(&[("topic", &format!("{books}/1")), ("data", "a book")]);
    hub.publish(&[("topic", &author), ("data", "an author")]);
    stream.expect_data("a book");
    stream.expect_data("an author");
}

// Compression would mean buffering.
fn a_client_that_takes_gzip_gets_plain_events(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub
        .subscription(&[("match", &topic)])
        .header("Accept-Encoding", "gzip, deflate, br")
        .open();
    assert_eq!(stream.header("Content-Encoding"), None);
    hub.publish(&[("topic", &topic), ("data", "plain")]);
    stream.expect_data("plain");
}

fn echo_joins_channels_and_whispers(hub: &Hub) {
    let (orders, private) = (fresh("channel/orders"), fresh("channel/private-orders.1"));
    let quiet = fresh("whisper/private-orders.1");
    let token = hub.subscriber_v1(json!([
        detail("subscribe", &[&private]),
        {
            "type": DETAIL,
            "actions": ["subscribe", "publish"],
            "topics": [{"match": quiet}],
            "payload": true,
        },
    ]));
    let mut page = echo_stream(hub, &[&orders, &private], &token).open();
    assert_eq!(page.header("Access-Control-Allow-Credentials"), Some("true".to_owned()));
    let mut whispers = echo_stream(hub, &[&quiet], &token).open();

    hub.publish(&[("topic", &private), ("private", "on"), ("data", "shipped")]);
    hub.publish(&[("topic", &orders), ("data", "sold")]);
    assert_eq!(message(&mut page), "shipped");
    assert_eq!(message(&mut page), "sold");

    // The suite's hub has a key for each role; here Echo's cookie is signed with the publishers'.
    let details = json!([detail("publish", &[&quiet])]);
    let publisher = hub.publisher_v1(details);
    whisper(hub, &quiet, "typing", &publisher)
        .send()
        .expect_status(200)
        .expect_header("Access-Control-Allow-Origin", "https://app.example");
    assert_eq!(message(&mut whispers), "typing");
    whisper(hub, &private, "forged", &publisher)
        .send()
        .expect_challenge(403, Some("insufficient_scope"))
        .expect_header("Access-Control-Allow-Origin", "https://app.example");
    whisper(hub, &quiet, "from elsewhere", &publisher)
        .without_header("Origin")
        .header("Origin", "https://evil.example")
        .send()
        .expect_no_challenge(403);
}

// Echo re-authenticates only on 401, and must be able to read it.
fn echo_renews_its_cookie(hub: &Hub) {
    let topic = fresh("whisper/a");
    let token = |exp: u64| {
        let mut claims = hub.claims_v1(json!([detail("publish", &[&topic])]));
        claims["exp"] = json!(exp);
        sign(&header_v1(), &claims, &hub.keys.publisher)
    };
    whisper(hub, &topic, "late", &token(now() - 1))
        .send()
        .expect_challenge(401, Some("invalid_token"))
        .expect_header("Access-Control-Allow-Origin", "https://app.example")
        .expect_header("Access-Control-Allow-Credentials", "true");
    whisper(hub, &topic, "again", &token(now() + 300)).send().expect_status(200);
}

// The most that one page can join, with two matchers a channel; its cookie holds fewer grants.
fn echo_joins_a_hundred_presence_channels(hub: &Hub) {
    let prefix = fresh("channel/presence-room");
    let channels: Vec<String> = (0..100).map(|number| format!("{prefix}.{number}")).collect();
    let matchers: Vec<String> = channels
        .iter()
        .map(|channel| {
            let pattern = presence(hub, channel, "/:subscriber");
            form::pairs(&[("match", channel), ("match_urlpattern", &pattern)])
        })
        .collect();
    let member = |channel: &String| {
        let pattern = presence(hub, channel, "{/:subscriber}?");
        json!({
            "type": DETAIL,
            "actions": ["subscribe"],
            "topics": [{"match": channel}, {"match": pattern, "match_type": "urlpattern"}],
            "payload": {"user_id": 7, "user_info": {"name": "Taylor"}},
        })
    };
    let details: Vec<Value> = channels[60..].iter().map(member).collect();
    let query = format!("{}&last_event_id=urn%3Auuid%3Aunknown", matchers.join("&"));
    let token = hub.subscriber_v1(json!(details));
    let mut stream = hub.subscription_by(&query).bearer(&token).open();
    for (channel, private) in [(&channels[0], None), (&channels[99], Some(("private", "on")))] {
        let fields = [("topic", channel.as_str()), ("data", channel)];
        let fields: Vec<(&str, &str)> = fields.into_iter().chain(private).collect();
        hub.publish(&fields);
        stream.expect_data(channel);
    }
}

// Browsers keep no larger cookie, name included.
fn a_cookie_may_have_4_kib(hub: &Hub) {
    let name = "__Secure-mercure_access_token";
    let prefix = fresh("channel");
    let token_of = |count: usize| {
        let topics: Vec<String> = (0..count).map(|number| format!("{prefix}/{number}")).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        hub.subscriber_v1(json!([detail("subscribe", &topics)]))
    };
    let fits = |count: &usize| name.len() + token_of(*count).len() <= 4_096;
    let count = (1..).take_while(fits).last().expect("one topic fits");
    let topic = format!("{prefix}/{}", count - 1);
    let mut stream = hub.subscription(&[("match", &topic)]).cookie(name, &token_of(count)).open();
    hub.publish(&[("topic", &topic), ("private", "on"), ("data", "x")]);
    stream.expect_data("x");
}

// API Platform's admin, UX Notify, Next: everything is closed and reopened at each update
fn a_page_opens_a_stream_a_record(hub: &Hub) {
    let topic = fresh("books");
    let open = || -> Vec<Stream> {
        let record = |number: u32| {
            let topic = format!("{topic}/{number}");
            hub.subscription(&[("topic", &topic)]).native().open()
        };
        (0..30).map(record).collect()
    };
    for round in ["first", "second"] {
        let mut streams = open();
        hub.publish(&[("topic", &format!("{topic}/29")), ("data", round)]);
        assert_eq!(message(&mut streams[29]), round);
    }
}

// Laravel's driver speaks 1.0, but its health check asks as 0.x does.
fn a_client_of_each_generation_shares_a_topic(hub: &Hub) {
    let topic = fresh("probe");
    let mut old = hub.subscription(&[("topic", &topic)]).open();
    let mut new = hub
        .subscription(&[("match", &topic)])
        .bearer(&hub.subscriber(Generation::V1, &[&topic]))
        .open();
    let publish = |generation: Generation, private: &[(&str, &str)], data: &str| {
        let fields = [&[("topic", topic.as_str()), ("data", data)], private].concat();
        hub.publication(&fields)
            .bearer(&hub.publisher(generation, &[&topic]))
            .send()
            .expect_status(200);
    };
    publish(Generation::V1, &[("private", "on")], "private");
    publish(Generation::V0, &[], "of 0.x");
    publish(Generation::V1, &[], "of 1.0");
    for data in ["of 0.x", "of 1.0"] {
        old.expect_data(data);
    }
    for data in ["private", "of 0.x", "of 1.0"] {
        new.expect_data(data);
    }
    expect_nothing_yet(hub, &mut old, &topic);
}
