#!/usr/bin/env python3
"""Messages accepted a second, this server beside Postfix, both durably, and both relaying to the same smtp-sink meanwhile.

The two take turns, so that what else the machine does falls on both alike; a turn ends when all of its mail is delivered. For each number of
destinations, size and number of connections the medians are printed, of the rates at which mail was taken and of their ratios, turn by turn; and
the same for the time until all was delivered.

One destination is a domain whose mail goes to the sink. Several are domains `d0.relay.example`, `d1.relay.example` and so on, and one message after the
other is for the next of them. Each has a next hop of its own, an address in 127.0.0.0/8 at which the one sink is reached: here by a route, so that each
is a site with its own limits, turns and connections; in Postfix by a transport map, so that each is a queue of its own to its manager. Both keep
their limits as they come, 20 connections to a destination; Postfix may run 200 processes of a kind.

With `--tls` the client encrypts its connections, of which each has one handshake: TLS 1.3, one cipher suite, a certificate with a key on P-256.

Needs `cargo build --release` and Postfix with smtp-source and smtp-sink, and root; for `--source own`, which several destinations and TLS need, also
`cargo build --release --example smtp-source`. All but the sink of several destinations, which is at every address of the machine, listens on the
loopback interface, and everything ends with the script.
"""

import argparse, itertools, pathlib, statistics, tempfile, time
from servers import Certificate, Mailsluice, Postfix, SmtpSink, destinations, drained, routes, send


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        most = max(options.destinations)
        tls = (Certificate(folder), options.tls) if options.tls else None
        sink, servers = SmtpSink(most), []
        try:
            servers.append(Mailsluice(folder / "own", config=routes(sink, most), tls=tls))
            if Postfix.can_run():
                ways = "".join(f"{domain} smtp:[{host}]:{sink.port}\n" for domain, host in destinations(most))
                (folder / "transport").write_text(ways)
                config = f"relayhost = [127.0.0.1]:{sink.port}\ntransport_maps = texthash:{folder}/transport\n"
                servers.append(Postfix(folder / "postfix", config=config, tls=tls))
            print(f"{'dests':>6} {'octets':>7} {'conns':>6}  " + "".join(f"{s.name:>12} {'to the end':>11}" for s in servers) + f"{'ratio':>8} {'to the end':>11}")
            for count, size, connections in itertools.product(options.destinations, options.sizes, options.connections):
                compare(servers, count, size, connections, options)
        finally:
            for server in servers + [sink]:
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 102400], help="octets of a message")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 10, 100], help="connections at a time")
    parser.add_argument("--destinations", type=int, nargs="+", default=[1], help="domains that mail is for; several need --source own")
    parser.add_argument("--messages", type=int, default=2000, help="messages of 4 KiB in one turn; of large ones a tenth")
    parser.add_argument("--turns", type=int, default=5, help="turns of each server")
    parser.add_argument("--source", choices=["smtp-source", "own"], default="smtp-source", help="the client")
    parser.add_argument("--keep", action="store_true", help="send all messages of a connection over it, instead of one")
    parser.add_argument("--tls", choices=["starttls", "implicit"], help="encrypt the connections; needs --source own")
    options = parser.parse_args()
    if options.source != "own" and (max(options.destinations) > 1 or options.tls):
        parser.error("smtp-source sends to one destination, in the clear: use --source own")
    return options


def compare(servers, count, size, connections, options):
    messages = options.messages if size < 50_000 else max(options.messages // 10, 10)
    accepted, delivered = [[] for _ in servers], [[] for _ in servers]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            began = time.monotonic()
            rate = send(server.port, messages, connections, size, "alice@relay.example", options.source, options.keep, count, options.tls)
            drained(server)
            if turn > 0:  # The first one warms up.
                accepted[n].append(rate)
                delivered[n].append(messages / (time.monotonic() - began))
    line = f"{count:6} {size:7} {connections:6}  "
    for taken, gone in zip(accepted, delivered):
        line += f"{statistics.median(taken):10.0f}/s {statistics.median(gone):9.0f}/s"
    if len(servers) == 2:
        ratio = lambda rates: statistics.median(own / other for own, other in zip(*rates))
        line += f"{ratio(accepted):8.1f} {ratio(delivered):11.1f}"
    print(line, flush=True)


main()
