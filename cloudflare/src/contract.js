// What workerd calls where the log is held to its contract: see contract.rs.

import { DurableObject } from "cloudflare:workers";
import { check_contract } from "./index.js";

export class Contract extends DurableObject {
  check() {
    return check_contract(this.ctx);
  }
}

export default {
  test(_controller, env) {
    return env.CONTRACT.getByName("log").check();
  },
};
