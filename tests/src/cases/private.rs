//! Private updates: who gets them, live and replayed.

use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(crate) const CASES: &[Case] = &[
    case!(a_grant_of_the_topic_is_needed_live),
    case!(a_grant_of_the_topic_is_needed_in_a_replay),
    case!(a_grant_of_any_of_the_topics_is_enough),
    case!(a_grant_selects_nothing),
    case!(a_wildcard_grant_covers_all),
    case!(parameters_and_tokens_of_both_generations_go_together),
    case!(a_grant_to_publish_does_not_read),
];

// draft-08, "Subscribers"
fn a_grant_of_the_topic_is_needed_live(hub: &Hub) {
    for generation in Generation::BOTH {
        let topic = fresh("Private");
        let (prefix, upper) = (format!("{topic}/"), topic.to_uppercase());
        let open = |topics: &[&str]| {
            hub.subscription(&[("match", &topic)])
                .bearer(&hub.subscriber(generation, topics))
                .open()
        };
        let mut entitled = [open(&[&topic]), open(&["x", &topic])];
        let mut others = [hub.subscribe(&topic), open(&["x"]), open(&[&prefix, &upper])];
        let id = hub.publish(&[("topic", &topic), ("data", "secret"), ("private", "on")]);
        for stream in &mut entitled {
            assert_eq!(stream.expect_data("secret"), id);
        }
        let next = hub.publish(&[("topic", &topic), ("data", "public")]);
        for stream in &mut others {
            assert_eq!(stream.expect_data("public"), next);
        }
    }
}

// draft-08, "Authorization on Event Replay": by the reader's token now, not by one it had before
fn a_grant_of_the_topic_is_needed_in_a_replay(hub: &Hub) {
    let topic = fresh("private");
    hub.publish(&[("topic", &topic), ("data", "secret"), ("private", "on")]);
    hub.publish(&[("topic", &topic), ("data", "public")]);
    let replay = || hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]);

    replay().open().expect_data("public");
    for generation in Generation::BOTH {
        let other = hub.subscriber(generation, &["https://example.com/other"]);
        replay().bearer(&other).open().expect_data("public");
        let mut entitled = replay().bearer(&hub.subscriber(generation, &[&topic])).open();
        entitled.expect_data("secret");
        entitled.expect_data("public");
    }
}

// draft-08, "Private Update Audience": the union of the audiences of its topics
fn a_grant_of_any_of_the_topics_is_enough(hub: &Hub) {
    let (canonical, alternate) = (fresh("book"), fresh("users/42/book"));
    for generation in Generation::BOTH {
        for granted in [&canonical, &alternate] {
            for selected in [&canonical, &alternate] {
                let mut stream = hub
                    .subscription(&[("match", selected)])
                    .bearer(&hub.subscriber(generation, &[granted]))
                    .open();
                hub.publish(&[
                    ("topic", &canonical),
                    ("topic", &alternate),
                    ("private", "on"),
                    ("data", "both"),
                ]);
                stream.expect_data("both");
            }
        }
    }
}

// draft-08, "Authorization": routing is independent of authorization
fn a_grant_selects_nothing(hub: &Hub) {
    let (selected, granted) = (fresh("selected"), fresh("granted"));
    for generation in Generation::BOTH {
        let mut stream = hub
            .subscription(&[("match", &selected)])
            .bearer(&hub.subscriber(generation, &[&granted]))
            .open();
        hub.publish(&[("topic", &granted), ("private", "on")]);
        hub.publish(&[("topic", &granted)]);
        expect_nothing_yet(hub, &mut stream, &selected);
    }
}

fn a_wildcard_grant_covers_all(hub: &Hub) {
    let topic = fresh("private");
    for generation in Generation::BOTH {
        let mut stream = hub
            .subscription(&[("match", &topic)])
            .bearer(&hub.subscriber(generation, &["*"]))
            .open();
        hub.publish(&[("topic", &topic), ("private", "on"), ("data", "secret")]);
        stream.expect_data("secret");
    }
}

// "Two protocol generations": parameters select, and the token's kind alone decides its grants
fn parameters_and_tokens_of_both_generations_go_together(hub: &Hub) {
    for generation in Generation::BOTH {
        let (a, b) = (fresh("a"), fresh("b"));
        let token = hub.subscriber(generation, &[&a, &b]);
        let selections: [&[(&str, &str)]; 3] =
            [&[("topic", &a)], &[("match", &a)], &[("topic", &b), ("match", &a)]];
        for parameters in selections {
            let request = hub.subscription(parameters);
            let mut stream = request.clone().bearer(&token).open();
            hub.publish(&[("topic", &a), ("private", "on"), ("data", "secret")]);
            stream.expect_data("secret");
            request.bearer("no.valid.token").send().expect_challenge(401, Some("invalid_token"));
        }
        hub.subscription(&[]).bearer(&token).send().expect_no_challenge(400);
    }
}

fn a_grant_to_publish_does_not_read(hub: &Hub) {
    let topic = fresh("private");
    let tokens = [
        hub.subscriber_v0(serde_json::json!({"mercure": {"publish": ["*"]}})),
        hub.subscriber_v1(serde_json::json!([crate::token::detail("publish", &["*"])])),
    ];
    for token in tokens {
        let mut stream = hub.subscription(&[("match", &topic)]).bearer(&token).open();
        hub.publish(&[("topic", &topic), ("private", "on")]);
        expect_nothing_yet(hub, &mut stream, &topic);
    }
}
