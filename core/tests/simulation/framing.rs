//! What a publisher sends is one event of a stream, and nothing else.

use proptest::prelude::*;

use crate::client::Client;
use crate::world::{NATIVE, World};

/// Text that would break a line, forge a field, or be invisible.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z :#*]{0,8}",
        Just("\r".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n\nid: forged\nevent: mercure\ndata: x\n\n".to_owned()),
        Just("\0\u{85}\u{2028}\u{feff}\u{200b}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_publication_is_one_event_or_refused(
        data in text(),
        id in prop_oneof!["[!-~]{1,12}", text()],
        event_type in prop_oneof![Just(String::new()), "[a-z]{1,8}", text()],
        retry in prop_oneof![Just(String::new()), "[0-9]{1,9}", text()],
    ) {
        let mut world = World::new(&[]);
        let stream = world.subscribe("match=*", &NATIVE);
        let mut client = Client::default();
        client.read(world.take_all(stream).concat().as_bytes());
        client.events.clear();

        let form = format!(
            "topic=a&data={}&id={}&type={}&retry={}",
            encoded(&data), encoded(&id), encoded(&event_type), encoded(&retry),
        );
        let Some(update) = world.try_publish(&form) else { return Ok(()) };
        world.sync(1);
        client.read(world.take_all(stream).concat().as_bytes());

        prop_assert_eq!(client.events.len(), 1, "{:?}", client.events);
        let event = &client.events[0];
        // A receiver joins lines with LF, however they ended.
        prop_assert_eq!(&event.data, &data.replace("\r\n", "\n").replace('\r', "\n"));
        prop_assert_eq!(&event.id, update.id().as_str());
        prop_assert_eq!(&event.event_type, &event_type);
        prop_assert_eq!(&client.last_event_id, &event.id);
    }

    #[test]
    fn a_cursor_forges_nothing(cursor in text()) {
        let mut world = World::new(&[("MAX_STREAMS", "1")]);
        world.subscribe("match=*", &[]);
        let stream = world.subscribe(&format!("match=*&last_event_id={}", encoded(&cursor)), &NATIVE);
        let answer = world.connection(stream).unavailable.clone().expect("the hub is full");
        let mut client = Client::default();
        client.read(answer.body());
        prop_assert!(client.updates().is_empty(), "{:?}", client.events);
        // Nothing, the cursor as it came, or an item of a list that could not be repeated whole.
        let told = client.last_event_id;
        let mut items = cursor.split(',').map(|item| item.trim_matches(' '));
        prop_assert!(told.is_empty() || told == cursor || items.any(|item| item == told));
    }
}
