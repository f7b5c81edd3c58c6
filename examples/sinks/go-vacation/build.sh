#!/bin/sh
# Builds vacation.wasm.
set -eu
cd "$(dirname "$0")"
. ../../toolchains/env
../../../sinks/sdk-go/sink-go transport-submit vacation.wasm .
