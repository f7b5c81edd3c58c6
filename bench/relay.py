#!/usr/bin/env python3
"""Messages accepted a second, this server beside Postfix, both durably, and both relaying to the same smtp-sink meanwhile.

The two take turns, so that what else the machine does falls on both alike; a turn ends when all of its mail is delivered. For each size and
number of connections the medians are printed, of the rates at which mail was taken and of their ratios, turn by turn; and the same for the time
until all was delivered. Needs `cargo build --release` and Postfix with smtp-source and smtp-sink, and root; for `--source own` also
`cargo build --release --example smtp-source`. Everything listens on the loopback interface and ends with the script.
"""

import argparse, pathlib, statistics, tempfile, time
from servers import Mailsluice, Postfix, SmtpSink, drained, send


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        sink, servers = SmtpSink(), []
        try:
            route = f'[[route]]\ndomain = "relay.example"\nto = {{ smtp = "127.0.0.1:{sink.port}" }}\n'
            servers.append(Mailsluice(folder / "own", config=route))
            if Postfix.can_run():
                servers.append(Postfix(folder / "postfix", config=f"relayhost = [127.0.0.1]:{sink.port}\n"))
            print(f"{'octets':>7} {'conns':>6}  " + "".join(f"{s.name:>12} {'to the end':>11}" for s in servers) + f"{'ratio':>8} {'to the end':>11}")
            for size in options.sizes:
                for connections in options.connections:
                    compare(servers, size, connections, options)
        finally:
            for server in servers + [sink]:
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 102400], help="octets of a message")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 10, 100], help="connections at a time")
    parser.add_argument("--messages", type=int, default=2000, help="messages of 4 KiB in one turn; of large ones a tenth")
    parser.add_argument("--turns", type=int, default=5, help="turns of each server")
    parser.add_argument("--source", choices=["smtp-source", "own"], default="smtp-source", help="the client")
    parser.add_argument("--keep", action="store_true", help="send all messages of a connection over it, instead of one")
    return parser.parse_args()


def compare(servers, size, connections, options):
    messages = options.messages if size < 50_000 else max(options.messages // 10, 10)
    accepted, delivered = [[] for _ in servers], [[] for _ in servers]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            began = time.monotonic()
            rate = send(server.port, messages, connections, size, "alice@relay.example", options.source, options.keep)
            drained(server)
            if turn > 0:  # The first one warms up.
                accepted[n].append(rate)
                delivered[n].append(messages / (time.monotonic() - began))
    line = f"{size:7} {connections:6}  "
    for taken, gone in zip(accepted, delivered):
        line += f"{statistics.median(taken):10.0f}/s {statistics.median(gone):9.0f}/s"
    if len(servers) == 2:
        ratio = lambda rates: statistics.median(own / other for own, other in zip(*rates))
        line += f"{ratio(accepted):8.1f} {ratio(delivered):11.1f}"
    print(line, flush=True)


main()
