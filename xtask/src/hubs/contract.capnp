# The contract of the Worker's log, for `workerd test`.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "contract", worker = .contract),
    (name = "objects", disk = (writable = true)),
  ],
);

const contract :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "/index.js"),
    (name = "index_bg.wasm", wasm = embed "/index_bg.wasm"),
  ],
  compatibilityDate = "COMPATIBILITY_DATE",
  bindings = [(name = "CONTRACT", durableObjectNamespace = "Contract")],
  durableObjectNamespaces = [(className = "Contract", uniqueKey = "cinnabar-contract", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);
