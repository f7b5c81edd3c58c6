#!/usr/bin/env python3
"""What no-op sinks cost a server that accepts mail, beside what no-op milters cost Postfix.

One run starts this server with no sink, with ten sandboxed sinks bound to MAIL, RCPT and submit that are used again
(`reuse = "pool"`), and with ten that are fresh for every call; and Postfix with no, one and three milters that do as little. Postfix's
smtp-source sends to each by turns, so that what else the machine does falls on all alike. Printed are the medians, and what
they are of the rate without any.

Needs: `cargo build --release`, the guest of `cargo bench --bench sandbox` (or --guest FILE), Postfix with smtp-source, libmilter with its
headers, cc, and root, on which Postfix insists. Everything listens on the loopback interface and ends with the script.
"""

import argparse, os, pathlib, pwd, re, shutil, socket, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUEST = ROOT / "target/bench-guest/wasm32-unknown-unknown/release/bench_guest.wasm"


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        servers = []
        try:
            for name, sinks, reuse in [("no sink", 0, "pool"), ("ten sinks, pool", 10, "pool"), ("ten sinks, fresh", 10, "call")]:
                servers.append(Mailsluice(folder / f"own{len(servers)}", name, sinks, reuse, options))
            if shutil.which("postfix") and os.geteuid() == 0:
                noop = milter(folder)
                for count in ([0, 1, 3] if noop else [0]):
                    servers.append(Postfix(folder / f"postfix{count}", noop, count))
            else:
                print("Postfix or root is lacking: this server alone", file=sys.stderr)
            measure(servers, options)
        finally:
            for server in servers:
                server.stop()
    report(servers, options)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000, help="messages in one turn")
    parser.add_argument("--connections", type=int, default=20, help="connections at a time")
    parser.add_argument("--size", type=int, default=4096, help="octets of a message")
    parser.add_argument("--turns", type=int, default=5, help="turns of each server")
    parser.add_argument("--guest", type=pathlib.Path, default=GUEST, help="the module that ten sinks run")
    return parser.parse_args()


def measure(servers, options):
    for turn in range(options.turns + 1):
        for server in servers:
            command = ["smtp-source", "-s", str(options.connections), "-m", str(options.messages), "-l", str(options.size)]
            command += ["-f", "bench@client.example", "-t", "alice@example.com", f"127.0.0.1:{server.port}"]
            began = time.monotonic()
            subprocess.run(command, check=True)
            if turn > 0:  # The first one warms up.
                server.rates.append(options.messages / (time.monotonic() - began))


def report(servers, options):
    print(f"{options.messages} messages of {options.size} octets over {options.connections} connections, median of {options.turns} turns")
    base = None
    for server in servers:
        rate = statistics.median(server.rates)
        if server.is_base:
            base = rate
        cost = (1 / rate - 1 / base) * 1e6
        print(f"{server.name:34} {rate:8.0f} /s  {100 * rate / base:5.1f} %  {cost:+8.1f} µs a message")


class Mailsluice:
    def __init__(self, folder, name, sinks, reuse, options):
        self.name, self.rates, self.is_base = f"mailsluice, {name}", [], sinks == 0
        folder.mkdir()
        shutil.copy(options.guest, folder / "guest.wasm")
        sink = '[[sink]]\nname = "idle{}"\nmodule = "guest.wasm"\nreuse = "{}"\n'
        (folder / "sinks.toml").write_text("".join(sink.format(n, reuse) for n in range(sinks)))
        (folder / "mailsluice.toml").write_text(
            'hostname = "bench.example"\ndata-dir = "var"\nmanifest = "sinks.toml"\n[[listener]]\naddress = "127.0.0.1:0"\n'
            '[domains]\nlocal = ["example.com"]\n[recipients]\nusers = ["alice"]\n'
            '[limits]\nfree-space = "0 B"\nconnections = 1000\nconnections-per-client = 1000\n'
        )
        command = [ROOT / "target/release/mailsluice", "serve", "--config", folder / "mailsluice.toml"]
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env={"RUST_LOG": "warn"})
        ready = re.search(r"127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not ready:
            sys.exit(f"the server did not start:\n{(folder / 'log').read_text()}")
        self.port = int(ready.group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def milter(folder):
    program = folder / "noop"
    built = subprocess.run(["cc", "-O2", "-o", program, ROOT / "bench/milter/noop.c", "-lmilter", "-lpthread"], capture_output=True, text=True)
    if built.returncode:
        print(f"libmilter is lacking: Postfix without milters\n{built.stderr}", file=sys.stderr)
        return None
    return program


class Postfix:
    def __init__(self, folder, noop, milters):
        self.name, self.rates, self.is_base = f"Postfix, {milters or 'no'} milter{'s' if milters != 1 else ''}", [], milters == 0
        self.milters, self.folder = [], folder
        self.port = free_port()
        for part, owner in [("", None), ("etc", None), ("queue", None), ("data", "postfix")]:
            (folder / part).mkdir(exist_ok=True)
            if owner:
                os.chown(folder / part, pwd.getpwnam(owner).pw_uid, -1)
        sockets = []
        for n in range(milters):
            path = folder / f"milter{n}"
            self.milters.append(subprocess.Popen([noop, f"unix:{path}"]))
            sockets.append(path)
        for path in sockets:
            while not path.exists():
                time.sleep(0.01)
            path.chmod(0o666)
        (folder / "etc/main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
            f"maillog_file = {folder}/maillog\nmaillog_file_prefixes = {folder}\nmyhostname = postfix.example\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nmydestination = example.com\nalias_maps =\n"
            "local_recipient_maps =\nlocal_transport = discard:\nsmtpd_client_connection_count_limit = 0\ndefault_process_limit = 200\n"
            f"smtpd_milters = {' '.join(f'unix:{path}' for path in sockets)}\n"
        )
        internal = "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n"
        internal += "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nverify unix - - n - 1 verify\n"
        internal += "proxymap unix - - n - - proxymap\nerror unix - - n - - error\nretry unix - - n - - error\ndiscard unix - - n - - discard\n"
        internal += "anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\npickup unix n - n 60 1 pickup\n"
        (folder / "etc/master.cf").write_text(f"127.0.0.1:{self.port} inet n - n - - smtpd\n{internal}")
        subprocess.run(["postfix", "-c", folder / "etc", "start"], check=True, capture_output=True)

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], capture_output=True)
        for process in self.milters:
            process.terminate()
            process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


main()
