// What the runtime calls; it passes everything on to the Rust code.

import { DurableObject } from "cloudflare:workers";
import * as hub from "./index.js";

// Its `instanceId` grows whenever wasm-bindgen replaces the wasm instance: after a stack overflow,
// or when memory ran out. (A panic unwinds, and replaces nothing.)
const runtime = hub.__worker_init_state();

// Of a class, the runtime would make an instance for each request.
export default {
  fetch: (request, env, context) => hub.fetch(request, env, context),
};

export class Shard extends DurableObject {
  #shard;
  #instance;

  constructor(state, env) {
    super(state, env);
    this.#shard = new hub.Shard(state, env);
    this.#instance = runtime.instanceId;
  }

  fetch(request) {
    return this.#current().fetch(request);
  }

  // The Worker calls it: see entry.rs.
  publish(command) {
    return this.#current().publish(command);
  }

  alarm() {
    return this.#current().alarm();
  }

  // A follower's link has brought a message, or has ended: see links.rs.
  webSocketMessage(socket, message) {
    // Text is answered by the runtime, and there is no other.
    if (typeof message !== "string") this.#current().hear(socket, new Uint8Array(message));
  }

  webSocketClose(socket) {
    this.#hangUp(socket);
  }

  webSocketError(socket) {
    this.#hangUp(socket);
  }

  #hangUp(socket) {
    this.#current().hang_up(socket);
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  }

  #current() {
    if (this.#instance !== runtime.instanceId) {
      // The Rust value is gone with the old instance, and nothing will be written to its streams
      // again. So end them: their clients come back to a new object, which has the log.
      this.ctx.abort("the wasm instance was replaced");
    }
    return this.#shard;
  }
}

export class Relay extends DurableObject {
  #relay;
  #instance;

  constructor(state, env) {
    super(state, env);
    this.#relay = new hub.Relay(state, env);
    this.#instance = runtime.instanceId;
  }

  fetch(request) {
    // As above.
    if (this.#instance !== runtime.instanceId) this.ctx.abort("the wasm instance was replaced");
    return this.#relay.fetch(request);
  }
}
