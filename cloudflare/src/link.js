// A follower's end of its link to the log.

export class Link {
  #socket = undefined;
  #dialing = new AbortController();
  #isOver = false;
  #onMessage;
  #onPong;
  #onEnd;

  // Begins a link by a request with these fields: to the log's object, by its stub, or through the network,
  // by the global scope. A stub that was made before the object was lost fails for ever: each link needs a
  // new one. Nothing is called while another method runs, and nothing after onEnd.
  constructor(fetcher, url, headers, onMessage, onPong, onEnd) {
    this.#onMessage = onMessage;
    this.#onPong = onPong;
    this.#onEnd = onEnd;
    this.#open(fetcher, url, headers).catch((error) => this.#end(String(error)));
  }

  send(data) {
    try {
      this.#socket?.send(data);
    } catch (error) {
      queueMicrotask(() => this.#end(String(error)));
    }
  }

  close() {
    this.#isOver = true;
    // Otherwise the request stays open for as long as nobody answers it.
    if (!this.#socket) this.#dialing.abort();
    this.#hangUp();
  }

  async #open(fetcher, url, headers) {
    headers.set("Upgrade", "websocket");
    // The secret among the fields is for that hub alone.
    const { signal } = this.#dialing;
    const { webSocket, status, body } = await fetcher.fetch(url, { headers, redirect: "manual", signal });
    if (!webSocket) {
      await body?.cancel();
      return this.#end(undefined, status);
    }
    // Before `accept`: by default, the runtime gives Blobs, whose bytes come later.
    webSocket.binaryType = "arraybuffer";
    webSocket.addEventListener("message", ({ data }) => this.#hear(data));
    webSocket.addEventListener("close", ({ code, reason }) => this.#end(`closed with ${code} ${reason}`));
    // A message that is too long gives nothing else.
    webSocket.addEventListener("error", ({ message }) => this.#end(message));
    webSocket.accept();
    this.#socket = webSocket;
    if (this.#isOver) this.#hangUp();
  }

  #hear(data) {
    if (this.#isOver) return;
    if (typeof data === "string") this.#onPong();
    else this.#onMessage(new Uint8Array(data));
  }

  // Why, or with which status it was refused.
  #end(reason, status) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hangUp();
    this.#onEnd(reason, status);
  }

  #hangUp() {
    try {
      this.#socket?.close(1000);
    } catch {
      // It has ended by itself.
    }
    this.#socket = undefined;
  }
}
