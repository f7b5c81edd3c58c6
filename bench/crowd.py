#!/usr/bin/env python3
"""The memory of many connections that do nothing, and how soon another client is served beside them.

The connections are opened, greeted and have said EHLO; then nothing is sent. Printed are the server's resident memory before and with them, and the
median and longest time that further clients took from connecting to the 250 after their message. With `--tls` the connections are encrypted, by TLS 1.3
with a key on P-256, and EHLO was said again; those further clients are in the clear, or for `--tls implicit` encrypted. Needs `cargo build --release`,
`cargo build --release --example smtp-source`, openssl for TLS, and leave to open as many files. Loopback only.
"""

import argparse, pathlib, resource, smtplib, ssl, statistics, subprocess, tempfile, time
from servers import SOURCE, Certificate, Mailsluice


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--clients", type=int, default=50, help="clients that are served beside them")
    parser.add_argument("--tls", choices=["starttls", "implicit"], help="encrypt the connections")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tls = (Certificate(folder), options.tls) if options.tls else None
        server = Mailsluice(folder / "own", level="warn", tls=tls)
        try:
            serve(server.port, options.tls)
            alone, times_alone = server.memory(), [serve(server.port, options.tls) for _ in range(options.clients)]
            crowd = opened(server.port, options)
            with_them, times = server.memory(), [serve(server.port, options.tls) for _ in range(options.clients)]
            crowd.communicate()
        finally:
            server.stop()
    each = (with_them - alone) / options.connections * 1024
    kind = f" ({options.tls})" if options.tls else ""
    print(f"alone {alone:.0f} MiB; with {options.connections} idle connections{kind} {with_them:.0f} MiB, {each:.1f} KiB each")
    for name, taken in [("alone", times_alone), ("beside them", times)]:
        print(f"a client {name}: median {statistics.median(taken):.1f} ms, longest {max(taken):.1f} ms")


def opened(port, options):
    """The process that has opened the connections, and keeps them until its input ends."""
    command = [SOURCE, "--hold", "--connections", str(options.connections), f"127.0.0.1:{port}"]
    command += ["--tls", options.tls] if options.tls else []
    crowd = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if crowd.stdout.readline() != "open\n":
        raise SystemExit("the connections could not be opened")
    return crowd


def serve(port, tls):
    trust = ssl._create_unverified_context()
    began = time.perf_counter()
    with smtplib.SMTP_SSL("127.0.0.1", port, context=trust) if tls == "implicit" else smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("bench@client.example", ["alice@example.com"], "Subject: bench\r\n\r\ntext\r\n")
        return (time.perf_counter() - began) * 1000


main()
