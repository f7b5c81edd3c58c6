#!/bin/sh
# Builds {name}.wasm.
set -eu
cd "$(dirname "$0")"
"{sdk}/sink-cc" "{events}" "{name}.wasm" main.c
