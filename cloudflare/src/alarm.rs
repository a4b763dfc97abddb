//! The object's one alarm, for whoever wants it woken: it wakes the object from sleep, as no timer can.

use std::cell::Cell;
use std::rc::Rc;

use cinnabar_core::Timestamp;
use worker::console_error;

use crate::object::Object;
use crate::platform;

/// The alarm. What an earlier object set rings as well, unless this one sets another.
pub(crate) struct Alarm {
    object: Rc<Object>,
    rings: Cell<Option<Timestamp>>,
}

impl Alarm {
    pub(crate) fn new(object: Rc<Object>) -> Rc<Self> {
        Rc::new(Self { object, rings: Cell::default() })
    }

    /// Whether it was set, and has not rung since.
    pub(crate) fn is_set(&self) -> bool {
        self.rings.get().is_some()
    }

    /// Has it ring at this moment, or before. Whoever wanted it is asked again when it rings.
    pub(crate) fn ring_by(self: &Rc<Self>, at: Timestamp) {
        if self.rings.get().is_some_and(|rings| rings <= at) {
            return;
        }
        self.rings.set(Some(at));
        let alarm = Rc::clone(self);
        self.object.spawn(async move {
            if let Err(error) = alarm.object.set_alarm(at.since(platform::now())).await {
                console_error!("no alarm could be set: {error}");
                alarm.handle_rung();
            }
        });
    }

    /// It has rung.
    pub(crate) fn handle_rung(&self) {
        self.rings.take();
    }
}
