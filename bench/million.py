#!/usr/bin/env python3
"""A million messages in the spool: memory, time from start to accepting, and how fast it accepts and delivers beside an empty spool.

A spool is filled with messages for 100,000 destinations, each with a next hop of its own, that are due in a day, and the server is started on it:
printed are the time until it says that it accepts, the time until it knows all of them, and its resident memory. Then a client sends to it and to
a server with an empty spool by turns, to one destination and to 1,000, and the medians are printed of the rates at which mail was taken, of those
until all of it was delivered, of messages for a second of the server's processor time, and of their ratios.

With `--due N` nothing is sent. Before each turn N messages are added to the spool that are due at once, and N to another that has nothing else:
printed are the rates at which they are delivered, and their ratio. `--due N --messages 0` is N messages alone.

Needs `cargo build --release --example fill --example smtp-source`, Postfix's smtp-sink, and room on the disk for the messages. All but the sink, which
is at every address of the machine, listens on the loopback interface.
"""

import argparse, pathlib, statistics, subprocess, tempfile, time
from servers import BUILT, Mailsluice, SmtpSink, routes, send

DAY = 24 * 60 * 60


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        folder, sink, servers = pathlib.Path(folder), SmtpSink(options.destinations), []
        try:
            for name in ["full", "empty"] if options.messages else ["empty"]:
                if name == "full":
                    fill(folder / name, options.messages, time.time() + DAY, options)
                servers.append(Mailsluice(folder / name, name, routes(sink, options.destinations)))
                known(servers[-1], options.messages if name == "full" else 0)
            if options.due:
                due(servers, options)
            else:
                for count in options.sent_to:
                    compare(servers, count, options)
            print(f"at the end {servers[0].memory():.0f} MiB")
        finally:
            for server in servers + [sink]:
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000, help="messages in the spool that are due in a day")
    parser.add_argument("--destinations", type=int, default=100_000, help="that they are for")
    parser.add_argument("--size", type=int, default=1024, help="octets of each")
    parser.add_argument("--due", type=int, default=0, help="messages that are due at once, beside those")
    parser.add_argument("--known-rate", type=int, default=20_000, help="messages a second that a start reads at least")
    parser.add_argument("--sent", type=int, default=20000, help="messages that are sent in one turn")
    parser.add_argument("--sent-to", type=int, nargs="+", default=[1, 1000], help="destinations that they are for")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--dir", default=None, help="where the spools go")
    return parser.parse_args()


def fill(folder, messages, when, options):
    (folder / "var").mkdir(parents=True, exist_ok=True)
    numbers = [messages, options.size, options.destinations, int(when * 1000)]
    subprocess.run([BUILT / "examples/fill", folder / "var/spool", *map(str, numbers)], check=True)


def known(server, messages):
    """Waits until a server that was started knows what is in its spool."""
    began = time.monotonic() - server.started_in
    print(f"{server.name}: accepts after {server.started_in:.2f} s, {server.memory():.0f} MiB", flush=True)
    while server.waiting() < messages:
        time.sleep(0.1)
    print(f"{server.name}: knows {messages} messages after {time.monotonic() - began:.1f} s, {server.memory():.0f} MiB", flush=True)


def compare(servers, count, options):
    beyond = [server.waiting() for server in servers]
    taken, gone, cpu = [[[] for _ in servers] for _ in range(3)]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            began, busy = time.monotonic(), server.cpu()
            rate = send(server.port, options.sent, options.connections, 4096, "alice@relay.example", "own", True, count)
            until(server, beyond[n])
            if turn > 0:  # The first one warms up.
                taken[n].append(rate)
                gone[n].append(options.sent / (time.monotonic() - began))
                cpu[n].append(options.sent / (server.cpu() - busy))
    for what, rates in [("accepted", taken), ("delivered", gone), ("for a second of processor time", cpu)]:
        report(f"to {count}: {what}", servers, rates)


def due(servers, options):
    beyond = [server.waiting() for server in servers]
    rates, cpu = [[[] for _ in servers] for _ in range(2)]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            server.stop()
            # Later than all is known.
            when = time.time() + 15 + (options.messages + options.due) / options.known_rate
            fill(server.folder, options.due, when, options)
            server.start()
            while server.waiting() < beyond[n] + options.due:
                time.sleep(0.1)
            if time.time() > when:
                raise SystemExit("the machine is too slow: they were due before they were known")
            time.sleep(max(when - time.time(), 0))
            busy = server.cpu()
            until(server, beyond[n])
            if turn > 0:
                rates[n].append(options.due / (time.time() - when))
                cpu[n].append(options.due / (server.cpu() - busy))
                print(f"{server.name}: {rates[n][-1]:.0f}/s, {server.memory():.0f} MiB", flush=True)
    for what, each in [("delivered", rates), ("for a second of processor time", cpu)]:
        report(f"{options.due} that are due at once: {what}", servers, each)


def until(server, messages):
    while server.waiting() > messages:
        time.sleep(0.02)


def report(what, servers, rates):
    line = ", ".join(f"{server.name} {statistics.median(own):.0f}/s" for server, own in zip(servers, rates))
    if len(servers) == 2:
        line += f": {100 * statistics.median(full / empty for full, empty in zip(*rates)):.1f} %"
    print(f"{what} {line}", flush=True)


main()
