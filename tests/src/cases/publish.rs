//! Publishing: how the request may be written, and what answer the publisher gets.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::hub::{Hub, fresh};
use crate::token::{Generation, detail};

pub(crate) const CASES: &[Case] = &[
    case!(the_answer_is_200_and_the_id_as_plain_text),
    case!(a_publishers_id_comes_back_byte_for_byte),
    case!(the_hubs_own_ids_are_random_uuids),
    case!(content_type_may_carry_a_charset_or_be_missing),
    case!(another_content_type_is_415),
    case!(a_body_may_be_chunked).needing(&[Capability::RawRequests]),
    case!(http_1_0_is_answered_without_chunks).needing(&[Capability::RawRequests]),
    case!(fields_may_come_in_any_order_and_pairs_may_be_empty),
    case!(plus_and_percent_20_are_spaces_and_a_stray_percent_is_itself),
    case!(a_publication_is_never_redirected).needing(&[Capability::WholeHost]),
    case!(no_token_is_401_without_an_error_code),
    case!(a_token_must_grant_every_topic),
    case!(a_subscribers_token_does_not_publish),
    case!(the_first_topic_is_the_canonical_one_and_all_are_dispatched),
    case!(the_token_is_checked_before_the_fields_and_the_fields_before_the_grants),
];

// draft-08, "Publication": the answer
fn the_answer_is_200_and_the_id_as_plain_text(hub: &Hub) {
    let answer = hub
        .granted(&[("topic", &fresh("a")), ("data", "x"), ("id", "my-id")])
        .send()
        .expect_status(200)
        .expect_header("Content-Type", "text/plain; charset=utf-8");
    assert_eq!(answer.body, b"my-id");
}

// One client parses the answer as the UUID that it sent.
fn a_publishers_id_comes_back_byte_for_byte(hub: &Hub) {
    for id in [
        "550e8400-e29b-41d4-a716-446655440000",
        "https://example.com/é?a=b&c=%20+#d",
        "in the middle",
        "Earliest",
        "a#b",
    ] {
        let topic = fresh("id");
        assert_eq!(hub.publish(&[("topic", &topic), ("id", id)]), id);
    }
}

// "Order, history, cursors": random, since ids are shown to people who may not read the update.
fn the_hubs_own_ids_are_random_uuids(hub: &Hub) {
    let topic = fresh("id");
    let publish = || hub.publish(&[("topic", &topic), ("data", "x")]);
    let ids = [publish(), publish()];
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let uuid = id.strip_prefix("urn:uuid:").unwrap_or_else(|| panic!("{id}"));
        let digits = uuid.bytes().filter(u8::is_ascii_hexdigit).count();
        assert_eq!((uuid.len(), digits), (36, 32), "{id}");
        assert_eq!(&uuid[14..15], "4", "the version of {id}");
    }
}

fn content_type_may_carry_a_charset_or_be_missing(hub: &Hub) {
    let request = || hub.granted(&[("topic", &fresh("a"))]).without_header("Content-Type");
    request().send().expect_status(200);
    for content_type in [
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "Application/X-WWW-Form-URLEncoded",
    ] {
        request().header("Content-Type", content_type).send().expect_status(200);
    }
}

fn another_content_type_is_415(hub: &Hub) {
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencodedx",
    ] {
        hub.granted(&[("topic", &fresh("a"))])
            .without_header("Content-Type")
            .header("Content-Type", content_type)
            .send()
            .expect_no_challenge(415);
    }
}

fn a_body_may_be_chunked(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let body = form::pairs(&[("topic", &topic), ("data", "in pieces")]);
    let (first, second) = body.as_bytes().split_at(7);
    hub.publication_of("").bearer(&hub.anyone()).chunks(&[first, second]).send().expect_status(200);
    stream.expect_data("in pieces");
}

// PHP's `file_get_contents` speaks HTTP/1.0.
fn http_1_0_is_answered_without_chunks(hub: &Hub) {
    let answer =
        hub.granted(&[("topic", &fresh("a")), ("id", "old")]).http_1_0().send().expect_status(200);
    assert_eq!(answer.header("Transfer-Encoding"), None, "{answer}");
    assert_eq!(answer.text(), "old");
}

fn fields_may_come_in_any_order_and_pairs_may_be_empty(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let topic = form::encode(&topic);
    for body in [
        format!("id=1&data=x&topic={topic}"),
        format!("data=x&topic={topic}&"),
        format!("&&topic={topic}&&data=x&&"),
        format!("unknown=1&%74opic={topic}&d%61ta=x&topic[0]=y&=z&w"),
    ] {
        hub.publication_of(body).bearer(&hub.anyone()).send().expect_status(200);
        stream.expect_data("x");
    }
}

// URL standard, "application/x-www-form-urlencoded parsing"
fn plus_and_percent_20_are_spaces_and_a_stray_percent_is_itself(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let body = format!("topic={}&data=a+b%20c%2Bd%zz%4", form::encode(&topic));
    hub.publication_of(body).bearer(&hub.anyone()).send().expect_status(200);
    stream.expect_data("a b c+d%zz%4");
}

// A redirected POST would become a GET without a body, or pass for a success.
fn a_publication_is_never_redirected(hub: &Hub) {
    let paths = [format!("{}/", hub.path()), format!("/{}", hub.path())];
    for path in paths {
        let answer = hub
            .request("POST", path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .bearer(&hub.anyone())
            .body(form::pairs(&[("topic", &fresh("a"))]))
            .send();
        assert!(matches!(answer.status, 200 | 404), "{answer}");
    }
}

// draft-08, "Error Responses"
fn no_token_is_401_without_an_error_code(hub: &Hub) {
    hub.publication(&[("topic", &fresh("a"))]).send().expect_challenge(401, None);
}

// draft-08, "Publishers": all of them, or the update is not dispatched
fn a_token_must_grant_every_topic(hub: &Hub) {
    let (granted, other) = (fresh("granted"), fresh("other"));
    for generation in Generation::BOTH {
        let token = hub.publisher(generation, &[&granted]);
        let mut stream = hub.subscribe(&granted);
        let fields: [&[(&str, &str)]; 4] = [
            &[("topic", &other)],
            &[("topic", &granted), ("topic", &other)],
            &[("topic", &other), ("topic", &granted)],
            &[("topic", &granted), ("topic", &other), ("private", "on")],
        ];
        for fields in fields {
            hub.publication(fields)
                .bearer(&token)
                .send()
                .expect_challenge(403, Some("insufficient_scope"));
        }
        hub.publication(&[("topic", &granted), ("data", "granted")])
            .bearer(&token)
            .send()
            .expect_status(200);
        stream.expect_data("granted");
    }
}

// draft-08, "Authorization Details": an action is granted by name
fn a_subscribers_token_does_not_publish(hub: &Hub) {
    let topic = fresh("a");
    hub.publication(&[("topic", &topic)])
        .bearer(&hub.publisher_v1(serde_json::json!([detail("subscribe", &["*"])])))
        .send()
        .expect_challenge(403, Some("insufficient_scope"));
}

// draft-08, "Publication", `topic`
fn the_first_topic_is_the_canonical_one_and_all_are_dispatched(hub: &Hub) {
    let (canonical, alternate) = (fresh("canonical"), fresh("alternate"));
    let mut streams = [hub.subscribe(&canonical), hub.subscribe(&alternate)];
    let id = hub.publish(&[("topic", &canonical), ("topic", &alternate), ("data", "x")]);
    for stream in &mut streams {
        assert_eq!(stream.event().id, id);
    }
}

// "Statuses": size, token, fields, grants; the size is shown in `limits`
fn the_token_is_checked_before_the_fields_and_the_fields_before_the_grants(hub: &Hub) {
    let bad = [("topic", "*")];
    hub.publication(&bad).send().expect_challenge(401, None);
    hub.publication(&bad).bearer("not.a.token").send().expect_challenge(401, Some("invalid_token"));
    let ungranted = hub.publisher(Generation::V1, &["https://example.com/other"]);
    hub.publication(&bad).bearer(&ungranted).send().expect_no_challenge(400);
}
