"""The servers that the benchmarks start, each on ports of the loopback interface and in a folder of its own, and end.

Needs `cargo build --release`; for Postfix root, on which it insists.
"""

import json, os, pathlib, pwd, re, shutil, signal, socket, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
PROGRAM = BUILT / "mailsluice"
SOURCE = BUILT / "examples/smtp-source"

CONFIG = """
hostname = "bench.example"
data-dir = "var"
manifest = "sinks.toml"
[[listener]]
address = "127.0.0.1:0"
{listener}
[domains]
local = ["example.com"]
relay-to = ["relay.example"]
relay-from = ["127.0.0.0/8"]
[recipients]
users = ["alice", "bob"]
[limits]
free-space = "0 B"
connections = 15000
connections-per-client = 15000
errors = 1000000
"""


class Mailsluice:
    """This server, with the configuration above and what is put behind it. `tls` is a [Certificate] and the mode."""

    def __init__(self, folder, name="mailsluice", config="", manifest="", files=(), level="info", program=PROGRAM, tls=None):
        self.name, self.folder = name, folder
        folder.mkdir(exist_ok=True)
        listener = ""
        if tls:
            listener = f'tls = {{ mode = "{tls[1]}", certificate = "{tls[0].certificate}", key = "{tls[0].key}" }}'
        (folder / "mailsluice.toml").write_text(CONFIG.format(listener=listener) + config)
        (folder / "sinks.toml").write_text(manifest)
        for file, octets in files:
            (folder / file).write_bytes(octets)
        # Not beside the configuration, which is watched.
        (folder / "logs").mkdir(exist_ok=True)
        self.log, self.level, self.program = folder / "logs/log", level, program
        self.start()

    def start(self):
        command = [self.program, "serve", "--config", self.folder / "mailsluice.toml"]
        began = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env={"RUST_LOG": self.level})
        ready = re.search(r"127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not ready:
            sys.exit(f"the server did not start:\n{self.log.read_text()}")
        self.port, self.started_in = int(ready.group(1)), time.monotonic() - began

    def status(self):
        command = [self.program, "status", "--json", "--config", self.folder / "mailsluice.toml"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def waiting(self):
        """Messages that are not delivered yet."""
        return self.status()["queue"]["messages"]

    def memory(self):
        """Resident memory in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Certificate:
    """A certificate that nobody vouches for, of a key on the curve P-256."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example", "-keyout", self.key, "-out", self.certificate]
        subprocess.run(command, check=True, capture_output=True)
        self.key.chmod(0o600)


INTERNAL = """
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
"""


class Postfix:
    """Postfix as it comes, but for what lets it be started by anybody and accept as fast as it can."""

    def __init__(self, folder, name="Postfix", config="", milters=(), tls=None):
        self.name, self.folder, self.milters = name, folder, []
        self.port = free_port()
        for part, owner in [("", None), ("etc", None), ("queue", None), ("data", "postfix")]:
            (folder / part).mkdir(exist_ok=True)
            if owner:
                os.chown(folder / part, pwd.getpwnam(owner).pw_uid, -1)
        sockets = []
        for n, program in enumerate(milters):
            path = folder / f"milter{n}"
            self.milters.append(subprocess.Popen([program, f"unix:{path}"]))
            sockets.append(path)
        for path in sockets:
            while not path.exists():
                time.sleep(0.01)
            path.chmod(0o666)
        wrapper = ""
        if tls:
            config += f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {tls[0].certificate}\nsmtpd_tls_key_file = {tls[0].key}\n"
            wrapper = " -o smtpd_tls_wrappermode=yes" if tls[1] == "implicit" else ""
        (folder / "etc/main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
            f"maillog_file = {folder}/maillog\nmaillog_file_prefixes = {folder}\nmyhostname = postfix.example\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nmydestination = example.com\nalias_maps =\n"
            "local_recipient_maps =\nlocal_transport = discard:\nsmtpd_client_connection_count_limit = 0\ndefault_process_limit = 200\n"
            f"smtpd_milters = {' '.join(f'unix:{path}' for path in sockets)}\n{config}"
        )
        (folder / "etc/master.cf").write_text(f"127.0.0.1:{self.port} inet n - n - - smtpd{wrapper}{INTERNAL}")
        subprocess.run(["postfix", "-c", folder / "etc", "start"], check=True, capture_output=True)

    @staticmethod
    def can_run():
        able = shutil.which("postfix") and os.geteuid() == 0
        if not able:
            print("Postfix or root is lacking: this server alone", file=sys.stderr)
        return bool(able)

    def waiting(self):
        """Messages that are not delivered yet."""
        queues = ["incoming", "active", "deferred", "maildrop"]
        return sum(len(files) for queue in queues for _, _, files in os.walk(self.folder / "queue" / queue))

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], capture_output=True)
        for process in self.milters:
            process.terminate()
            process.wait()


class SmtpSink:
    """Postfix's smtp-sink, which takes mail and throws it away.

    With several destinations it listens at every address of the machine, so that each destination has one of its own in 127.0.0.0/8.
    """

    def __init__(self, destinations=1):
        self.port = free_port()
        address = f"127.0.0.1:{self.port}" if destinations == 1 else f":{self.port}"
        command = ["smtp-sink", "-u", "nobody", "-m", "15000", address, "1024"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            if time.monotonic() > until:
                sys.exit("smtp-sink did not start")
            time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def destinations(count):
    """Domains below relay.example, each with an address of its own at which an [SmtpSink] is reached."""
    for n in range(count):
        host = n + (1 << 16)
        yield f"d{n}.relay.example", f"127.{host >> 16}.{host >> 8 & 255}.{host & 255}"


def routes(sink, count=1):
    """Routes of this server for relay.example, and for so many destinations if there are several. Each is a site of its own."""
    ways = [("relay.example", "127.0.0.1"), *(destinations(count) if count > 1 else [])]
    return "".join(f'[[route]]\ndomain = "{domain}"\nto = {{ smtp = "{host}:{sink.port}" }}\n' for domain, host in ways)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def send(port, messages, connections, size, recipient="alice@example.com", source="smtp-source", keep=False, destinations=1, tls=None):
    """Sends messages, and tells how many were taken a second.

    `source` is Postfix's smtp-source or, as `own`, the client in bench/source.rs, which alone can send to several destinations and under TLS.
    Unless connections are to be kept, each message has its own.
    """
    if source == "own":
        command = [SOURCE, "--connections", connections, "--messages", messages, "--size", size, "--to", recipient]
        command += ["--destinations", destinations]
        command += ["--keep"] if keep else []
        command += ["--tls", tls] if tls else []
    else:
        command = ["smtp-source", "-s", connections, "-m", messages, "-l", size, "-f", "bench@client.example", "-t", recipient]
        command += ["-d"] if keep else []
    began = time.monotonic()
    subprocess.run([str(word) for word in command + [f"127.0.0.1:{port}"]], check=True, stdout=subprocess.DEVNULL)
    return messages / (time.monotonic() - began)


def drained(server, patience=600):
    """Waits until everything is delivered."""
    until = time.monotonic() + patience
    while server.waiting():
        if time.monotonic() > until:
            sys.exit(f"{server.name} does not get rid of its mail")
        time.sleep(0.05)
