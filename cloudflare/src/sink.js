// The bodies of open streams. The same array goes to many streams in one loop: nothing is copied,
// and Rust is called once for all readers that took something.
//
// A chunk is handed to the runtime only when the runtime asks for one, that is, when the last has
// gone out. So what a reader has not taken is known, and two chunks never leave as one, which some
// readers need.

export class Sinks {
  #sinks = new Map();
  #taken = new Map();
  #onTaken;
  #onGone;

  // onTaken(streams, bytes): two arrays side by side. onGone(stream): its reader has left.
  constructor(onTaken, onGone) {
    this.#onTaken = onTaken;
    this.#onGone = onGone;
  }

  // A new stream's body.
  open(stream) {
    const sink = { controller: undefined, waiting: [], asked: false, closing: false };
    this.#sinks.set(stream, sink);
    return new ReadableStream(
      {
        start: (controller) => {
          sink.controller = controller;
        },
        pull: () => {
          sink.asked = true;
          if (sink.waiting.length > 0 || sink.closing) queueMicrotask(() => this.#feed(stream, sink));
        },
        cancel: () => {
          // Not at once: the core may be at work, and is not to be called into.
          if (this.#sinks.delete(stream)) queueMicrotask(() => this.#onGone(stream));
          sink.waiting = [];
        },
      },
      { highWaterMark: 0 },
    );
  }

  write(streams, bytes) {
    for (const stream of streams) {
      const sink = this.#sinks.get(stream);
      if (sink === undefined) continue;
      sink.waiting.push(bytes);
      this.#feed(stream, sink);
    }
  }

  // What was written is still delivered.
  close(stream) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    this.#sinks.delete(stream);
    sink.closing = true;
    if (sink.waiting.length === 0) sink.controller.close();
  }

  // What was not taken is dropped.
  cut(stream) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    this.#sinks.delete(stream);
    sink.waiting = [];
    sink.controller.error(new Error("the reader fell behind"));
  }

  // Hands over the next chunk, if it was asked for.
  #feed(stream, sink) {
    const bytes = sink.asked ? sink.waiting.shift() : undefined;
    if (bytes === undefined) return;
    sink.asked = false;
    sink.controller.enqueue(bytes);
    if (sink.closing) {
      if (sink.waiting.length === 0) sink.controller.close();
      return;
    }
    // In a microtask, for the reason given above, and for all streams together.
    if (this.#taken.size === 0) queueMicrotask(() => this.#report());
    this.#taken.set(stream, (this.#taken.get(stream) ?? 0) + bytes.byteLength);
  }

  #report() {
    const taken = this.#taken;
    this.#taken = new Map();
    this.#onTaken(Float64Array.from(taken.keys()), Float64Array.from(taken.values()));
  }
}

// A body that is sent at once, and ends after a while.
export function held(bytes, millis) {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      setTimeout(() => {
        try {
          controller.close();
        } catch {
          // Its reader has left already.
        }
      }, millis);
    },
  });
}
