#!/bin/sh
# Builds the Worker for wrangler, even on machines without Rust: Cloudflare's build image, for those who
# have it deploy a fork of this repository, only has Node.js.
set -eu
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
  # rustup may be installed, but no new shell opened since.
  if [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    echo "installing Rust (rustup)"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet --profile minimal
  fi
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

exec cargo xtask build
