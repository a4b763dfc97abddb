//! Pages that list who is here.

use serde_json::json;

use super::cookies::set_cookie;
use super::hosts::{USERS, target, variables};
use super::page::{Page, Subscriber};
use super::process::Browser;

use crate::arguments::Capability;
use crate::case::Suite;
use crate::form;
use crate::hub::{Hub, fresh};
use crate::token::{DETAIL, Generation};

/// A page of a member of a room, whose token names it.
#[track_caller]
fn enter<'a>(browser: &'a Browser, hub: &Hub, host: &str, room: &str, name: &str) -> Page<'a> {
    let members = format!("{}/subscriptions/:match_type/{}", hub.path(), form::encode(room));
    let pattern = format!("{members}{{/:subscriber}}?");
    let token = hub.subscriber_v1(json!([{
        "type": DETAIL,
        "actions": ["subscribe"],
        "topics": [{"match": room}, {"match": pattern, "match_type": "urlpattern"}],
        "payload": {"name": name},
    }]));
    let events = format!("{members}/:subscriber");
    let query = form::pairs(&[("match", room), ("match_urlpattern", &events)]);
    let (port, encoded) = (hub.endpoint.port, form::encode(room));
    let presence = format!("http://{host}:{port}{}/subscriptions/exact/{encoded}", hub.path());
    let subscriber = Subscriber {
        hub: target(hub, host, port, &query),
        presence: Some(presence),
        cookies: vec![set_cookie(hub, Generation::V1, &token)],
        ..Subscriber::default()
    };
    browser.visit(host, &subscriber)
}

// draft-08, "Active Subscriptions"
pub(super) fn pages_list_who_is_here(suite: &Suite, browser: &Browser) {
    let present = variables(browser, &[("SUBSCRIPTIONS", "1"), ("HEARTBEAT", "500ms")]);
    let hub = suite.launch(present);
    let room = fresh("room");
    let fay = enter(browser, &hub, USERS[5], &room, "Fay");
    fay.wait_for(&["Fay"]);
    let gus = enter(browser, &hub, USERS[6], &room, "Gus");
    gus.wait_for(&["Fay", "Gus"]);
    fay.wait_for(&["Fay", "Gus"]);
    drop(gus);
    if hub.has(Capability::Disconnects) {
        fay.wait_for(&["Fay"]);
    }
}
