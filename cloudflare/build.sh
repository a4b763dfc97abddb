#!/bin/sh
# Builds the Worker for wrangler, on machines without Rust as well: Cloudflare's build image, which
# the Deploy button uses, has Node.js alone.
set -eu
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
  # rustup may have been installed without a new shell having been opened since.
  if [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    echo "installing Rust (rustup)"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet --profile minimal
  fi
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

exec cargo xtask build
