#!/usr/bin/env python3
"""A million messages in the spool: memory, time from start to accepting, and the rate of accepting beside an empty spool.

A spool is filled with messages that are due in a day, each for another recipient, and the server is started on it: printed are the time until it says
that it accepts, the time until it knows all of them, and its resident memory. Then a client sends to it and to a server with an empty spool by turns, and
the median of the ratios is printed. Needs `cargo build --release --example fill --example smtp-source`, and room on the disk for the messages.
Loopback only.
"""

import argparse, pathlib, statistics, subprocess, tempfile, time
from servers import ROOT, Mailsluice, SmtpSink, send


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        folder, sink, servers = pathlib.Path(folder), SmtpSink(), []
        try:
            route = f'[[route]]\ndomain = "relay.example"\nto = {{ smtp = "127.0.0.1:{sink.port}" }}\n'
            fill(folder / "full", options)
            servers.append(Mailsluice(folder / "full", "full", route))
            began, full = time.monotonic() - servers[0].started_in, servers[0]
            print(f"{options.messages} messages of {options.size} octets: accepts after {full.started_in:.2f} s, {full.memory():.0f} MiB", flush=True)
            while full.waiting() < options.messages:
                time.sleep(0.1)
            print(f"all known after {time.monotonic() - began:.1f} s: {full.memory():.0f} MiB", flush=True)
            servers.append(Mailsluice(folder / "empty", "empty", route))
            compare(servers, options)
            print(f"at the end {full.memory():.0f} MiB")
        finally:
            for server in servers + [sink]:
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000, help="messages in the spool")
    parser.add_argument("--size", type=int, default=1024, help="octets of each")
    parser.add_argument("--sent", type=int, default=5000, help="messages that are sent in one turn")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--dir", default=None, help="where the spools go")
    return parser.parse_args()


def fill(folder, options):
    (folder / "var").mkdir(parents=True)
    began = time.monotonic()
    program = ROOT / "target/release/examples/fill"
    subprocess.run([program, folder / "var/spool", str(options.messages), str(options.size)], check=True)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)


def compare(servers, options):
    rates, beyond = [[] for _ in servers], [server.waiting() for server in servers]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            rate = send(server.port, options.sent, options.connections, 4096, "alice@relay.example", "own", True)
            while server.waiting() > beyond[n]:
                time.sleep(0.05)
            if turn > 0:  # The first one warms up.
                rates[n].append(rate)
    ratio = statistics.median(full / empty for full, empty in zip(*rates))
    print(f"accepted {statistics.median(rates[0]):.0f}/s, beside an empty spool {statistics.median(rates[1]):.0f}/s: {100 * ratio:.1f} %")


main()
