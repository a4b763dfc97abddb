// The bodies of open streams.
//
// To hand the runtime a chunk costs as much as ten updates do. So chunks are what is saved:
//
// - What comes first after a silence leaves at once. What follows waits for the next look at the
//   streams, and leaves as one chunk. The more chunks leave, the longer it is until that look.
// - Streams that wait for the same updates share a chunk: it is joined once.
// - The runtime is not asked to tell what it takes of a stream's queue; a look at the queue shows
//   it. So Rust is called once a look, for all readers that took something.
//
// A stream is given a chunk only when its queue is empty. So all that a reader has yet to take waits
// here, but for the chunk in its queue and one that the runtime is writing. And a stream's first
// chunk leaves alone: some readers pass over a whole chunk that begins with a comment.

// How long it is until the next look, in milliseconds: for each chunk that left, and as much more as
// the last look came late, which tells that there is too much to do; all of it within bounds.
const LOOK_PER_CHUNK = 0.05;
const LOOK_PER_STREAM = 0.001;
const SHORTEST_LOOK = 1;
const LONGEST_LOOK = 100;

// While no reader takes anything, it is twice as long each time, up to this.
const LONGEST_STALL = 1_000;

// How many bytes of joined chunks may be in all queues together. They are copies, so the bounds of
// the core do not count them; thousands of readers that stall would fill the object.
const COPIED = 16 * 1024 * 1024;

// A chunk that has left the queue counts as taken, although the runtime may still be writing it.
// That may be so many bytes for all readers together, and so many more for each. Beyond that, a
// chunk leaves without its last byte, which follows it and shows when it was written.
const UNSEEN = 16 * 1024 * 1024;
const UNSEEN_EACH = 4 * 1024;

// How long the head of a response may still be on its way after its first chunk was taken, in
// milliseconds.
const SETTLING = 5_000;

// How long last words may be on their way before a stream is cut, in milliseconds.
const PARTING = 250;

// Any would do: nothing waits for room.
const HIGH_WATER_MARK = 64 * 1024;

export class Sinks {
  #sinks = new Map();
  // Those that have yet to take something, as far as is known.
  #busy = new Set();
  // Those of them that were idle a moment ago.
  #leading = [];
  // How many chunks have left since the next look was set.
  #left = 0;
  #copied = 0;
  #unseen = 0;
  #timer = undefined;
  #due = 0;
  #late = 0;
  #stall = 0;
  #onTaken;
  #onGone;

  // onTaken(streams, bytes): two arrays side by side. onGone(stream): its reader has left.
  constructor(onTaken, onGone) {
    this.#onTaken = onTaken;
    this.#onGone = onGone;
  }

  // The body of a new stream.
  open(stream) {
    const sink = { stream, controller: undefined, waiting: undefined, queued: undefined, body: undefined, unseen: 0, flying: 0, taken: 0, begun: undefined, ending: undefined };
    this.#sinks.set(stream, sink);
    return new ReadableStream(
      {
        start: (controller) => {
          sink.controller = controller;
        },
        cancel: () => this.#lose(sink),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }),
    );
  }

  write(streams, bytes) {
    // Most streams wait for what the one before them waits for.
    const batches = new Map();
    let before, after;
    for (const stream of streams) {
      const sink = this.#sinks.get(stream);
      if (sink === undefined) continue;
      if (after === undefined || sink.waiting !== before) {
        before = sink.waiting;
        after = batches.get(before) ?? new Batch(before, bytes);
        batches.set(before, after);
      }
      sink.waiting = after;
      if (!this.#busy.has(sink)) this.#lead(sink);
    }
  }

  // Ends a stream whose reader has taken everything.
  close(stream) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    this.#forget(sink);
    this.#guard(sink, () => sink.controller.close());
  }

  // Ends a stream, and drops what its reader has not taken.
  cut(stream) {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    // An error overtakes what is on its way. While that may include the response's head, without
    // which the reader would have no answer at all, the stream ends cleanly instead.
    const isSettled = sink.begun !== undefined && Date.now() - sink.begun > SETTLING;
    if (!isSettled) return this.close(stream);
    this.#sinks.delete(stream);
    sink.waiting = undefined;
    // Last words may be on their way, too, where nothing is left in the queue.
    if (sink.queued !== undefined) this.#break(sink);
    else sink.ending = setTimeout(() => this.#break(sink), PARTING);
  }

  #break(sink) {
    this.#forget(sink);
    this.#guard(sink, () => sink.controller.error(new Error("the stream was cut")));
  }

  // Something waits for a stream that was idle.
  #lead(sink) {
    this.#busy.add(sink);
    if (sink.begun === undefined) {
      this.#give(sink);
      this.#lookLater();
      return;
    }
    // In a microtask and for all streams together: after everything that is written in one go.
    if (this.#leading.length === 0) queueMicrotask(() => this.#giveLeading());
    this.#leading.push(sink);
  }

  #giveLeading() {
    const leading = this.#leading;
    this.#leading = [];
    for (const sink of leading) this.#give(sink);
    this.#lookLater();
  }

  // Hands over what waits for a stream whose queue is empty.
  #give(sink) {
    if (sink.waiting === undefined || sink.queued !== undefined) return;
    const { body, rest } = this.#see(sink, sink.waiting);
    sink.waiting = rest;
    this.#guard(sink, () => {
      this.#enqueue(sink, body);
      // Where the runtime was waiting for it, what shows that it was written can follow at once.
      if (rest !== undefined && this.#notice(sink)) this.#give(sink);
    });
  }

  // What to hand over now, and what to hand over once it has left the queue.
  #see(sink, batch) {
    const isSeen = batch.length > UNSEEN_EACH && this.#unseen + batch.length > UNSEEN;
    sink.unseen = isSeen ? 0 : batch.length;
    this.#unseen += sink.unseen;
    return isSeen ? batch.parts() : { body: batch, rest: undefined };
  }

  #enqueue(sink, batch) {
    const chunks = batch.chunks(COPIED - this.#copied);
    this.#copied += batch.enter();
    sink.queued = batch;
    this.#left += 1;
    for (const bytes of chunks) sink.controller.enqueue(bytes);
  }

  // Whether its queue has become empty. What was given before has then been written.
  #notice(sink) {
    const { queued, controller } = sink;
    if (queued === undefined || controller.desiredSize !== HIGH_WATER_MARK) return false;
    sink.begun ??= Date.now();
    sink.taken += sink.body?.length ?? 0;
    this.#leave(sink.body);
    sink.body = queued.isPart ? queued : undefined;
    if (!queued.isPart) {
      sink.taken += queued.length;
      this.#leave(queued);
    }
    sink.queued = undefined;
    this.#unseen -= sink.flying;
    sink.flying = sink.unseen;
    sink.unseen = 0;
    return true;
  }

  #leave(batch) {
    this.#copied -= batch?.leave() ?? 0;
  }

  // A look that is due already is early enough, unless all readers had stalled.
  #lookLater() {
    if (this.#busy.size === 0 || (this.#timer !== undefined && this.#stall === 0)) return;
    this.#stall = 0;
    this.#setTimer();
  }

  #setTimer() {
    clearTimeout(this.#timer);
    const paced = Math.max(LOOK_PER_CHUNK * this.#left + LOOK_PER_STREAM * this.#busy.size + this.#late, SHORTEST_LOOK);
    const wait = Math.max(Math.min(paced, LONGEST_LOOK), this.#stall);
    this.#left = 0;
    this.#due = Date.now() + wait;
    this.#timer = setTimeout(() => this.#look(), wait);
  }

  // Tells what readers have taken, and hands over what waits.
  #look() {
    this.#timer = undefined;
    this.#late = Math.max(Date.now() - this.#due, 0);
    const streams = [];
    const bytes = [];
    for (const sink of this.#busy) {
      this.#notice(sink);
      if (sink.taken === 0 || sink.ending !== undefined) continue;
      streams.push(sink.stream);
      bytes.push(sink.taken);
      sink.taken = 0;
    }
    const before = this.#left;
    if (streams.length > 0) this.#onTaken(Float64Array.from(streams), Float64Array.from(bytes));
    for (const sink of this.#busy) {
      if (sink.queued !== undefined) continue;
      if (sink.waiting === undefined) this.#busy.delete(sink);
      else this.#give(sink);
    }
    if (this.#busy.size === 0) return;
    const stalled = streams.length === 0 && this.#left === before;
    this.#stall = stalled ? Math.min(2 * Math.max(this.#stall, SHORTEST_LOOK), LONGEST_STALL) : 0;
    this.#setTimer();
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
    if (this.#forget(sink)) queueMicrotask(() => this.#onGone(sink.stream));
  }

  // Returns whether it was still open.
  #forget(sink) {
    clearTimeout(sink.ending);
    this.#leave(sink.queued);
    this.#leave(sink.body);
    sink.queued = sink.body = undefined;
    this.#unseen -= sink.unseen + sink.flying;
    sink.unseen = sink.flying = 0;
    sink.waiting = undefined;
    this.#busy.delete(sink);
    if (this.#busy.size === 0) {
      // No timer outlives the last stream.
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    return this.#sinks.delete(sink.stream);
  }
}

// What waits for some streams: `last`, behind what waited before it.
class Batch {
  #before;
  #last;
  #chunks = undefined;
  #parts = undefined;
  // How many queues hold it.
  #queues = 0;

  constructor(before, last) {
    this.#before = before;
    this.#last = last;
    this.length = (before?.length ?? 0) + last.byteLength;
    this.isPart = false;
  }

  // Its chunks: one, if there is room for a copy.
  chunks(room) {
    return (this.#chunks ??= this.#join(room));
  }

  #join(room) {
    const chunks = [];
    for (let batch = this; batch !== undefined; batch = batch.#before) chunks.push(batch.#last);
    chunks.reverse();
    if (chunks.length === 1 || this.length > Math.max(room, UNSEEN_EACH)) return chunks;
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of chunks) {
      joined.set(chunk, at);
      at += chunk.byteLength;
    }
    return [joined];
  }

  // It enters a queue, or has left one. Returns how many bytes of copies are thereby more, or fewer.
  enter() {
    this.#queues += 1;
    return this.#queues === 1 ? this.#copied() : 0;
  }

  leave() {
    this.#queues -= 1;
    if (this.#queues > 0) return 0;
    const copied = this.#copied();
    // What still waits for others may be behind it, and would keep the copy.
    this.#chunks = undefined;
    return copied;
  }

  #copied() {
    return this.#before !== undefined && this.#chunks.length === 1 ? this.length : 0;
  }

  // All but its last byte, and that.
  parts() {
    if (this.#parts === undefined) {
      const body = new Batch(this.#before, this.#last.subarray(0, -1));
      body.isPart = true;
      this.#parts = { body, rest: new Batch(undefined, this.#last.subarray(-1)) };
    }
    return this.#parts;
  }
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
