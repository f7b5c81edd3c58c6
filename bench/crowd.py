#!/usr/bin/env python3
"""The memory of many connections that do nothing, and how soon another client is served beside them.

The connections are opened, greeted and have said EHLO; then nothing is sent. Printed are the server's resident memory before and with them, and the
median and longest time that further clients took from connecting to the 250 after their message. Needs `cargo build --release` and leave to open
as many files. Loopback only.
"""

import argparse, pathlib, resource, smtplib, socket, statistics, tempfile, time
from servers import Mailsluice


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--clients", type=int, default=50, help="clients that are served beside them")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        server = Mailsluice(pathlib.Path(folder), level="warn")
        try:
            serve(server.port)
            alone, times_alone = server.memory(), [serve(server.port) for _ in range(options.clients)]
            idle = [connect(server.port) for _ in range(options.connections)]
            for client in idle:
                client.sendall(b"EHLO idle.example\r\n")
            for client in idle:
                hear(client, b"250 ")
            with_them, times = server.memory(), [serve(server.port) for _ in range(options.clients)]
        finally:
            server.stop()
    each = (with_them - alone) / options.connections * 1024
    print(f"alone {alone:.0f} MiB; with {options.connections} idle connections {with_them:.0f} MiB, {each:.1f} KiB each")
    for name, taken in [("alone", times_alone), ("beside them", times)]:
        print(f"a client {name}: median {statistics.median(taken):.1f} ms, longest {max(taken):.1f} ms")


def connect(port):
    client = socket.create_connection(("127.0.0.1", port))
    hear(client, b"220 ")
    return client


def hear(client, last):
    heard = b""
    while not (heard.endswith(b"\r\n") and heard.rstrip().split(b"\r\n")[-1].startswith(last)):
        octets = client.recv(4096)
        assert octets, f"closed after {heard}"
        heard += octets


def serve(port):
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("bench@client.example", ["alice@example.com"], "Subject: bench\r\n\r\ntext\r\n")
        return (time.perf_counter() - began) * 1000


main()
