#!/bin/sh
# Builds webhook.wasm.
set -eu
cd "$(dirname "$0")"
. ../../toolchains/env
componentize-js --wit wit --world-name sink --disable http fetch-event --out .webhook.wasm webhook.js
mv .webhook.wasm webhook.wasm
