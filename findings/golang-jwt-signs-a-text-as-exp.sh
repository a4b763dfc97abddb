#!/usr/bin/env bash
# A Go library signs a token whose `exp` is a text, and then finds it invalid itself.
#
# github.com/golang-jwt/jwt/v5 v5.3.1. RFC 7519, section 4.1.4: a NumericDate. `RegisteredClaims`
# writes one; `MapClaims{"exp": time.Time}` is marshalled as JSON marshals times, without an error.
#
# Seen:
#   RegisteredClaims: {"exp":1798761600}
#   MapClaims: {"exp":"2027-01-01T00:00:00Z"}
#   signed without an error
#   parsed again: token has invalid claims: invalid type for claim: exp is invalid
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod GOTOOLCHAIN=local

cat > main.go <<'GO'
package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func sign(what string, claims jwt.Claims) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	fmt.Printf("%s: %s\n", what, payload)
	return token, err
}

func main() {
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	sign("RegisteredClaims", jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(until)})
	token, err := sign("MapClaims", jwt.MapClaims{"exp": until})
	if err == nil {
		fmt.Println("signed without an error")
	}
	_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return secret, nil })
	fmt.Printf("parsed again: %v\n", err)
}
GO
go mod init seen >/dev/null 2>&1
go get github.com/golang-jwt/jwt/v5@v5.3.1 >/dev/null 2>&1

output=$(go run .)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
RegisteredClaims: {"exp":1798761600}
MapClaims: {"exp":"2027-01-01T00:00:00Z"}
signed without an error
parsed again: token has invalid claims: invalid type for claim: exp is invalid
SEEN
