//! `framing.json`: from an update to the bytes of its frame.
//!
//! `given` is an update, `expected` everything that a stream subscribed to every topic then writes.

use cinnabar_core::{Admission, Command};

use super::check::check;
use super::request::Exchange;
use super::stream::{UpdateText, watch};

#[test]
fn frames() {
    check::<Exchange, UpdateText, String, _>(include_str!("framing.json"), |scene, given| {
        let Admission::Forward(Command::Subscribe(subscribe)) = scene.admit() else {
            panic!("the scene is not a subscription");
        };
        let seen = watch(subscribe, &scene.config(), scene.now(), &[], std::slice::from_ref(given));
        assert_eq!(seen.writes.len(), 1, "one update per write");
        String::from_utf8(seen.writes.concat()).expect("event streams are UTF-8")
    });
}
