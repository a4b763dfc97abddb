//! The fields of a publication, one by one (draft-08, "Publication").

use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::form;
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(crate) const CASES: &[Case] = &[
    case!(a_topic_is_needed),
    case!(an_empty_topic_beside_others_is_dropped),
    case!(topics_are_any_text_compared_as_it_is),
    case!(the_wildcard_is_no_topic),
    case!(the_reserved_namespace_is_refused_however_it_is_spelt),
    case!(what_only_resembles_the_reserved_namespace_is_accepted),
    case!(control_and_format_characters_are_refused),
    case!(other_unusual_characters_are_accepted),
    case!(invalid_utf_8_is_refused),
    case!(data_may_be_empty_or_missing),
    case!(any_presence_of_private_makes_an_update_private),
    case!(other_names_do_not_make_it_private),
    case!(ids_of_the_hubs_own_are_refused),
    case!(the_event_type_of_the_hubs_own_is_refused),
    case!(the_reconnection_time_is_ascii_digits),
    case!(empty_fields_are_absent),
    case!(the_first_of_several_counts),
];

#[track_caller]
fn refused(hub: &Hub, fields: &[(&str, &str)]) {
    hub.granted(fields).send().expect_no_challenge(400);
}

#[track_caller]
fn refused_body(hub: &Hub, body: impl Into<Vec<u8>>) {
    hub.publication_of(body).bearer(&hub.anyone()).send().expect_no_challenge(400);
}

fn a_topic_is_needed(hub: &Hub) {
    refused(hub, &[("data", "x")]);
    refused(hub, &[("topic", "")]);
    refused(hub, &[("topic", ""), ("topic", "")]);
    refused(hub, &[("Topic", "a")]);
    refused_body(hub, "");
    refused_body(hub, "topic");
}

// The reference UI splits its topics at line breaks, and also sends whatever follows the last one.
fn an_empty_topic_beside_others_is_dropped(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    hub.publish(&[("topic", ""), ("topic", &topic), ("topic", ""), ("data", "x")]);
    stream.expect_data("x");
}

// draft-08, "Exact Matching": byte for byte, after one decoding
fn topics_are_any_text_compared_as_it_is(hub: &Hub) {
    let unique = fresh("");
    for name in ["App%5CEntity", "a,b", "é", "e\u{301}", "{id}", "A", "a%2Fb", "a/b", "%"] {
        let topic = format!("{unique}{name}");
        let mut stream = hub.subscribe(&topic);
        hub.publish(&[("topic", &topic), ("data", name)]);
        stream.expect_data(name);
    }
    // Relative topics and plain strings are topics too.
    let plain = format!("/{}", unique.replace("https://example.com/", ""));
    let mut stream = hub.subscribe(&plain);
    hub.publish(&[("topic", &plain), ("data", "relative")]);
    stream.expect_data("relative");
}

fn the_wildcard_is_no_topic(hub: &Hub) {
    refused(hub, &[("topic", "*")]);
    refused(hub, &[("topic", &fresh("a")), ("topic", "*")]);
}

// draft-08, "Publication", `topic`, and "Reserved Hub Namespace"
fn the_reserved_namespace_is_refused_however_it_is_spelt(hub: &Hub) {
    let path = hub.path();
    let (parent, name) = path.rsplit_once('/').expect("the path is absolute");
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let upper: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for topic in [
        path.to_owned(),
        format!("{path}/"),
        format!("{path}/subscriptions/exact/a/b"),
        format!("{path}?query"),
        format!("{path}#fragment"),
        hub.url(),
        format!("{}/subscriptions", hub.url()),
        format!("https://other.example{path}/subscriptions/x"),
        format!("https://user:password@other.example:8443{path}?x#y"),
        format!("//other.example{path}"),
        format!("ftp://other.example{path}/x"),
        format!("urn:{path}/x"),
        format!("{parent}/{encoded}"),
        format!("{parent}/{upper}/x"),
        format!("https://other.example{parent}/{encoded}/x"),
        format!("{path}/../{name}/x"),
        format!("{path}/x/%2e%2E/y"),
        format!("{parent}/./{name}"),
        format!("{parent}/x/%2e%2e/{name}"),
        format!("/x/y/../..{path}"),
        format!("/../..{path}"),
        path.replace('/', "\\"),
        format!("https:\\\\other.example{}", path.replace('/', "\\")),
        format!(" {path}/x"),
        format!("{path} "),
        // Relative to the hub's URL.
        name.to_owned(),
        format!("./{name}/x"),
        format!("{name}?x"),
        "?query".to_owned(),
        "#fragment".to_owned(),
    ] {
        refused(hub, &[("topic", &topic)]);
        refused(hub, &[("topic", &fresh("a")), ("topic", &topic), ("private", "on")]);
    }
}

// The same: what remains after resolving is another path, or could not name one
fn what_only_resembles_the_reserved_namespace_is_accepted(hub: &Hub) {
    let path = hub.path();
    let (parent, name) = path.rsplit_once('/').expect("the path is absolute");
    for topic in [
        format!("{path}x"),
        format!("{path}%2Fx"),
        format!("{path}/../x"),
        format!("{path}/%2e%2e/x"),
        format!("{parent}/%25{:02x}{}", name.as_bytes()[0], &name[1..]),
        path.to_uppercase(),
        format!("/x{path}"),
        format!("https://example.com/?{path}"),
        format!("https://example.com/#{path}/x"),
        format!("urn:x{path}"),
        format!("http://[{path}"),
        format!("https://{path}:x/"),
    ] {
        hub.granted(&[("topic", &topic)]).send().expect_status(200);
    }
}

// draft-08, "Terminology", Topic; "Publication", `id` and `type`
fn control_and_format_characters_are_refused(hub: &Hub) {
    for character in [
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{1F}',
        '\u{7F}',
        '\u{80}',
        '\u{85}',
        '\u{9F}',
        '\u{AD}',
        '\u{600}',
        '\u{61C}',
        '\u{6DD}',
        '\u{70F}',
        '\u{8E2}',
        '\u{180E}',
        '\u{200B}',
        '\u{200E}',
        '\u{202A}',
        '\u{202E}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{FEFF}',
        '\u{FFF9}',
        '\u{110BD}',
        '\u{13430}',
        '\u{1BCA0}',
        '\u{1D173}',
        '\u{E0001}',
        '\u{E0020}',
    ] {
        let (topic, value) = (fresh("a"), format!("a{character}b"));
        refused(hub, &[("topic", &value)]);
        refused(hub, &[("topic", &topic), ("topic", &value)]);
        refused(hub, &[("topic", &topic), ("id", &value)]);
        refused(hub, &[("topic", &topic), ("type", &value)]);
    }
}

fn other_unusual_characters_are_accepted(hub: &Hub) {
    for character in [' ', '\u{A0}', '\u{2028}', '\u{2029}', '\u{3000}', '\u{E000}', '\u{10FFFF}'] {
        let topic = fresh(&format!("a{character}b"));
        let id = format!("{topic}{character}id");
        let mut stream = hub.subscribe(&topic);
        hub.publish(&[("topic", &topic), ("id", &id), ("type", &format!("t{character}u"))]);
        assert_eq!(stream.event().id, id);
    }
}

// draft-08, "Publication": names and values MUST be UTF-8; nothing is replaced by U+FFFD
fn invalid_utf_8_is_refused(hub: &Hub) {
    for invalid in ["%FF", "a%C3", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E2%82"] {
        refused_body(hub, format!("topic=a{invalid}"));
        refused_body(hub, format!("topic=a&data={invalid}"));
        refused_body(hub, format!("topic=a&id={invalid}"));
        refused_body(hub, format!("topic=a&type={invalid}"));
        refused_body(hub, format!("topic=a&unknown={invalid}"));
        refused_body(hub, format!("topic=a&{invalid}=x"));
    }
    refused_body(hub, b"topic=a&data=\xFF".to_vec());
}

fn data_may_be_empty_or_missing(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let fields: [&[(&str, &str)]; 2] = [&[("topic", &topic)], &[("topic", &topic), ("data", "")]];
    for fields in fields {
        let id = hub.publish(fields);
        assert_eq!(stream.expect_data(""), id);
    }
    hub.publication_of(format!("data&topic={}", form::encode(&topic)))
        .bearer(&hub.anyone())
        .send()
        .expect_status(200);
    stream.expect_data("");
}

// draft-08, "Publication", `private`; `private[]` is what PHP sends, and means
fn any_presence_of_private_makes_an_update_private(hub: &Hub) {
    let topic = fresh("a");
    let mut anonymous = hub.subscribe(&topic);
    let mut entitled = hub
        .subscription(&[("match", &topic)])
        .bearer(&hub.subscriber(Generation::V1, &[&topic]))
        .open();
    for field in [
        "private=on",
        "private=1",
        "private=true",
        "private=false",
        "private=0",
        "private=",
        "private",
        "private=%00",
        "%70rivate=on",
        "private[]=on",
        "private%5B%5D=on",
        "private=off&private=no",
    ] {
        let body = format!("topic={}&data={}&{field}", form::encode(&topic), form::encode(field));
        hub.publication_of(body).bearer(&hub.anyone()).send().expect_status(200);
        entitled.expect_data(field);
    }
    expect_nothing_yet(hub, &mut anonymous, &topic);
}

fn other_names_do_not_make_it_private(hub: &Hub) {
    let topic = fresh("a");
    let mut anonymous = hub.subscribe(&topic);
    for field in ["Private", "PRIVATE", "privat", " private", "unknown"] {
        hub.publish(&[("topic", &topic), ("data", field), (field, "on")]);
        anonymous.expect_data(field);
    }
}

fn ids_of_the_hubs_own_are_refused(hub: &Hub) {
    for id in ["#", "#1", "earliest"] {
        refused(hub, &[("topic", &fresh("a")), ("id", id)]);
    }
}

// draft-08, "Reserved Hub Namespace": the event type is reserved the same way
fn the_event_type_of_the_hubs_own_is_refused(hub: &Hub) {
    let topic = fresh("a");
    refused(hub, &[("topic", &topic), ("type", "mercure")]);
    let mut stream = hub.subscribe(&topic);
    for event_type in ["Mercure", "mercure ", "message", "é"] {
        hub.publish(&[("topic", &topic), ("type", event_type)]);
        assert_eq!(stream.event().event_type, event_type);
    }
}

fn the_reconnection_time_is_ascii_digits(hub: &Hub) {
    let topic = fresh("a");
    for retry in [
        "x",
        "-1",
        "+1",
        "1.5",
        "1e3",
        " 1",
        "1 ",
        "1x",
        "0x10",
        "١",
        "１",
        "1\n",
        "2147483648",
        "4294967296",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        refused(hub, &[("topic", &topic), ("retry", retry)]);
    }
    let mut stream = hub.subscribe(&topic);
    for (retry, millis) in [("0", 1000), ("1500", 1500), ("2147483647", 2_147_483_647)] {
        hub.publish(&[("topic", &topic), ("retry", retry)]);
        stream.event();
        assert_eq!(stream.retry(), Some(millis));
    }
}

// The reference UI sends `id=&type=&retry=`.
fn empty_fields_are_absent(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let id = hub.publish(&[("topic", &topic), ("id", ""), ("type", ""), ("retry", "")]);
    assert!(id.starts_with("urn:uuid:"), "{id}");
    let event = stream.event();
    assert_eq!((event.event_type.as_str(), event.id), ("message", id));
    assert_eq!(stream.retry(), None);
}

fn the_first_of_several_counts(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let mut fields = vec![("topic", topic.as_str())];
    let (first, second) = (fresh("id"), fresh("id"));
    fields.extend([("id", first.as_str()), ("data", "1"), ("type", "t1"), ("retry", "1001")]);
    fields.extend([("id", second.as_str()), ("data", "2"), ("type", "t2"), ("retry", "1002")]);
    assert_eq!(hub.publish(&fields), first);
    let event = stream.event();
    assert_eq!((event.data.as_str(), event.event_type.as_str()), ("1", "t1"));
    assert_eq!(stream.retry(), Some(1001));
}
