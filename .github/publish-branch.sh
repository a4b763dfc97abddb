#!/bin/sh
# Commits the folder for Cloudflare to the branch `release`, as `cloudflare/`, and pushes it: that is where
# the README's Deploy button leads. The branch holds nothing else, so that a user's copy does not either.
#
#   sh .github/publish-branch.sh ARCHIVE VERSION
set -eu
archive=$1 version=$2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/tree/cloudflare"
tar -xzf "$archive" -C "$folder/tree/cloudflare" --strip-components=1

export GIT_INDEX_FILE="$folder/index"
git --work-tree="$folder/tree" add --all --force
tree=$(git write-tree)
parent=$(git rev-parse --verify --quiet refs/remotes/origin/release || true)
commit=$(GIT_AUTHOR_NAME=release GIT_AUTHOR_EMAIL=release@users.noreply.github.com \
  GIT_COMMITTER_NAME=release GIT_COMMITTER_EMAIL=release@users.noreply.github.com \
  git commit-tree "$tree" ${parent:+-p "$parent"} -m "$version")
git push origin "$commit:refs/heads/release"
