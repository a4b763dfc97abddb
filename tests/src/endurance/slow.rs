//! A reader on a slow line.

use std::thread;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::padding::padded;
use super::patience::PATIENCE;
use crate::form;
use crate::hub::{Hub, fresh};

/// How many bytes a second it reads.
const RATE: u32 = 100_000;
/// The most bytes that it reads at once.
const SHARE: usize = 5_000;
/// What the kernel may hold for it: far less than the update, so that the hub has to wait.
const RECEIVE_BUFFER: usize = 32 * 1024;

/// An update of the largest size, and three that are published right after it, reach a reader that
/// needs seconds to read the first.
pub(super) fn a_slow_reader_receives_the_largest_update_and_the_next_ones(hub: &Hub) {
    let topic = fresh("slow");
    let reader = Connection::open(hub, &[("match", &topic)], Some(RECEIVE_BUFFER)).unwrap();
    let mut reader = reader.opened(PATIENCE).unwrap();
    let first = hub.publish(&[("topic", &topic), ("data", "the first")]);
    assert_eq!(reader.event(PATIENCE).unwrap().id, first);

    let around = form::pairs(&[("topic", &topic), ("data", "")]).len();
    let largest = hub.limits.max_request_body_size.min(hub.limits.max_update_size) - around;
    let sizes = [largest, 10, 100_000, 0];
    let publish = |(number, size): (usize, usize)| {
        let data = padded(&number.to_string(), size);
        (hub.publish(&[("topic", &topic), ("data", &data)]), data)
    };
    let published: Vec<_> = (0..).zip(sizes).map(publish).collect();

    for (id, data) in published {
        let event = loop {
            if let Some(event) = reader.decoded_event() {
                break event;
            }
            read_slowly(&mut reader);
        };
        assert_eq!(event.id, id);
        assert!(event.data == data, "the {} bytes of {id}", data.len());
    }
}

/// Reads once, taking as long as a slow line would.
fn read_slowly(reader: &mut Connection) {
    let began = Instant::now();
    let length = reader.read(&mut [0; SHARE], PATIENCE).expect("the reader is slow, not gone");
    let due = Duration::from_secs(1) * u32::try_from(length).unwrap() / RATE;
    thread::sleep(due.saturating_sub(began.elapsed()));
}
