//! One timer for all streams: a pending one keeps the object, and its bill, alive.

use std::cell::RefCell;
use std::rc::Rc;

use cinnabar_core::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

use crate::platform;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, millis: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A timer that is set to one moment, or to none.
pub(crate) struct Timer {
    ring: Closure<dyn FnMut()>,
    pending: Rc<RefCell<Option<(Timestamp, JsValue)>>>,
}

impl Timer {
    /// A timer that is not set.
    pub(crate) fn new(mut ring: impl FnMut() + 'static) -> Self {
        let pending = Rc::<RefCell<_>>::default();
        let rung = Rc::clone(&pending);
        let ring = Closure::own_assert_unwind_safe(move || {
            rung.take();
            ring();
        });
        Self { ring, pending }
    }

    /// Sets it to this moment, in place of any before.
    pub(crate) fn set(&self, at: Option<Timestamp>) {
        let mut pending = self.pending.borrow_mut();
        if pending.as_ref().map(|(at, _)| *at) == at {
            return;
        }
        if let Some((_, timer)) = pending.take() {
            clear_timeout(&timer);
        }
        if let Some(at) = at {
            let wait = at.since(platform::now());
            *pending = Some((at, set_timeout(&self.ring, wait.as_secs_f64() * 1000.0)));
        }
    }
}
