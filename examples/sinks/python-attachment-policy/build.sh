#!/bin/sh
# Builds attachment-policy.wasm.
set -eu
cd "$(dirname "$0")"
. ../../toolchains/env
componentize-py --quiet --wit-path wit --world sink componentize app --output .attachment-policy.wasm
mv .attachment-policy.wasm attachment-policy.wasm
