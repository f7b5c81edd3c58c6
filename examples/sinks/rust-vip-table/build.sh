#!/bin/sh
# Builds vip-table.wasm. It shares what is already built of the SDK.
set -eu
cd "$(dirname "$0")"
target=../../../sinks/target
cargo build --release --target wasm32-unknown-unknown --target-dir "$target"
cp "$target/wasm32-unknown-unknown/release/vip_table.wasm" .vip-table.wasm
mv .vip-table.wasm vip-table.wasm
