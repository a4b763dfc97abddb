//! Where the bytes of streams go: the one place that knows the runtime's streams (see `sink.js`).

use std::time::Duration;

use cinnabar_core::StreamId;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::{Float64Array, Uint8Array};
use worker::web_sys::ReadableStream;

#[wasm_bindgen(module = "/src/sink.js")]
extern "C" {
    type Sinks;

    #[wasm_bindgen(constructor)]
    fn new(taken: &Closure<dyn FnMut(Vec<f64>, Vec<f64>)>, gone: &Closure<dyn FnMut(f64)>)
    -> Sinks;
    #[wasm_bindgen(method)]
    fn open(this: &Sinks, stream: f64) -> ReadableStream;
    #[wasm_bindgen(method)]
    fn write(this: &Sinks, streams: &Float64Array, bytes: &Uint8Array);
    #[wasm_bindgen(method)]
    fn close(this: &Sinks, stream: f64);
    #[wasm_bindgen(method)]
    fn cut(this: &Sinks, stream: f64);

    #[wasm_bindgen(js_name = held)]
    fn held_for(bytes: &Uint8Array, millis: f64) -> ReadableStream;
}

/// The bodies of all open streams.
pub(crate) struct Bodies {
    sinks: Sinks,
    // JavaScript calls these as long as the sinks live.
    _taken: Closure<dyn FnMut(Vec<f64>, Vec<f64>)>,
    _gone: Closure<dyn FnMut(f64)>,
}

impl Bodies {
    /// `taken` is told how many bytes the readers took of each stream; `gone`, which stream's reader
    /// has left. Neither is called while another method runs.
    pub(crate) fn new(
        mut taken: impl FnMut(&mut dyn Iterator<Item = (StreamId, usize)>) + 'static,
        mut gone: impl FnMut(StreamId) + 'static,
    ) -> Self {
        let taken = Closure::own_assert_unwind_safe(move |streams: Vec<f64>, bytes: Vec<f64>| {
            taken(&mut streams.into_iter().map(stream).zip(bytes.into_iter().map(length)));
        });
        let gone = Closure::own_assert_unwind_safe(move |number| gone(stream(number)));
        Self { sinks: Sinks::new(&taken, &gone), _taken: taken, _gone: gone }
    }

    /// The body of a new stream.
    pub(crate) fn open(&self, stream: StreamId) -> ReadableStream {
        self.sinks.open(number(stream))
    }

    /// Writes one chunk to each of these streams.
    pub(crate) fn write(&self, streams: &[StreamId], bytes: &[u8]) {
        let streams: Vec<f64> = streams.iter().copied().map(number).collect();
        self.sinks.write(&Float64Array::from(&streams[..]), &Uint8Array::from(bytes));
    }

    /// Ends a stream whose reader has taken everything.
    pub(crate) fn close(&self, stream: StreamId) {
        self.sinks.close(number(stream));
    }

    /// Ends a stream, and drops what its reader has not taken.
    pub(crate) fn cut(&self, stream: StreamId) {
        self.sinks.cut(number(stream));
    }
}

/// A body that is sent at once, and ends after a while.
pub(crate) fn held(bytes: &[u8], hold: Duration) -> ReadableStream {
    held_for(&Uint8Array::from(bytes), hold.as_secs_f64() * 1000.0)
}

// JavaScript's numbers are exact up to 2^53: more streams and bytes than an object will ever see.

#[expect(clippy::cast_precision_loss, reason = "stream numbers stay far below 2^53")]
fn number(stream: StreamId) -> f64 {
    stream.get() as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made by `number`")]
fn stream(number: f64) -> StreamId {
    StreamId::new(number as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length")]
fn length(number: f64) -> usize {
    number as usize
}
