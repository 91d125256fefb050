# SPDX-License-Identifier: MIT
"""Successful pings: output, recipients and requirements."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time

import pytest

from harness import cli
from harness import sink
from harness.cli import GOOD, REFUSED, STALE, TIMEOUT, TRANSPORT, USAGE, Run, tells, unless_late
from harness.emulator import Emulator
from harness.ports import free_port
from harness.provider import ENDPOINTS, KEY, ORGANIZATION, Provider, arguments
from harness.scene import KINDS, SOURCES, Scene
from harness.sink import Folders, Watch, check, equal, wait_for, write_file
from harness.upstream import header, response

pytestmark = [pytest.mark.running, pytest.mark.threads]

ROW = re.compile(r"(\w+) +(\d+) ms  (\S.*)")
IN_KEY = {"KEY": KEY}
SHORT = 20 if sink.WRAPPER else 2  # seconds, for deliveries that never come

@pytest.fixture(scope="module")
def scene():
    made = Scene()
    yield made
    made.close()


def rows(text):
    """Table rows as [(what, ms, text)], and the lines after them."""
    lines = text.splitlines()
    table = [ROW.fullmatch(line) for line in lines]
    count = table.index(None) if None in table else len(table)
    return [(m[1], int(m[2]), m[3]) for m in table[:count]], lines[count:]

def is_open(got):
    """True if the provider or the application was still pending when the ping ended."""
    return any(what == "waiting" or what == "provider" and "pending" in text
               for what, _, text in rows(got.out)[0])


def test_a_table(scene):
    for kind in SOURCES:
        got = unless_late(lambda kind=kind: scene.ping(kind), is_open)
        table, rest = rows(got.out)
        whats = [what for what, _, _ in table]
        check(f"{kind}: a ping through emulator, sink and application is good", got.status == GOOD,
              got)
        equal(f"{kind}: there is a row for each step", sorted(whats),
              sorted(["triggered", "answered", "received", "verified", "stored", "forwarded",
                      "provider"]), got)
        check(f"{kind}: it begins with the trigger and then follows the time",
              table[0][:2] == ("triggered", 0) and [ms for _, ms, _ in table] ==
              sorted(ms for _, ms, _ in table) and
              whats.index("received") < whats.index("verified") < whats.index("stored"), got)
        check(f"{kind}: what and when stand in columns",
              len({line.index(" ms  ") for line in got.out.splitlines()[:len(table)]}) == 1, got)
        check(f"{kind}: what the provider got stands beside what we answered",
              any(what == "provider" and "got 200, as the sink answered" in text
                  for what, _, text in table), got)
        line = scene.sink.lines(source=kind, verdict="stored")[-1]
        check(f"{kind}: the last line says which delivery it was",
              len(rest) == 1 and rest[0].startswith("confirmed: ")
              and f"stored as {line['seq']} in" in rest[0], got)
        equal(f"{kind}: nothing is said on standard error", got.err, "")
        equal(f"{kind}: the application has it", scene.app.seqs()[-1], line["seq"])


def test_for_scripts(scene):
    for kind in KINDS:
        got = unless_late(lambda kind=kind: scene.ping(kind, "--json", "--forwarded"),
                          lambda got: got.json()["provider_says"]["state"] == "pending")
        told = got.json()
        line = [line for line in scene.sink.lines(source=kind) if "receipt" in line][-1]
        equal(f"{kind}: --json is one line, and nothing else is said",
              (got.status, got.out.count("\n"), got.err), (GOOD, 1, ""))
        equal(f"{kind}: it says that it is confirmed",
              [told[key] for key in ("confirmed", "exit_status", "diagnosis", "exact", "provider",
                                     "endpoint", "source")],
              [True, 0, "confirmed", True, kind, scene.endpoints[kind]["id"], kind])
        equal(f"{kind}: what it says of the sink is what the sink's line says",
              {key: told["sink"].get(key) for key in
               ("time", "seq", "id", "type", "receipt", "signed_at", "bytes", "verdict")},
              {key: line[key] for key in
               ("time", "seq", "id", "type", "receipt", "signed_at", "bytes", "verdict")})
        equal(f"{kind}: found by", told["sink"]["found_by"],
              {"foil": "receipt", "shodai": "time", "trulayer": "receipt"}[kind])
        equal(f"{kind}: what the provider says", (told["provider_says"]["state"],
                                                  told["provider_says"]["status"]),
              ("delivered", 200))
        equal(f"{kind}: the destination has it", told["destinations"],
              [{"name": "app", "state": "done", "tries": 1, "status": 200}])
        times = [row["time"] for row in told["timeline"]]
        check(f"{kind}: the timeline has moments, in their order", times == sorted(times) and
              all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times),
              told["timeline"])
    foil = scene.told("foil")[1]
    equal("foil: the event's id is that of the delivery", foil["provider_says"]["event_id"],
          foil["sink"]["id"])


def test_quietly(scene):
    got = scene.ping("foil", "--quiet")
    equal("--quiet says nothing of what goes well", (got.status, got.out, got.err), (GOOD, "", ""))
    got = scene.ping("foil", "--quiet", "--fault", "wrong-secret")
    check("--quiet says in one line what does not", got.status == REFUSED and got.out == ""
          and got.err.count("\n") == 1 and "signature_mismatch" in got.err, got)
    got = scene.ping("foil", "--quiet", "--json")
    equal("with --json, too, it says nothing of what goes well", (got.status, got.out, got.err),
          (GOOD, "", ""))
    got = scene.ping("foil", "--quiet", "--json", "--fault", "wrong-secret")
    equal("and all of what does not", (got.status, cli.json.loads(got.out)["diagnosis"]),
          (REFUSED, "signature_mismatch"))

# ---- the key

def with_key(scene, *more, environment=None, kind="foil"):
    server = Provider(kind, (scene.sink.address, "/" + kind))
    address = "unix:" + scene.socket
    got = Run("ping", kind, "--endpoint", ENDPOINTS[kind], "--organization", ORGANIZATION,
              "--base-url", server.base, "--sink", address, *more, environment=environment)
    server.close()
    return got, server


def test_keys(scene):
    folder = Folders.new()
    file = write_file(f"{folder}/key", KEY + "\n")
    for name, options, environment in (
            ("a file", ("--key", "@" + file), {}),
            ("the environment", ("--key", "env:KEY"), IN_KEY),
            ("the credentials", ("--key", "credential:key"), {"CREDENTIALS_DIRECTORY": folder}),
            ("the documented variable", (), {"FOIL_SECRET_KEY": KEY}),
            ("the variable of its name", (), {"FOIL_API_KEY": KEY}),
            ("that variable, if the documented one is empty", (),
             {"FOIL_SECRET_KEY": "", "FOIL_API_KEY": KEY}),
            ("both variables, if they agree", (), {"FOIL_SECRET_KEY": KEY, "FOIL_API_KEY": KEY}),
            ("the option, whatever the variables are", ("--key", "env:KEY"),
             {**IN_KEY, "FOIL_SECRET_KEY": "sk_other", "FOIL_API_KEY": "sk_another"})):
        got, server = with_key(scene, *options, environment=environment)
        check(f"the key comes from {name}", got.status == GOOD and got.err == ""
              and server.keys == {"Bearer " + KEY}, got, server.keys)
    for kind, first, second in (("foil", "FOIL_SECRET_KEY", "FOIL_API_KEY"),
                                ("tripwire", "TRIPWIRE_SECRET_KEY", "TRIPWIRE_API_KEY")):
        got, server = with_key(scene, environment={first: KEY, second: "sk_another"}, kind=kind)
        check(f"{kind}: of two that differ it is the documented one, with a warning",
              got.status == GOOD and server.keys == {"Bearer " + KEY}
              and got.err == f"hookline: warning: {first} and {second} differ; the key is that of "
              f"{first}\n", got, server.keys)
    got, server = with_key(scene, environment={"FOIL_SECRET_KEY": KEY}, kind="tripwire")
    check("Tripwire's key is not Foil's", got.status == USAGE and "TRIPWIRE_SECRET_KEY" in got.err,
          got)
    for name, options, environment, said in (
            ("no key", (), {}, "FOIL_SECRET_KEY"),
            ("a key on the command line", ("--key", KEY), {}, "does not belong"),
            ("an empty key", ("--key", "env:KEY"), {"KEY": ""}, ""),
            ("a key with a line end in it", ("--key", "env:KEY"), {"KEY": "a\r\nX-Evil: 1"},
             "a newline"),
            ("a key for all to read", ("--key", "@" + write_file(f"{folder}/open", KEY, 0o644)), {},
             "chmod"),
            ("two keys", ("--key", "env:KEY", "--key", "env:KEY"), IN_KEY, "--key given twice")):
        got, server = with_key(scene, *options, environment=environment)
        check(f"{name}: a usage error that says so, before anything is sent",
              got.status == USAGE and said in got.err and not server.server.requests, got)
        Watch.see(name, (got.out + got.err).encode())


def test_headers(scene):
    server = Provider("foil", (scene.sink.address, "/foil"))
    Run(*arguments("foil", server.base, "unix:" + scene.socket), environment=IN_KEY)
    first = server.server.requests[0]
    equal("the trigger is a POST without a body", (first.method, first.body), ("POST", b""))
    check("it says who asks", header(first, "User-Agent").startswith("hookline/"), first)
    equal("it asks for JSON, and for no fault", (header(first, "Accept"),
                                                 header(first, "Hookline-Fault")),
          ("application/json", ""))
    server.close()

# ---- sink configurations

def test_behind_the_sink():
    statuses = {"good": 200, "gone": 410, "busy": 503}
    late = f"did not answer within {SHORT} s|nothing reached|no answer in time|did not list its destinations within"
    for name, outcome, said, more in (
            ("good", GOOD, "and accepted by app", ()), ("gone", REFUSED, "parked", ()),
            ("busy", TIMEOUT, f"app did not accept it within {SHORT} s", ("--timeout", SHORT))):
        scene = Scene(answer=lambda r, s, name=name: response(statuses[name]))
        got = unless_late(lambda scene=scene, more=more: scene.ping("foil", "--forwarded", *more),
                          lambda got, more=more: more and re.search(late, got.err))
        check(f"--forwarded, and the application is {name}: exit status {outcome}, and it says so",
              got.status == outcome and said in got.out + got.err, got)
        got = unless_late(lambda scene=scene: scene.ping("shodai"), is_open)
        check(f"without it, and the application is {name}: it is good that it is stored",
              got.status == GOOD and (name == "good") == ("has not accepted it yet" not in got.out),
              got)
        scene.close()
    scene = Scene(answer=False)
    got = scene.ping("foil", "--forwarded")
    check("--forwarded where there is no destination is refused", got.status == REFUSED
          and "no destination takes" in got.err, got)
    got = scene.ping("trulayer")
    check("without a destination there is no row about one", got.status == GOOD
          and "forwarded" not in got.out, got)
    scene.close()

def test_over_tcp():
    token = write_file(Folders.new() + "/token", "token-of-the-administrator-0123456789\n")
    daemon = sink.Daemon(sources=[sink.source("foil")],
                         admin={"address": f"127.0.0.1:{(port := free_port())}",
                                "token": {"file": token}})
    server = Provider("foil", (daemon.address, "/foil"))
    address = f"http://127.0.0.1:{port}"
    got = Run(*arguments("foil", server.base, address, "--sink-token", "@" + token),
              environment=IN_KEY)
    check("the sink may be asked over TCP, with its token", got.status == GOOD, got)
    got = Run(*arguments("foil", server.base, address), environment=IN_KEY)
    check("without the token nothing is sent, and the sink is named", got.status == TRANSPORT
          and len(server.server.requests) == 2 and address in got.err, got)
    server.close()

# ---- a ping as its own sink

class Listening:
    """A ping with its own sink, and a provider that delivers to it."""
    def __init__(self, kind="foil", **options):
        self.kind, self.folder, self.port = kind, Folders.new(), free_port()
        self.secret = write_file(f"{Folders.new()}/secret", sink.SECRETS[kind] + "\n")
        self.server = Provider(kind, (("127.0.0.1", self.port), "/" + kind), **options)

    def arguments(self, *more):
        return [*(a for a in arguments(self.kind, self.server.base, "") if a not in ("--sink", "")),
                "--listen", f"127.0.0.1:{self.port}", "--secret", "@" + self.secret, *more]

    def run(self, *more):
        return Run(*self.arguments(*more), environment={**IN_KEY, "TMPDIR": self.folder})

    def start(self, *more):
        return subprocess.Popen([*sink.WRAPPER, cli.TOOL, *self.arguments(*more)],
                                env={**os.environ, **IN_KEY, "TMPDIR": self.folder},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=sink.die_with_parent)

def test_its_own_sink():
    for kind in KINDS:
        own = Listening(kind)
        got = own.run()
        check(f"{kind}: with --listen it receives, verifies and confirms by itself",
              got.status == GOOD and "stored as 1 in" in got.out and got.err == "", got)
        equal(f"{kind}: no file stays behind", os.listdir(own.folder), [])
        got = own.run("--path", "/elsewhere")
        check(f"{kind}: at another path it is not found", got.status == REFUSED
              and "not_found" in got.err, got)
        own.server.close()
    own = Listening(secret="another secret of 26 bytes")
    got = own.run()
    check("its own sink refuses, too", got.status == REFUSED and "signature_mismatch" in got.err,
          got)
    equal("and cleans up", os.listdir(own.folder), [])
    got = own.run("--listen", "unix:/nonexistent")
    check("--listen takes no Unix socket, to which no URL leads",
          got.status == USAGE and "expected a numeric ADDRESS:PORT" in got.err, got)
    got = own.run("--listen", "127.0.0.1:0x")
    check("an address that is none is a usage error that offers no Unix socket, either",
          got.status == USAGE and got.err.endswith("expected a numeric ADDRESS:PORT\n"), got)
    folder = own.folder
    own.folder = os.path.join(folder, "x" * (74 - len(folder)))
    os.mkdir(own.folder)
    equal("a folder of 75 bytes has room for a socket's name", own.run().status, REFUSED)
    own.folder += "x"
    os.mkdir(own.folder)
    got = own.run()
    check("a longer one has not, and is told as what is wrong", got.status == USAGE
          and "set a shorter TMPDIR" in got.err, got)
    equal("and is left empty", os.listdir(own.folder), [])
    os.rmdir(own.folder)
    os.rmdir(own.folder[:-1])
    own.folder = folder
    got = own.run("--scheme", "none")
    check("a scheme that is none is a usage error", got.status == USAGE
          and "unknown scheme" in got.err, got)
    with sink.socket.create_server(("127.0.0.1", own.port)):
        got = own.run()
    check("an address that is taken is told", got.status == TRANSPORT
          and "address already in use" in got.err and str(own.port) in got.err, got)
    equal("after all of these no file stays behind", os.listdir(own.folder), [])
    own.server.close()

def test_the_emulator_and_nothing_else():
    """First use: two commands and no configuration."""
    folder, port = Folders.new(), free_port()
    secret = write_file(f"{folder}/secret", sink.SECRETS["shodai"] + "\n")
    url = f"http://127.0.0.1:{port}"
    emulator = Emulator("--endpoint", f"shodai={url}/shodai,@{secret}")
    endpoint = emulator.start["endpoints"][0]["id"]
    command = ["ping", "shodai", "--endpoint", endpoint, "--base-url", emulator.base, "--key",
               "@" + emulator.start["keys"]["shodai"], "--listen", f"127.0.0.1:{port}", "--secret",
               "@" + secret]
    got = Run(*command)
    check("emulator and ping alone make a round trip", got.status == GOOD
          and "stored as 1 in" in got.out and got.err == "", got)
    got = Run(*command, "--fault", "future=412")
    check("with a fault it is refused, and it is told why", got.status == STALE
          and tells(got.err, r"the sink's is {412} s behind", got.took), got)
    got = Run(*command, "--path", "/shodai/v2")
    check("at another path it is not found", got.status == REFUSED and "not_found" in got.err, got)
    emulator.stop()


def test_options_that_do_not_fit():
    own = Listening()
    for name, more, said in (("--sink", ("--sink", "unix:x"), "--listen and --sink"),
                             ("--forwarded", ("--forwarded",), "has no destinations")):
        got = own.run(*more)
        check(f"--listen does not go with {name}", got.status == USAGE and said in got.err, got)
    got = Run(*arguments("foil", own.server.base, "unix:x", "--path", "/x"), environment=IN_KEY)
    check("--path needs --listen", got.status == USAGE and "need --listen" in got.err, got)
    without = [a for a in own.arguments() if a not in ("--secret", "@" + own.secret)]
    got = Run(*without, environment=IN_KEY)
    check("--listen needs a secret", got.status == USAGE and "--secret" in got.err, got)
    got = Run("ping", "foil", "--endpoint", ENDPOINTS["foil"], "--organization", ORGANIZATION,
              "--fault", "stale", environment={"FOIL_API_KEY": KEY})
    check("--fault needs --base-url: the real provider is no place for it",
          got.status == USAGE and "--base-url" in got.err, got)
    got = Run(*arguments("foil", own.server.base, "unix:x", "--fault", "sabotage"),
              environment=IN_KEY)
    check("a fault that nobody knows is a usage error", got.status == USAGE
          and "sabotage" in got.err, got)
    equal("nothing of that was sent", own.server.server.requests, [])
    own.server.close()

def test_interrupted():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        own = Listening(deliver=lambda event: "never", at_once=False)
        process = own.start()
        wait_for(lambda own=own: own.server.server.requests, "the trigger")
        check("while it listens there is a folder",
              any(name.startswith("hookline-ping-") for name in os.listdir(own.folder)))
        process.send_signal(number)
        out, err = process.communicate(timeout=3 * sink.PATIENCE)
        if not sink.WRAPPER:
            equal(f"{number.name} ends it by that signal", process.returncode, -number, out, err)
        equal(f"{number.name}: no file stays behind", os.listdir(own.folder), [])
        own.server.close()

def test_signals_that_are_ignored():
    """nohup(1) and background jobs of a shell script ignore these signals."""
    told = threading.Event()
    own = Listening(at_once=False, deliver=lambda event: told.wait(sink.PATIENCE) and
                    own.server.really_deliver(event))
    process = subprocess.Popen(
        [*sink.WRAPPER, cli.TOOL, *own.arguments("--timeout", str(2 * sink.PATIENCE))],
        env={**os.environ, **IN_KEY, "TMPDIR": own.folder}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_IGN)
                            for n in (signal.SIGINT, signal.SIGHUP)])
    wait_for(lambda: own.server.server.requests, "the trigger")
    for number in (signal.SIGINT, signal.SIGHUP):
        process.send_signal(number)
    told.set()
    out, err = process.communicate(timeout=3 * sink.PATIENCE)
    equal("signals that are ignored do not end it", process.returncode, GOOD, out, err)
    own.server.close()

# ---- terminals

def on_terminal(arguments_of, environment, on_seen=lambda data: None):
    """Terminal output of the command; calls `on_seen` after each read."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*sink.WRAPPER, cli.TOOL, *arguments_of], stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=slave, env={**os.environ, **environment},
                               preexec_fn=sink.die_with_parent)
    os.close(slave)
    data, end = b"", time.monotonic() + 3 * sink.PATIENCE
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            data += part
            on_seen(data)
    os.close(master)
    process.wait(sink.PATIENCE)
    Watch.see("terminal", data)
    return data.decode(), process.returncode


def test_terminals(scene):
    waiting = threading.Event()

    def is_awaited(data):
        if b"waiting for the delivery" in data:
            waiting.set()

    def slowly(event):
        """Delivers once the progress line is visible, or after the time it would need."""
        waiting.wait(sink.PATIENCE if is_shown else 0.6)
        return server.really_deliver(event)
    is_shown = True
    server = Provider("foil", (scene.sink.address, "/foil"), deliver=slowly, at_once=False)
    command = arguments("foil", server.base, "unix:" + scene.socket)
    seen, status = on_terminal(command, {**IN_KEY, "TERM": "xterm", "NO_COLOR": ""}, is_awaited)
    is_shown = False
    waiting.clear()
    check("on a terminal a line says what it is waiting for", status == GOOD
          and "waiting for the delivery at source foil" in seen, repr(seen))
    check("that line is gone at the end", seen.rindex("\r\x1b[K") < seen.index("triggered"),
          repr(seen))
    check("there are colours", "\x1b[32mstored" in seen and "\x1b[32mconfirmed" in seen, repr(seen))
    seen, _ = on_terminal(command, {**IN_KEY, "TERM": "xterm", "NO_COLOR": "1"})
    check("with NO_COLOR there are none", "\x1b[3" not in seen and "confirmed" in seen, repr(seen))
    seen, _ = on_terminal(command, {**IN_KEY, "TERM": "dumb"})
    check("a dumb terminal gets no escapes", "\x1b" not in seen and "confirmed" in seen, repr(seen))
    seen, _ = on_terminal([*command, "--quiet"], {**IN_KEY, "TERM": "xterm"})
    equal("--quiet is quiet on a terminal, too", seen, "")
    got = Run(*command, environment={**IN_KEY, "TERM": "xterm"})
    check("without a terminal there is neither progress nor colour",
          got.status == GOOD and got.err == "" and "\x1b" not in got.out, got)
    server.close()

# ---- concurrent pings


def test_turns(scene):
    """Shodai's answer contains nothing that identifies the delivery."""
    lock, under_way, most = threading.Lock(), [0], [0]

    def one_by_one(event):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.05)
        got = server.really_deliver(event)
        with lock:
            under_way[0] -= 1
        return got
    server = Provider("shodai", (scene.sink.address, "/shodai"), deliver=one_by_one)
    command = arguments("shodai", server.base, "unix:" + scene.socket, "--json", "--timeout",
                        2 * sink.PATIENCE)
    results = []
    threads = [threading.Thread(target=lambda: results.append(Run(*command, environment=IN_KEY)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [json.loads(got.out) for got in results]
    equal("pings that only the time can tell apart take turns", most[0], 1)
    check("and each of them is sure of its own", len({t["sink"]["seq"] for t in told}) == 8
          and all(t["confirmed"] and t["exact"] for t in told), told)
    server.close()


def test_a_turn_that_does_not_come(scene):
    held = threading.Event()
    server = Provider("shodai", deliver=lambda event: held.wait(sink.LONG) and None)
    other = Provider("shodai", (scene.sink.address, "/shodai"))
    first = subprocess.Popen(
        [*sink.WRAPPER, cli.TOOL, *arguments("shodai", server.base, "unix:" + scene.socket),
         "--timeout", str(sink.LONG)],
        env={**os.environ, **IN_KEY}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=sink.die_with_parent)
    wait_for(lambda: server.server.requests, "the first trigger")
    command = arguments("shodai", other.base, "unix:" + scene.socket)
    got = Run(*command, "--timeout", 1, environment=IN_KEY)
    check("who waits for another ping until the time is over says which one it is",
          got.status == TIMEOUT and (sink.WRAPPER or f"process {first.pid}" in got.err)
          and "nothing was sent" in got.err, got)
    equal("and has sent nothing", other.server.requests, [])
    got = scene.ping("trulayer")
    check("a ping of another source does not wait", got.status == GOOD, got)
    first.kill()
    first.wait()
    got = Run(*command, environment=IN_KEY)
    check("the turn of one that was killed is free", got.status == GOOD, got)
    held.set()
    server.close()
    other.close()


def test_doubt(scene):
    """Another machine triggers a test at the same time."""
    def twice(event):
        server.really_deliver("evt_of_somebody_else")
        return server.really_deliver(event)
    server = Provider("shodai", (scene.sink.address, "/shodai"), deliver=twice)
    got = Run(*arguments("shodai", server.base, "unix:" + scene.socket, "--json"),
              environment=IN_KEY)
    check("where it could be either of two it says so", got.status == GOOD
          and not got.json()["exact"] and "may be another" in got.json()["text"], got)
    server.close()
