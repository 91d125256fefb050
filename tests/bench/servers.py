# SPDX-License-Identifier: MIT
"""Servers and load generator of the daemon's benchmark."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "harness"))
from ports import free_port

SECRET = "whsec_bench_0123456789abcdef0123456789"
BUILD = pathlib.Path(os.environ.get("top_builddir", ".")).resolve()
LIBRARIES = str(BUILD / ".libs")
TICKS = os.sysconf("SC_CLK_TCK")
THREADS = os.cpu_count()


def program(name):
    """Returns the program, because libtool's wrapper would be measured, too."""
    path = BUILD / name
    real = path.parent / ".libs" / path.name
    return str(real if real.exists() else path)


def tool(name):
    return program("tests/bench/" + name)


class Server:
    """A server process with a folder of its own. `port_pattern` finds the port in its output."""
    path = "/foil"
    most = 400000  # deliveries in a round
    running = []

    def __init__(self, name, command, folder, port_pattern=r"(\d+)\n", port=None, env=()):
        self.name = name
        self.folder = folder
        self.fsyncs_file = folder / "fsyncs"
        self.output = folder / "output"
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=open(self.output, "wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, "BENCH_SECRET": SECRET, "COUNT_FSYNC": str(self.fsyncs_file),
                 "LD_LIBRARY_PATH": LIBRARIES, **dict(env)})
        Server.running.append(self)
        self.port = port or int(self.wait_for(port_pattern).group(1))

    def wait_for(self, pattern, patience=60):
        until = time.monotonic() + patience
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(pattern, self.output.read_text(errors="replace"))
            if found:
                return found
            time.sleep(0.01)
        raise SystemExit(f"{self.name} does not start: {self.output.read_text(errors='replace')}")

    def cpu_s(self):
        """Returns the CPU time, that of finished child commands included."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(int(n) for n in fields.split()[11:15]) / TICKS

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def fsyncs(self):
        """Returns the number of fsync calls and the seconds spent in them."""
        if not self.fsyncs_file.exists():
            return 0, 0.0
        count, ns = struct.unpack("QQ", self.fsyncs_file.read_bytes())
        return count, ns / 1e9

    def get(self, path):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def count(self):
        """Returns the number of requests that a bare_h2o has answered."""
        return int(self.get("/count"))

    def stop(self, patience=60):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(patience)
        Server.running.remove(self)


def foreign_cpu_s():
    """Returns the CPU time of all other processes: not ours, our servers', or finished loads'."""
    fields = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy = (sum(fields) - fields[3] - fields[4]) / TICKS
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return (busy - sum(u.ru_utime + u.ru_stime for u in used)
            - sum(server.cpu_s() for server in Server.running))


def kill_all():
    while Server.running:
        Server.running.pop().process.kill()


def bare(folder):
    return Server("bare libh2o", [tool("bare_h2o"), str(THREADS), "200"], folder)


def verify_only(folder):
    return Server("verify only", [tool("bare_h2o"), str(THREADS), "200", "foil", SECRET], folder)


def upstream(folder):
    return Server("upstream", [tool("bare_h2o"), "1", "204"], folder)


def hooklined(name, folder, *options, store=None, port=0):
    preload = str(BUILD / "tests/bench/.libs/count_fsync.so")
    return Server(name, [program("hooklined"), "--source", "foil=foil:env:BENCH_SECRET",
                         "--listen", f"127.0.0.1:{port}", "--log", "log.jsonl",
                         "--store", str(store or folder / "hookline.db"), *options],
                  folder, r"listening on 127.0.0.1:(\d+)", port, {"LD_PRELOAD": preload})


def can_forward():
    return b"--forward" in subprocess.check_output([program("hooklined"), "--help"],
                                                   env={"LD_LIBRARY_PATH": LIBRARIES})


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def webhook(folder, command):
    """Starts Debian's webhook with its GitHub rule; our requests carry GitHub's signature, too."""
    hooks = folder / "hooks.json"
    hooks.write_text(json.dumps([{
        "id": "foil", "execute-command": command, "response-message": "stored",
        "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": SECRET, "parameter": {
            "source": "header", "name": "X-Hub-Signature-256"}}}}]))
    port = free_port()
    server = Server("webhook" + (f" {command}" if command else ", no command"),
                    ["webhook", "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port),
                     "-urlprefix", ""], folder, port=port)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            server.get("/")
            return server
        time.sleep(0.01)
    raise SystemExit("webhook does not start")


def load_command(server, **options):
    command = [tool("load"), "--port", str(server.port), "--path", server.path,
               "--sign", "foil=" + SECRET, "--sign", "github=" + SECRET]
    for name, value in options.items():
        command += ["--" + name] if value is True else ["--" + name, str(value)]
    return command


def good(server, result):
    if result["answers"] != {"200": result["sent"]}:
        raise SystemExit(f"{server.name} answered {result['answers']} to {result['sent']}")
    return result


def run_load(server, **options):
    """Runs `load`; returns its result with the server's fsyncs."""
    fsyncs, waited = server.fsyncs()
    done = subprocess.run(load_command(server, **options), stdout=subprocess.PIPE, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES})
    if done.returncode:
        raise SystemExit(f"the load of {server.name} failed")
    result = good(server, json.loads(done.stdout))
    count, total = server.fsyncs()
    result["fsyncs"] = count - fsyncs
    result["fsync_share"] = (total - waited) / result["seconds"]
    return result


@contextlib.contextmanager
def held_connections(server, connections, count):
    """Holds idle connections, each used before."""
    with subprocess.Popen(load_command(server, connections=connections, count=count, seconds=60,
                                       hold=True),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES}) as load:
        line = load.stdout.readline()
        if not line:
            raise SystemExit(f"{server.name} does not take {connections} connections")
        good(server, json.loads(line))
        yield
        load.stdin.close()
