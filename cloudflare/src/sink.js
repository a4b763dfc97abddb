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
    const sink = { controller: undefined, waiting: [], begun: false, asked: false, ending: undefined };
    this.#sinks.set(stream, sink);
    return new ReadableStream(
      {
        start: (controller) => {
          sink.controller = controller;
        },
        pull: () => {
          sink.begun = true;
          sink.asked = true;
          if (sink.waiting.length > 0 || sink.ending) queueMicrotask(() => this.#feed(stream, sink));
        },
        cancel: () => this.#lose(stream, sink),
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
    this.#end(stream, (controller) => controller.close());
  }

  // What was not taken is dropped.
  cut(stream) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    sink.waiting = [];
    // An error before the runtime has begun to read would take the response's head along, and
    // leave its reader without an answer.
    if (!sink.begun) return this.close(stream);
    this.#end(stream, (controller) => controller.error(new Error("the stream was cut")));
  }

  #end(stream, ending) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    this.#sinks.delete(stream);
    sink.ending = ending;
    this.#feed(stream, sink);
  }

  // Hands over the next chunk, if it was asked for, and ends the stream after the last.
  #feed(stream, sink) {
    const bytes = sink.asked ? sink.waiting.shift() : undefined;
    try {
      if (bytes !== undefined) {
        sink.asked = false;
        sink.controller.enqueue(bytes);
        if (!sink.ending) this.#take(stream, bytes.byteLength);
      }
      if (sink.ending && sink.waiting.length === 0) {
        const { ending } = sink;
        sink.ending = undefined;
        ending(sink.controller);
      }
    } catch (error) {
      // Passed on, it would go through the Rust code that called, which cannot catch it, and
      // leave all other streams without what is theirs.
      console.error("a stream was lost:", error);
      sink.controller.error(error);
      this.#lose(stream, sink);
    }
  }

  // Its reader has left. Told in a microtask: the core may be at work, and is not to be called
  // into.
  #lose(stream, sink) {
    sink.waiting = [];
    sink.ending = undefined;
    if (this.#sinks.delete(stream)) queueMicrotask(() => this.#onGone(stream));
  }

  // Told in a microtask too, and for all streams together.
  #take(stream, length) {
    if (this.#taken.size === 0) queueMicrotask(() => this.#report());
    this.#taken.set(stream, (this.#taken.get(stream) ?? 0) + length);
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
