#!/bin/sh
# Builds header-route.wasm.
set -eu
cd "$(dirname "$0")"
../../../sinks/sdk-c/sink-cc transport-submit header-route.wasm route.c
