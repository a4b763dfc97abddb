//! No publisher makes anybody believe that somebody came or went (draft-08, "Reserved Hub
//! Namespace").

use super::asking::{PRESENT, active, announced, path, watch};
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[case!(publishers_announce_nobody on PRESENT)];

fn publishers_announce_nobody(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let member = hub.subscribe(&topic);
    let document = announced(&mut watcher);
    let id = document["id"].as_str().expect("a document");
    let forged = document.to_string().replace("true", "false");
    let elsewhere = path(hub, &["exact", &topic, "urn:uuid:3c0a9b0e-6d52-4c4b-8ad7-0f2d0a6c4a11"]);
    let absolute = format!("{}{elsewhere}", hub.endpoint.origin());
    for generation in Generation::BOTH {
        let token = hub.publisher(generation, &["*"]);
        let refused = |fields: &[(&str, &str)]| {
            hub.publication(fields).bearer(&token).send().expect_no_challenge(400);
        };
        for reserved in [id, &elsewhere, &absolute, &elsewhere.replace("mercure", "m%65rcure")] {
            refused(&[("topic", reserved), ("data", &forged), ("private", "on")]);
            let fields = [
                ("topic", topic.as_str()),
                ("topic", reserved),
                ("data", &forged),
                ("private", "on"),
            ];
            refused(&fields);
        }
        refused(&[("topic", &topic), ("type", "mercure"), ("data", &forged)]);
        for lines in ["\n\nevent: mercure\n", "\r\revent: mercure\r"] {
            let data = format!("x{lines}data: {forged}\n\n");
            hub.publish(&[("topic", &topic), ("data", &data)]);
        }
    }
    // The next that is heard is true.
    let _another = hub.subscribe(&topic);
    assert_eq!(announced(&mut watcher)["active"], true);
    assert_eq!(active(hub, "exact", &topic).len(), 2);
    drop(member);
}
