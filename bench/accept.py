#!/usr/bin/env python3
"""What no-op sinks cost a server that accepts mail, beside what no-op milters cost Postfix.

One run starts this server with none, one and ten native sinks that are called at MAIL, RCPT and submit, and Postfix with no, one and three
milters in C that do as little; with --sandboxed also with ten sandboxed sinks, used again (`reuse = "pool"`) and fresh for every call. The same client
sends to each by turns, so that what else the machine does falls on all alike, and all relay to the same smtp-sink. Ledger and log are on. Printed are the medians, and what they
are of the rate without any.

Needs: `cargo build --release --example idle-sinks`, for --sandboxed the guest of `cargo bench --bench sandbox` (or --guest FILE), Postfix with
smtp-source, libmilter with its headers, cc, and root, on which Postfix insists. Everything listens on the loopback interface and ends with the
script.
"""

import argparse, pathlib, statistics, subprocess, sys, tempfile
from servers import BUILT, ROOT, Mailsluice, Postfix, SmtpSink, drained, send

GUEST = ROOT / "target/bench-guest/wasm32-unknown-unknown/release/bench_guest.wasm"
NATIVE = '[[sink]]\nname = "idle{}"\nnative = "idle"\n'
SANDBOXED = '[[sink]]\nname = "idle{}"\nmodule = "guest.wasm"\nreuse = "{}"\n'


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        sink, ours, theirs = SmtpSink(), [], []
        try:
            for count in [0, 1, 10]:
                ours.append(server(folder, sink, f"{count or 'no'} native sink{'s' if count != 1 else ''}", [NATIVE.format(n) for n in range(count)]))
            for reuse in ["pool", "call"] if options.sandboxed else []:
                guest = [("guest.wasm", options.guest.read_bytes())]
                ours.append(server(folder, sink, f"ten sandboxed, {reuse}", [SANDBOXED.format(n, reuse) for n in range(10)], guest))
            if Postfix.can_run():
                noop = milter(folder)
                for count in [0, 1, 3] if noop else [0]:
                    name = f"Postfix, {count or 'no'} milter{'s' if count != 1 else ''}"
                    theirs.append(Postfix(folder / f"postfix{count}", name, f"relayhost = [127.0.0.1]:{sink.port}\n", [noop] * count))
            rates = measure(ours + theirs, options)
        finally:
            for each in ours + theirs + [sink]:
                each.stop()
    print(f"{options.messages} messages of {options.size} octets over {options.connections} connections, median of {options.turns} turns")
    for group in [ours, theirs]:
        report(group, rates)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000, help="messages in one turn")
    parser.add_argument("--connections", type=int, default=20, help="connections at a time")
    parser.add_argument("--size", type=int, default=4096, help="octets of a message")
    parser.add_argument("--turns", type=int, default=5, help="turns of each server")
    parser.add_argument("--source", choices=["smtp-source", "own"], default="smtp-source", help="the client")
    parser.add_argument("--keep", action="store_true", help="send all messages of a connection over it, instead of one")
    parser.add_argument("--sandboxed", action="store_true", help="ten sandboxed sinks as well")
    parser.add_argument("--guest", type=pathlib.Path, default=GUEST, help="the module that they run")
    return parser.parse_args()


def server(folder, sink, name, sinks, files=()):
    program = BUILT / "examples/idle-sinks"
    route = f'[[route]]\ndomain = "relay.example"\nto = {{ smtp = "127.0.0.1:{sink.port}" }}\n'
    return Mailsluice(folder / name.replace(" ", "-"), name, route, "".join(sinks), files, program=program)


def measure(servers, options):
    rates = {server.name: [] for server in servers}
    for turn in range(options.turns + 1):
        for server in servers[:: 1 if turn % 2 else -1]:
            rate = send(server.port, options.messages, options.connections, options.size, "alice@relay.example", options.source, options.keep)
            drained(server)
            if turn > 0:  # The first one warms up.
                rates[server.name].append(rate)
    return rates


def report(servers, rates):
    for server in servers:
        own, base = rates[server.name], rates[servers[0].name]
        rate, ratio = statistics.median(own), statistics.median(a / b for a, b in zip(own, base))
        print(f"{server.name:26} {rate:8.0f} /s  {100 * ratio:5.1f} %")


def milter(folder):
    program = folder / "noop"
    built = subprocess.run(["cc", "-O2", "-o", program, ROOT / "bench/milter/noop.c", "-lmilter", "-lpthread"], capture_output=True, text=True)
    if built.returncode:
        print(f"libmilter is lacking: Postfix without milters\n{built.stderr}", file=sys.stderr)
        return None
    return program


main()
