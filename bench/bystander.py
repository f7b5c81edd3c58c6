#!/usr/bin/env python3
"""What a hostile sink costs those who have nothing to do with it.

One server with two mailboxes: mail to bob meets a script that never ends, mail to alice meets no sink. A bystander sends to alice, one
message after the other, first alone and then while attackers send to bob all the time. Printed are the median and the 99th percentile of
the time from MAIL to the reply after the data, by turns. Needs `cargo build --release`. Loopback only.
"""

import argparse, pathlib, smtplib, statistics, sys, tempfile, threading, time
from servers import Mailsluice

SPINNING = "export function inRcpt() { for (;;) {} }\n"
MANIFEST = """
[[sink]]
name = "spins"
script = "spins.js"
limits = { cpu = "100 ms" }
[[sink.on]]
event = "in.rcpt"
when = { recipient = "bob@example.com" }
"""
MESSAGE = "Subject: bench\r\n\r\n" + "text\r\n" * 700


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=500, help="messages of the bystander in one turn")
    parser.add_argument("--attackers", type=int, default=10, help="connections that send to bob")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        server = Mailsluice(folder, manifest=MANIFEST, files=[("spins.js", SPINNING.encode())], level="error")
        port = server.port
        try:
            alone, attacked, hits = [], [], 0
            send(port, options.messages)
            for _ in range(options.turns):
                alone += send(port, options.messages)
                stop = threading.Event()
                attackers = [Attacker(port, stop) for _ in range(options.attackers)]
                attacked += send(port, options.messages)
                stop.set()
                for attacker in attackers:
                    attacker.join()
                    hits += attacker.hits
        finally:
            server.stop()
    print(f"{len(alone)} messages each way, {options.attackers} attackers, {hits} calls that never ended and were ended")
    base = percentiles(alone)
    for name, times in [("alone", base), ("beside attackers", percentiles(attacked))]:
        ratios = [t / b for t, b in zip(times, base)]
        print(f"{name:18} median {times[0]:7.2f} ms ({ratios[0]:.2f}x)   p99 {times[1]:7.2f} ms ({ratios[1]:.2f}x)")


def percentiles(times):
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def send(port, count):
    times = []
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(count):
            began = time.perf_counter()
            client.sendmail("bench@client.example", ["alice@example.com"], MESSAGE)
            times.append((time.perf_counter() - began) * 1000)
    return times


class Attacker(threading.Thread):
    def __init__(self, port, stop):
        super().__init__()
        self.port, self.stop_it, self.hits = port, stop, 0
        self.start()

    def run(self):
        while not self.stop_it.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.port) as client:
                    self.attack(client)
            except smtplib.SMTPServerDisconnected:
                pass  # It bears only so much of this in one session.

    def attack(self, client):
        client.ehlo()
        while not self.stop_it.is_set():
            client.mail("bench@client.example")
            code, text = client.rcpt("bob@example.com")
            if code == -1:
                return
            if code not in (421, 451):
                sys.exit(f"bob was answered {code} {text}")
            self.hits += 1
            client.rset()


main()
