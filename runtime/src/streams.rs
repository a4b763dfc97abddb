//! A handle on the task that owns all streams of this process.

use std::sync::Arc;

use cinnabar_core::{Config, Subscribe, Timestamp};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::{Semaphore, oneshot};

use crate::arrivals::{Arrival, ROOM, room_for};
use crate::machine::Now;
use crate::opened::Opened;
use crate::source::Source;
use crate::task::{Message, Task};

/// All streams of this process. A clone is another handle on the same streams; with the last handle
/// they are cut.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Bounded by `room`, except for calls of [`Streams::all_told`] and [`Streams::shut_down`].
    messages: UnboundedSender<Message>,
    /// For subscribers that wait.
    room: Arc<Semaphore>,
    now: Now,
}

impl Streams {
    /// Starts the task, on the runtime of the caller.
    #[must_use]
    pub fn start<S: Source>(config: Arc<Config>, source: S, now: Now) -> Self {
        let (messages, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Task::new(config, source, now, receiver).run());
        Self { messages, room: Arc::new(Semaphore::new(ROOM as usize)), now }
    }

    /// Opens a stream. Where the platform breaks its response off at a `deadline`, the stream ends
    /// before that, with its position.
    pub async fn open(&self, subscribe: Subscribe, deadline: Option<Timestamp>) -> Opened {
        let room = Arc::clone(&self.room).try_acquire_many_owned(room_for(&subscribe));
        let Ok(room) = room else {
            return Opened::Answer(subscribe.unavailable((self.now)()));
        };
        let started_over = subscribe.clone();
        let (opened, answer) = oneshot::channel();
        let arrival = Arrival { subscribe, deadline, opened, room };
        // Where the task drops what it was sent, it has started over.
        let _ = self.messages.send(Message::Arrival(Box::new(arrival)));
        answer.await.unwrap_or_else(|_| Opened::Answer(started_over.unavailable((self.now)())))
    }

    /// Waits until the log has been told who came and went. A process that is frozen once its responses
    /// have ended would leave it untold.
    pub async fn all_told(&self) {
        let (done, all_told) = oneshot::channel();
        let _ = self.messages.send(Message::Tell(done));
        let _ = all_told.await;
    }

    /// Ends all streams, each with its position, and opens no more. It may take as long as readers
    /// do: call it with a timeout.
    pub async fn shut_down(&self) {
        let (done, all_ended) = oneshot::channel();
        let _ = self.messages.send(Message::ShutDown(done));
        let _ = all_ended.await;
    }
}
