//! The way into the log: updates that arrive together are appended together.
//!
//! The runtime commits what a turn has written once that turn ends, and workerd then waits for the
//! disk. Each publication arrives in a turn of its own. So it waits for a later one, in which all that
//! has arrived by then is appended: one transaction, which is synced once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use cinnabar_core::{Timestamp, Update};
use futures_channel::oneshot;
use worker::console_error;

use crate::object::Object;
use crate::own_log::OwnLog;
use crate::platform;

/// How many bytes of updates may wait for their turn; past it, publishers are answered 503.
const ROOM: usize = 16 << 20;

/// Appends updates to the object's log.
pub(crate) struct Appender {
    object: Rc<Object>,
    log: Rc<OwnLog>,
    /// What waits for the next turn, and who waits for it.
    arrived: RefCell<Vec<(Arc<Update>, oneshot::Sender<Outcome>)>>,
    /// How many bytes those are.
    waiting: Cell<usize>,
}

/// An update is not in the log, and may be sent again: the log failed, which is on the console, or
/// too much is on its way from it to the streams.
pub(crate) struct NotAppended;

type Outcome = Result<(), NotAppended>;

impl Appender {
    pub(crate) fn new(object: Rc<Object>, log: Rc<OwnLog>) -> Rc<Self> {
        Rc::new(Self { object, log, arrived: RefCell::default(), waiting: Cell::default() })
    }

    /// Appends an update. The runtime holds back whatever is answered after that until the update
    /// is durable.
    pub(crate) async fn append(self: &Rc<Self>, update: Arc<Update>) -> Outcome {
        let waiting = self.waiting.get() + update.size();
        if waiting > ROOM && self.waiting.get() > 0 {
            return Err(NotAppended);
        }
        self.waiting.set(waiting);
        let (tell, outcome) = oneshot::channel();
        let is_first = self.arrived.borrow().is_empty();
        self.arrived.borrow_mut().push((update, tell));
        if is_first {
            let appender = Rc::clone(self);
            self.object.spawn(async move {
                platform::let_others_run().await;
                appender.append_arrived();
            });
        }
        outcome.await.unwrap_or(Err(NotAppended))
    }

    fn append_arrived(&self) {
        let (arrived, now) = (self.arrived.take(), platform::now());
        self.waiting.set(0);
        let count = arrived.len();
        for (update, tell) in arrived {
            // Nobody waits where the publisher's request has ended.
            let _ = tell.send(self.append_one(update, now));
        }
        self.log.trim(count, now);
    }

    fn append_one(&self, update: Arc<Update>, now: Timestamp) -> Outcome {
        if self.log.is_full() {
            return Err(NotAppended);
        }
        match self.log.append(update, now) {
            Ok(_) => Ok(()),
            Err(error) => {
                console_error!("an update could not be appended: {error}");
                Err(NotAppended)
            }
        }
    }
}
