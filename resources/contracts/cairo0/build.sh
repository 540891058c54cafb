#!/bin/sh
# Compiles every contract of this folder, or those named, with `starknet-compile-deprecated` of PyPI cairo-lang 0.14.0.1.
# The output is written without white space, which the class hash does not depend on.
set -e
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- *.cairo
for source in "$@"; do
  name=$(basename "$source" .cairo)
  case $name in account*) account=--account_contract ;; *) account= ;; esac
  starknet-compile-deprecated "$name.cairo" --no_debug_info $account --output "$name.json"
  NAME=$name python3 - <<'PYTHON'
import json, os
path = os.environ["NAME"] + ".json"
with open(path) as file:
    compiled = json.load(file)
# The compiler refuses a builtin that the network refuses, so this class gets its own afterwards.
if path == "forbidden_builtin.json":
    compiled["program"]["builtins"].append("keccak")
with open(path, "w") as file:
    json.dump(compiled, file, separators=(",", ":"))
    file.write("\n")
PYTHON
done
