//! Replay, then live: every entitled update once, in order, whatever happens in between.

use std::collections::BTreeMap;
use std::time::Duration;

use cinnabar_core::Position;
use cinnabar_core::StreamId;
use proptest::prelude::*;

use crate::client::Client;
use crate::world::{NATIVE, World, subscriber};

/// What may happen, in any order.
#[derive(Clone, Copy, Debug)]
enum Step {
    Publish { topic: u8, private: bool, long: bool },
    Sync { count: usize },
    AnswerLog,
    FailLog,
    Take { reader: usize },
    Disconnect { reader: usize },
    Connect { reader: usize },
    Pass { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u8, any::<bool>(), any::<bool>())
            .prop_map(|(topic, private, long)| Step::Publish { topic, private, long }),
        4 => (1..5usize).prop_map(|count| Step::Sync { count }),
        4 => Just(Step::AnswerLog),
        1 => Just(Step::FailLog),
        8 => (0..4usize).prop_map(|reader| Step::Take { reader }),
        1 => (0..4usize).prop_map(|reader| Step::Disconnect { reader }),
        3 => (0..4usize).prop_map(|reader| Step::Connect { reader }),
        1 => (1..40_000u64).prop_map(|millis| Step::Pass { millis }),
    ]
}

/// A reader that comes back whenever its stream ends.
struct Reader {
    native: bool,
    may_read_private: bool,
    client: Client,
    stream: Option<StreamId>,
    /// The holder's position at each of its connections.
    stood: BTreeMap<StreamId, u64>,
    /// The position after which it is owed updates; `None` until it has been told a place.
    owed_from: Option<u64>,
}

impl Reader {
    fn new(native: bool, may_read_private: bool) -> Self {
        Self {
            native,
            may_read_private,
            client: Client::default(),
            stream: None,
            stood: BTreeMap::new(),
            // A reader that is not native starts from the beginning until it has an id.
            owed_from: (!native).then_some(0),
        }
    }

    fn connect(&mut self, world: &mut World) {
        if self.stream.is_some_and(|stream| world.connection(stream).ended.is_none()) {
            return;
        }
        self.drain_ended(world);
        let token = format!(
            "Bearer {}",
            subscriber(&serde_json::json!({"mercure": {"subscribe": ["/topics/0", "/topics/1"]}}))
        );
        let cookie = format!("mercureAuthorization={}", token.trim_start_matches("Bearer "));
        let mut fields: Vec<(&str, &str)> = Vec::new();
        if self.native {
            fields.extend(NATIVE);
        }
        if self.may_read_private {
            fields.push(("cookie", &cookie));
        }
        let cursor = match self.client.last_event_id.as_str() {
            "" if self.native => None,
            "" => Some("earliest".to_owned()),
            id => Some(id.to_owned()),
        };
        if let Some(cursor) = &cursor {
            fields.push(("last-event-id", cursor));
        }
        self.client.reconnect();
        let stood = world.holder.position().get();
        let stream = world.begin("topic=/topics/0&topic=/topics/2&topic=/topics/1", &fields);
        self.stood.insert(stream, stood);
        self.stream = Some(stream);
    }

    /// Reads what a stream that ended cleanly still holds.
    fn drain_ended(&mut self, world: &mut World) {
        while self.take(world) {}
    }

    fn take(&mut self, world: &mut World) -> bool {
        let Some(stream) = self.stream else { return false };
        let Some(chunk) = world.take(stream) else { return false };
        self.client.read(&chunk);
        if self.owed_from.is_none() && !self.client.last_event_id.is_empty() {
            self.owed_from = Some(self.stood[&stream]);
        }
        true
    }

    fn disconnect(&mut self, world: &mut World) {
        if let Some(stream) = self.stream.take() {
            world.leave(stream);
        }
    }

    /// The updates it must have read in the end.
    fn owed(&self, world: &World) -> Vec<String> {
        let Some(from) = self.owed_from else { return Vec::new() };
        let entitled = |private: bool, topic: &str| {
            !private || (self.may_read_private && topic != "/topics/2")
        };
        world
            .log
            .between(Position::new(from), world.log.end())
            .map(|appended| appended.update)
            .filter(|update| entitled(update.is_private(), update.topics()[0].as_str()))
            .map(|update| update.data().trim_end_matches('.').to_owned())
            .collect()
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(&[
        ("HEARTBEAT", "10s"),
        ("STREAM_LIFETIME", "60s"),
        ("MAX_UPDATE_SIZE", "400"),
        ("OUTBOX_SIZE", "500"),
        ("OUTBOXES_SIZE", "1300"),
    ]);
    let mut readers = [
        Reader::new(true, true),
        Reader::new(true, false),
        Reader::new(false, true),
        Reader::new(false, false),
    ];
    for step in steps {
        match *step {
            Step::Publish { topic, private, long } => {
                let number = world.log.end().get();
                let private = if private { "&private=on" } else { "" };
                let padding = if long { ".".repeat(250) } else { String::new() };
                world.publish(&format!("topic=/topics/{topic}&data={number}{padding}{private}"));
            }
            Step::Sync { count } => world.sync(count),
            Step::AnswerLog => world.answer_one(),
            Step::FailLog => world.fail_one(),
            Step::Take { reader } => {
                readers[reader].take(&mut world);
            }
            Step::Disconnect { reader } => readers[reader].disconnect(&mut world),
            Step::Connect { reader } => readers[reader].connect(&mut world),
            Step::Pass { millis } => world.pass(Duration::from_millis(millis)),
        }
    }
    // Let everything settle: all is durable, the log answers, the readers read.
    world.sync(usize::MAX);
    for reader in &mut readers {
        for _ in 0..200 {
            reader.connect(&mut world);
            world.answer_all();
            while reader.take(&mut world) {
                world.answer_all();
            }
        }
        let expected = reader.owed(&world);
        let read: Vec<&str> =
            reader.client.updates().iter().map(|update| update.trim_end_matches('.')).collect();
        prop_assert_eq!(read, expected, "native: {}", reader.native);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_entitled_update_once_and_in_order(steps in proptest::collection::vec(step(), 1..150)) {
        run(&steps)?;
    }
}
