#!/usr/bin/env bash
# SAM deploys only the beginning of a parameter whose value holds a space, without a word.
#
# PyPI aws-sam-cli 1.170.0. `sam deploy --parameter-overrides 'CorsOrigins=https://a.example
# https://b.example'` splits its argument at spaces itself, whatever the shell's quotes say; what is
# no `Name=value` after that is dropped. Quotes of the value's own, inside the argument, keep it whole,
# and so does the file that `--guided` writes.
#
# Seen:
#   unquoted: {'CorsOrigins': 'https://a.example'}
#   quoted: {'CorsOrigins': 'https://a.example https://b.example'}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet aws-sam-cli==1.170.0

output=$(venv/bin/python - <<'PYTHON'
from samcli.cli.types import CfnParameterOverridesType

origins = "https://a.example https://b.example"
for what, text in [("unquoted", origins), ("quoted", f'"{origins}"')]:
    print(f"{what}:", CfnParameterOverridesType().convert((f"CorsOrigins={text}",), None, None))
PYTHON
)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
unquoted: {'CorsOrigins': 'https://a.example'}
quoted: {'CorsOrigins': 'https://a.example https://b.example'}
SEEN
