//! How the log is kept within its bounds: a little whenever something was appended and, once nothing
//! more is published, whenever the alarm rings.

use std::rc::Rc;

use cinnabar_core::Timestamp;
use worker::console_error;

use crate::alarm::Alarm;
use crate::log::Log;
use crate::platform;

/// Drops what the history need not keep.
pub(crate) struct Retention {
    log: Rc<Log>,
    alarm: Rc<Alarm>,
}

impl Retention {
    pub(crate) fn new(log: Rc<Log>, alarm: Rc<Alarm>) -> Self {
        Self { log, alarm }
    }

    /// Drops some of what so many appended updates made superfluous. If that fails, the next append
    /// tries again.
    pub(crate) fn trim(&self, appended: u64, now: Timestamp) {
        if let Err(error) = self.log.trim(appended, now) {
            console_error!("the log could not be trimmed: {error}");
        }
        self.keep_alarm();
    }

    /// Drops updates that are too old. The runtime repeats an alarm that fails.
    pub(crate) fn sweep(&self) -> worker::Result<()> {
        self.log.sweep(platform::now())?;
        self.keep_alarm();
        Ok(())
    }

    /// Sets the alarm for the oldest update, unless it is set already: then the oldest is looked for
    /// again when it rings.
    fn keep_alarm(&self) {
        if self.alarm.is_set() {
            return;
        }
        let now = platform::now();
        match self.log.next_sweep(now) {
            Ok(Some(wait)) => self.alarm.ring_by(now.plus(wait)),
            Ok(None) => {}
            Err(error) => console_error!("the log could not be read: {error}"),
        }
    }
}
