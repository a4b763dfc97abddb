#!/usr/bin/env bash
# A Python expander of URI templates writes nothing for the number 0, and sorts objects.
#
# uritemplate 4.2.0 (PyPI). In a query `{?page}` with 0 is `?page=`, as for an empty text, while
# `{page}` is 0; and `{?keys*}` comes in the order of the names, whatever order the object has. So
# the first page of a list has a URL, and hence a topic, that no other expander makes.
#
# Seen:
#   {?page} 0: ?page=
#   {page} 0: 0
#   {?page} '0': ?page=0
#   {?keys*} b, a: ?a=2&b=1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet uritemplate==4.2.0

output=$(venv/bin/python - <<'PYTHON'
from uritemplate import expand

print("{?page} 0:", expand("{?page}", page=0))
print("{page} 0:", expand("{page}", page=0))
print("{?page} '0':", expand("{?page}", page="0"))
print("{?keys*} b, a:", expand("{?keys*}", keys={"b": "1", "a": "2"}))
PYTHON
)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
{?page} 0: ?page=
{page} 0: 0
{?page} '0': ?page=0
{?keys*} b, a: ?a=2&b=1
SEEN
