//! From the log to those that read it: what was appended becomes durable, and is then handed over, in
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

/// What was appended, on its way to those that read it.
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

    /// Takes an update that was just appended to the log, and hands it over once it is durable, in the
    /// same way as those that are being handed over already.
    pub(crate) fn push(
        self: &Rc<Self>,
        appended: Appended,
        hand_over: impl Fn(&[Appended]) + 'static,
    ) {
        self.backlog.borrow_mut().push(appended);
        if !self.flushing.replace(true) {
            let feed = Rc::clone(self);
            self.object.spawn(async move { feed.flush(hand_over).await });
        }
    }

    /// Syncs and hands over, until nothing waits.
    async fn flush(&self, hand_over: impl Fn(&[Appended])) {
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
                hand_over(&portion);
            }
        }
        self.flushing.set(false);
    }

    fn newest_pending(&self) -> Option<Position> {
        self.backlog.borrow().newest_pending()
    }
}
