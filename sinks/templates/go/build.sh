#!/bin/sh
# Builds {name}.wasm.
set -eu
cd "$(dirname "$0")"
"{sdk}/sink-go" "{events}" "{name}.wasm" .
