// The bodies of open streams. One array goes to many streams in one loop: nothing is copied, and
// Rust is called once for all readers that took something.
//
// A chunk is handed to the runtime only when the runtime asks for one, and counts as taken when it
// asks for the next: by then the last one has gone out. So it is known what a reader has not taken,
// and what waits meanwhile is joined, which costs a tenth of handing over each chunk. A stream's
// first chunk leaves alone: some readers pass over a whole chunk that begins with a comment.

// How many bytes are joined at most.
const JOINED = 64 * 1024;

// How many bytes of joined chunks may be on their way to all readers together. They are copies, so
// the bounds of the core do not count them; thousands of readers that stall would fill the object.
const COPIED = 16 * 1024 * 1024;

// How long the head of a response may still be on its way after its first chunk was taken, in
// milliseconds.
const SETTLING = 5_000;

export class Sinks {
  #sinks = new Map();
  #ready = new Set();
  #taken = new Map();
  #copied = 0;
  #onTaken;
  #onGone;

  // onTaken(streams, bytes): two arrays side by side. onGone(stream): its reader has left.
  constructor(onTaken, onGone) {
    this.#onTaken = onTaken;
    this.#onGone = onGone;
  }

  // The body of a new stream.
  open(stream) {
    const sink = { stream, controller: undefined, waiting: [], inFlight: 0, copied: 0, begun: undefined, asked: false };
    this.#sinks.set(stream, sink);
    return new ReadableStream(
      {
        start: (controller) => {
          sink.controller = controller;
        },
        pull: () => {
          sink.asked = true;
          this.#take(sink);
          this.#feedLater(sink);
        },
        cancel: () => this.#lose(sink),
      },
      { highWaterMark: 0 },
    );
  }

  write(streams, bytes) {
    for (const stream of streams) {
      const sink = this.#sinks.get(stream);
      if (sink === undefined) continue;
      sink.waiting.push(bytes);
      this.#feedLater(sink);
    }
  }

  // Ends a stream whose reader has taken everything.
  close(stream) {
    this.#end(stream, (controller) => controller.close());
  }

  // Ends a stream, and drops what its reader has not taken.
  cut(stream) {
    // An error overtakes what is on its way. While that may include the response's head, without
    // which the reader would have no answer at all, the stream ends cleanly instead.
    const begun = this.#sinks.get(stream)?.begun;
    const settled = begun !== undefined && Date.now() - begun > SETTLING;
    const cut = (controller) => controller.error(new Error("the stream was cut"));
    this.#end(stream, settled ? cut : (controller) => controller.close());
  }

  #end(stream, end) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    this.#sinks.delete(stream);
    this.#release(sink);
    sink.waiting = [];
    this.#guard(sink, () => end(sink.controller));
  }

  // In a microtask and for all streams together: after everything that is written in one go, and
  // when the core is not at work.
  #feedLater(sink) {
    if (!sink.asked || sink.waiting.length === 0) return;
    if (this.#ready.size === 0) queueMicrotask(() => this.#feed());
    this.#ready.add(sink);
  }

  // Hands over what comes next.
  #feed() {
    const ready = this.#ready;
    this.#ready = new Set();
    for (const sink of ready) {
      const bytes = this.#next(sink);
      if (bytes === undefined) continue;
      sink.asked = false;
      sink.inFlight = bytes.byteLength;
      this.#guard(sink, () => sink.controller.enqueue(bytes));
    }
  }

  // The chunk to send next, if there is one: the first alone, and then as many as may be joined.
  #next(sink) {
    const most = sink.begun === undefined ? 0 : Math.min(JOINED, COPIED - this.#copied);
    let count = 1;
    let length = sink.waiting[0]?.byteLength;
    while (count < sink.waiting.length && length + sink.waiting[count].byteLength <= most) {
      length += sink.waiting[count].byteLength;
      count += 1;
    }
    if (count === 1) return sink.waiting.shift();
    sink.copied = length;
    this.#copied += length;
    return joined(sink.waiting.splice(0, count), length);
  }

  // What was joined for it has gone out, or will not.
  #release(sink) {
    this.#copied -= sink.copied;
    sink.copied = 0;
  }

  // An exception that escaped would keep all other streams from what is theirs, and pass through
  // Rust code that cannot catch it.
  #guard(sink, act) {
    try {
      act();
    } catch (error) {
      console.error("a stream was lost:", error);
      this.#lose(sink);
    }
  }

  // Its reader has left. Reported in a microtask: the core may be at work, and must not be called
  // into.
  #lose(sink) {
    this.#release(sink);
    sink.waiting = [];
    if (this.#sinks.delete(sink.stream)) queueMicrotask(() => this.#onGone(sink.stream));
  }

  // Reported in a microtask too, and for all streams together.
  #take(sink) {
    if (sink.inFlight === 0) return;
    this.#release(sink);
    if (this.#taken.size === 0) queueMicrotask(() => this.#report());
    this.#taken.set(sink.stream, sink.inFlight);
    sink.inFlight = 0;
    sink.begun ??= Date.now();
  }

  #report() {
    const taken = this.#taken;
    this.#taken = new Map();
    this.#onTaken(Float64Array.from(taken.keys()), Float64Array.from(taken.values()));
  }
}

function joined(chunks, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

// A body that is sent at once, and ends after a while. No timer outlives its reader.
export function held(bytes, millis) {
  let timer;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      timer = setTimeout(() => controller.close(), millis);
    },
    cancel: () => clearTimeout(timer),
  });
}
