#!/bin/sh
# Publishes from a shell: publish.sh TOPIC DATA. (The secret is in openssl's arguments for a moment, where other users
# of the machine can see it: on a shared one, get the token from `cinnabar token`.)
set -eu
: "${MERCURE_URL:=http://localhost:8787/.well-known/mercure}"
: "${MERCURE_JWT_SECRET:=!ChangeThisMercureHubJWTSecretKey!}"

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
header=$(printf '{"alg":"HS256"}' | base64url)
claims=$(printf '{"mercure":{"publish":["*"]},"exp":%d}' "$(($(date +%s) + 60))" | base64url)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -hmac "$MERCURE_JWT_SECRET" -binary | base64url)

# It prints the update's id, or what is wrong.
curl --silent --show-error --fail-with-body "$MERCURE_URL" \
  --header "Authorization: Bearer $header.$claims.$signature" \
  --data-urlencode "topic=$1" --data-urlencode "data=$2"
