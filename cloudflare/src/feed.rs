//! From the log to its streams: what was appended becomes durable, and is then handed over, in
//! order.
//!
//! The runtime's output gate holds a publisher's answer back until its update is durable. Bytes into
//! a response that is already open pass no gate. So updates wait in the [`Backlog`] until storage has
//! synced, and are handed over a moment later: no publisher waits for the fan-out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cinnabar_core::{Appended, Backlog, Position};

use crate::object::Object;
use crate::platform;
use crate::source::Source;
use crate::streams::Streams;

/// What was appended, on its way to the streams held here.
pub(crate) struct Feed {
    object: Rc<Object>,
    backlog: RefCell<Backlog>,
    flushing: Cell<bool>,
}

impl Feed {
    /// A feed behind a log whose newest update is at `newest`.
    pub(crate) fn new(object: Rc<Object>, newest: Position) -> Rc<Self> {
        let backlog = RefCell::new(Backlog::new(newest));
        Rc::new(Self { object, backlog, flushing: Cell::new(false) })
    }

    /// Whether so much waits that publishers have to be answered 503.
    pub(crate) fn is_full(&self) -> bool {
        self.backlog.borrow().is_full()
    }

    /// The newest durable update, which the streams may not have been handed yet.
    pub(crate) fn durable(&self) -> Position {
        self.backlog.borrow().durable()
    }

    /// The newest durable update, if the streams were handed everything.
    pub(crate) fn handed_over(&self) -> Option<Position> {
        self.backlog.borrow().handed_over()
    }

    /// Waits until everything that was appended before is durable.
    pub(crate) async fn settle(&self) -> worker::Result<()> {
        if let Some(newest) = self.newest_pending() {
            self.object.sync().await?;
            self.backlog.borrow_mut().handle_durable(newest);
        }
        Ok(())
    }

    /// Takes an update that was just appended to the log, and hands it over once it is durable.
    pub(crate) fn push<S: Source>(self: &Rc<Self>, appended: Appended, streams: &Rc<Streams<S>>) {
        self.backlog.borrow_mut().push(appended);
        if !self.flushing.replace(true) {
            let (feed, streams) = (Rc::clone(self), Rc::clone(streams));
            self.object.spawn(async move { feed.flush(&streams).await });
        }
    }

    /// Syncs and hands over, until nothing waits.
    async fn flush<S: Source>(&self, streams: &Rc<Streams<S>>) {
        loop {
            if let Some(newest) = self.newest_pending() {
                if let Err(error) = self.object.sync().await {
                    // Nobody was shown these updates, and their publishers' answers are held back.
                    return self.object.start_over(&format!("storage did not sync: {error}"));
                }
                self.backlog.borrow_mut().handle_durable(newest);
            } else if !self.backlog.borrow().has_portion() {
                break;
            }
            while self.backlog.borrow().has_portion() {
                // First the publishers' answers, which the sync has let go, are on their way; then
                // readers take what they were given.
                platform::let_others_run().await;
                let portion = self.backlog.borrow_mut().take_portion();
                streams.handle_appended(&portion);
            }
        }
        self.flushing.set(false);
    }

    fn newest_pending(&self) -> Option<Position> {
        self.backlog.borrow().newest_pending()
    }
}
