#!/bin/sh
# Checks disclaimer.ts and turns it into the script build/disclaimer.js.
set -eu
cd "$(dirname "$0")"
. ../../toolchains/env
tsc --project .
