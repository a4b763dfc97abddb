// What workerd calls to check the log against its contract: see contract.rs.

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
