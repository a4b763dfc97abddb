// A follower's end of its link to the log.

export class Link {
  #socket = undefined;
  #isOver = false;
  #onMessage;
  #onPong;
  #onEnd;

  // A stub that was made before the log's object was lost fails for ever: each link needs a new one.
  // Nothing is called while another method runs, and nothing after onEnd.
  constructor(stub, onMessage, onPong, onEnd) {
    this.#onMessage = onMessage;
    this.#onPong = onPong;
    this.#onEnd = onEnd;
    this.#open(stub).catch((error) => this.#end(String(error)));
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
    this.#hangUp();
  }

  async #open(stub) {
    const { webSocket, status } = await stub.fetch("https://shard/", { headers: { Upgrade: "websocket" } });
    if (!webSocket) throw new Error(`the log's object answered ${status}`);
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

  #end(reason) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hangUp();
    this.#onEnd(reason);
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
