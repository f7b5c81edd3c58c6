#!/usr/bin/env python3
"""How long it takes from a changed module to its swap.

A server runs the guest of `cargo bench --bench sandbox`, padded to 100 KiB. The file is replaced by another of that size, by rename, again
and again; printed are the median and the longest time until the server has put the new generation in force, by its own log. Every module is
new to the server's cache. Needs `cargo build --release`.
"""

import argparse, datetime, os, pathlib, re, statistics, sys, tempfile, time
from servers import ROOT, Mailsluice

GUEST = ROOT / "target/bench-guest/wasm32-unknown-unknown/release/bench_guest.wasm"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--size", type=int, default=100 * 1024, help="octets of the module")
    parser.add_argument("--guest", type=pathlib.Path, default=GUEST)
    options = parser.parse_args()
    guest = options.guest.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        manifest = '[[sink]]\nname = "idle"\nmodule = "guest.wasm"\n'
        server = Mailsluice(folder, manifest=manifest, files=[("guest.wasm", padded(guest, options.size, 0))])
        try:
            times = [swap(folder, padded(guest, options.size, n + 1), n + 2) for n in range(options.swaps)]
        finally:
            server.stop()
    size = max(len(guest), options.size) // 1024
    print(f"{options.swaps} swaps of a module of {size} KiB: median {statistics.median(times):.0f} ms, longest {max(times):.0f} ms")


def swap(folder, module, generation):
    time.sleep(0.2)  # What the last swap woke up is to be at rest.
    log = folder / "logs/log"
    (folder / "next.wasm").write_bytes(module)
    began = datetime.datetime.now(datetime.timezone.utc)
    os.rename(folder / "next.wasm", folder / "guest.wasm")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for line in log.read_text().splitlines():
            if re.search(rf"reloaded generation={generation}\b", line):
                done = datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00"))
                return (done - began).total_seconds() * 1000
        time.sleep(0.01)
    sys.exit(f"generation {generation} did not come:\n{log.read_text()}")


def padded(module, size, mark):
    """The module with a custom section that makes it as large and different."""
    text = f"{mark:08}".encode()
    room = max(len(text), size - len(module) - 16)
    body = bytes([3]) + b"pad" + text + bytes(room - len(text))
    return module + b"\0" + leb(len(body)) + body


def leb(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


main()
