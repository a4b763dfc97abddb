//! How the log is kept within its bounds: a little whenever something was appended and, once nothing
//! more is published, whenever an alarm rings. An alarm wakes the object from sleep, as no timer can.

use std::cell::Cell;
use std::rc::Rc;

use cinnabar_core::Timestamp;
use worker::console_error;

use crate::log::Log;
use crate::object::Object;
use crate::platform;

/// Drops what the history need not keep.
pub(crate) struct Retention {
    object: Rc<Object>,
    log: Rc<Log>,
    has_alarm: Cell<bool>,
}

impl Retention {
    pub(crate) fn new(object: Rc<Object>, log: Rc<Log>) -> Rc<Self> {
        Rc::new(Self { object, log, has_alarm: Cell::new(false) })
    }

    /// Drops some of what so many appended updates made superfluous. If that fails, the next append
    /// tries again.
    pub(crate) fn trim(self: &Rc<Self>, appended: u64, now: Timestamp) {
        if let Err(error) = self.log.trim(appended, now) {
            console_error!("the log could not be trimmed: {error}");
        }
        self.keep_alarm();
    }

    /// Drops updates that are too old. The runtime repeats an alarm that fails.
    pub(crate) fn sweep(self: &Rc<Self>) -> worker::Result<()> {
        self.has_alarm.set(false);
        self.log.sweep(platform::now())?;
        self.keep_alarm();
        Ok(())
    }

    /// Sets an alarm for the oldest update, unless one is set already.
    fn keep_alarm(self: &Rc<Self>) {
        if self.has_alarm.get() {
            return;
        }
        let wait = match self.log.next_sweep(platform::now()) {
            Ok(Some(wait)) => wait,
            Ok(None) => return,
            Err(error) => return console_error!("the log could not be read: {error}"),
        };
        let retention = Rc::clone(self);
        self.has_alarm.set(true);
        self.object.spawn(async move {
            if let Err(error) = retention.object.set_alarm(wait).await {
                console_error!("no alarm could be set: {error}");
                retention.has_alarm.set(false);
            }
        });
    }
}
