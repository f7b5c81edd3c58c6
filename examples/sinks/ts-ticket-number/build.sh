#!/bin/sh
# Builds ticket-number.wasm: types of the world, TypeScript checked and turned into JavaScript, JavaScript into a component.
set -eu
cd "$(dirname "$0")"
. ../../toolchains/env
jco guest-types wit --world-name sink --quiet --out-dir build/types
tsc --project .
componentize-js --wit wit --world-name sink --disable http fetch-event --out .ticket-number.wasm build/ticket.js
mv .ticket-number.wasm ticket-number.wasm
