#!/usr/bin/env python3
"""TLS handshakes a second, this server beside Postfix: full ones and resumed ones, after STARTTLS and before everything else.

A handshake counts once the server has answered the EHLO behind it; then the client says QUIT and opens another connection. The servers have
the same certificate, with a key on P-256, and the client in bench/source.rs offers both the same: TLS 1.3, AES-256-GCM with SHA-384, X25519.
It checks no signature, and of its processor time is printed how much of the time it was: near 100 % it is the limit, and `--clients` starts more of it,
each with one thread. Each resumed handshake uses a ticket of its own, which whole ones have fetched before the turn. The two take turns, and medians are
printed: of the rates, and of their ratios, turn by turn. If one of them was not resumed, or a full one was, the script ends.

Needs `cargo build --release`, `cargo build --release --example smtp-source`, openssl, and for Postfix root. Everything listens on the loopback interface
and ends with the script.
"""

import argparse, itertools, pathlib, re, statistics, subprocess, sys, tempfile, time
from servers import SOURCE, Certificate, Mailsluice, Postfix


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        servers = {mode: [] for mode in options.modes}
        try:
            certificate = Certificate(folder)
            for mode, pair in servers.items():
                pair.append(Mailsluice(folder / f"own-{mode}", tls=(certificate, mode), level="warn"))
                if Postfix.can_run():
                    pair.append(Postfix(folder / f"postfix-{mode}", tls=(certificate, mode)))
            names = [server.name for server in servers[options.modes[0]]]
            print(f"{'':9} {'':8} {'conns':>6}  " + "".join(f"{name:>12} {'client':>7}" for name in names) + f"{'ratio':>8}")
            for mode, kind, connections in itertools.product(options.modes, options.kinds, options.connections):
                compare(servers[mode], mode, kind, connections, options)
        finally:
            for server in itertools.chain(*servers.values()):
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modes", nargs="+", choices=["starttls", "implicit"], default=["starttls", "implicit"])
    parser.add_argument("--kinds", nargs="+", choices=["full", "resumed"], default=["full", "resumed"])
    parser.add_argument("--connections", type=int, nargs="+", default=[20], help="connections at a time")
    parser.add_argument("--handshakes", type=int, default=4000, help="in one turn")
    parser.add_argument("--turns", type=int, default=5, help="turns of each server")
    parser.add_argument("--clients", type=int, default=2, help="processes of the client")
    return parser.parse_args()


def compare(servers, mode, kind, connections, options):
    rates, busy = [[] for _ in servers], [[] for _ in servers]
    for turn in range(options.turns + 1):
        for n, server in list(enumerate(servers))[:: 1 if turn % 2 else -1]:
            rate, share = shake(server, mode, kind, connections, options)
            if turn > 0:  # The first one warms up.
                rates[n].append(rate)
                busy[n].append(share)
    line = f"{mode:9} {kind:8} {connections:6}  "
    line += "".join(f"{statistics.median(r):10.0f}/s {100 * statistics.median(b):5.0f} %" for r, b in zip(rates, busy))
    if len(servers) == 2:
        line += f"{statistics.median(own / other for own, other in zip(*rates)):8.1f}"
    print(line, flush=True)


def shake(server, mode, kind, connections, options):
    """Handshakes a second, and the share of the time for which each client was busy."""
    each = options.handshakes // options.clients
    command = [SOURCE, "--hello", "--tls", mode, "--connections", max(connections // options.clients, 1), "--messages", each]
    command += ["--resume"] if kind == "resumed" else []
    command = [str(word) for word in command + [f"127.0.0.1:{server.port}"]]
    clients = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(options.clients)]
    if any(client.stdout.readline() != "ready\n" for client in clients):
        sys.exit(f"{server.name}, {mode}, {kind}: a client gave up")
    began = time.monotonic()
    for client in clients:
        client.stdin.write("go\n")
        client.stdin.flush()
    told = [client.communicate()[0] for client in clients]
    took, busy = time.monotonic() - began, 0
    for text in told:
        numbers = re.search(r"(\d+) handshakes, (\d+) of them resumed, ([\d.]+) s", text)
        done, resumed = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
        if done != each or resumed != (each if kind == "resumed" else 0):
            sys.exit(f"{server.name}, {mode}, {kind}: {done} handshakes, {resumed} of them resumed, of {each}")
        busy += float(numbers[3])
    return each * options.clients / took, busy / took / options.clients


main()
