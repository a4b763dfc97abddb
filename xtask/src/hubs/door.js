// The Worker with a door for tests, which is no part of what is deployed: it wraps the module that is, and the
// runtime finds it beside that one (see workerd.rs).
//
// `POST /abort/NAME` aborts the object of that name, as the platform may at any moment: `hub` holds the log,
// others are relays. Each stream of a relay names that in the field `X-Relay`.

import hub, { Relay as DeployedRelay, Shard as DeployedShard } from "./index.js";

const DOOR = "/abort/";
const REASON = "aborted by a test";

export class Shard extends DeployedShard {
  abort() {
    this.ctx.abort(REASON);
  }
}

export class Relay extends DeployedRelay {
  async fetch(request) {
    const response = await super.fetch(request);
    response.headers.set("X-Relay", this.ctx.id.name);
    return response;
  }

  abort() {
    this.ctx.abort(REASON);
  }
}

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(DOOR)) return hub.fetch(request, env, context);
    const name = decodeURIComponent(pathname.slice(DOOR.length));
    return abort(name === "hub" ? env.SHARD.getByName(name) : env.RELAY_OBJECT.getByName(name));
  },
};

async function abort(object) {
  try {
    await object.abort();
  } catch (error) {
    if (String(error).includes(REASON)) return new Response(null, { status: 204 });
    throw error;
  }
  return new Response("it was not aborted", { status: 500 });
}
