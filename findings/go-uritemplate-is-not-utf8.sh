#!/usr/bin/env bash
# A Go expander of URI templates does not encode letters outside ASCII as UTF-8.
#
# github.com/yosida95/uritemplate/v3 v3.0.2. RFC 6570, section 3.1, has each character encoded as
# UTF-8 first: `{id}` with é is %C3%A9. This writes the code point's own bytes, so servers that
# follow the RFC match no topic that it made; and a prefix that ends within such a letter is an
# error. Names in `{?list*}` stay as they are, whatever they hold (section 3.2.1 encodes them).
#
# Seen:
#   {id} é: %E9
#   {id} €: %20%AC
#   {?list*} a&b: ?a&b=1
#   {id:3} abéde: uritemplate:2:invalid encoding
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod GOTOOLCHAIN=local

cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/yosida95/uritemplate/v3"
)

func show(template, name string, value uritemplate.Value, what string) {
	values := uritemplate.Values{}
	values.Set(name, value)
	text, err := uritemplate.MustNew(template).Expand(values)
	if err != nil {
		text = err.Error()
	}
	fmt.Printf("%s %s: %s\n", template, what, text)
}

func main() {
	show("{id}", "id", uritemplate.String("é"), "é")
	show("{id}", "id", uritemplate.String("€"), "€")
	show("{?list*}", "list", uritemplate.KV("a&b", "1"), "a&b")
	show("{id:3}", "id", uritemplate.String("abéde"), "abéde")
}
GO
go mod init seen >/dev/null 2>&1
go get github.com/yosida95/uritemplate/v3@v3.0.2 >/dev/null 2>&1

output=$(go run .)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
{id} é: %E9
{id} €: %20%AC
{?list*} a&b: ?a&b=1
{id:3} abéde: uritemplate:2:invalid encoding
SEEN
