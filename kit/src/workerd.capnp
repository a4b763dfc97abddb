# The hub on one machine: wrangler.toml's Worker, for workerd alone.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "hub", worker = .hub),
    (name = "objects", disk = (writable = true)),
    (name = "cache", worker = .cache),
    (name = "cached", disk = (writable = true)),
    # Issuers of a developer's may be on this machine, which workerd would not call by itself.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", http = (), service = "hub")],
);

const hub :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "/index.js"),
    (name = "index_bg.wasm", wasm = embed "/index_bg.wasm"),
  ],
  compatibilityDate = "COMPATIBILITY_DATE",
  bindings = [
    (name = "SHARD", durableObjectNamespace = "Shard"),
    (name = "RELAY_OBJECT", durableObjectNamespace = "Relay"),
    # variables
  ],
  durableObjectNamespaces = [
    (className = "Shard", uniqueKey = "cinnabar-shard", enableSql = true),
    (className = "Relay", uniqueKey = "cinnabar-relay", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "objects"),
  cacheApiOutbound = "cache",
);

# What stands in for the cache of a data centre.
const cache :Workerd.Worker = (
  modules = [(name = "cache.js", esModule = embed "cache.js")],
  compatibilityDate = "COMPATIBILITY_DATE",
  bindings = [(name = "FOLDER", service = "cached")],
);
