//! `command`: what an entry, perhaps of another version, sends to the holder of the log.

use cinnabar_core::{Command, CursorKey, Holder, Output, Place, StreamId, Timestamp};

use super::event::{self, Written};
use super::hub::{NOW, OPEN};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(command) = Command::from_bytes(bytes) else { return };
    assert_eq!(Command::from_bytes(&command.to_bytes()).as_ref(), Ok(&command));
    let _ = command.unavailable(NOW);
    match command {
        Command::Publish(publish) => {
            let _ = publish.accepted();
        }
        Command::List(list) => {
            let answer = list.answer(&list.begin(None));
            assert!(matches!(answer.response.status().as_u16(), 200 | 304 | 404));
        }
        Command::CheckHealth(check) => assert_eq!(check.healthy().response.status(), 200),
        Command::Subscribe(subscribe) => {
            let mut holder = Holder::new(&OPEN, CursorKey::from_bytes([5; 16]), Place::default());
            holder.handle_subscribe(StreamId::new(1), subscribe, Place::default(), NOW);
            outlive(&mut holder);
        }
    }
}

/// Lets time pass, with a reader that takes nothing and a log that answers nothing.
fn outlive(holder: &mut Holder) {
    let mut now = NOW;
    // A lifetime may be any number: most streams end, others go on.
    for _ in 0..100 {
        while let Some(output) = holder.poll_output() {
            if let Output::Write { bytes, .. } = output {
                assert!(!matches!(event::read(&bytes)[..], [Written::Update(_), ..]));
            }
        }
        let Some(at) = holder.poll_timeout() else {
            assert_eq!(holder.streams(), 0, "a stream that nothing will ever end");
            return;
        };
        if at == END_OF_TIME {
            return;
        }
        now = now.max(at);
        holder.handle_timeout(now);
        assert!(
            holder.poll_timeout().is_none_or(|next| next > now),
            "a timeout that is always due"
        );
    }
}

const END_OF_TIME: Timestamp = Timestamp::from_millis(u64::MAX);
