# SPDX-License-Identifier: MIT
"""hookline wait: prints every delivery once, through lost events and restarts."""
import json
import os
import pty
import random
import signal
import termios
import threading
import time

import pytest

from harness import sinks
from harness.cli import GOOD, REFUSED, TIMEOUT, TOOL, TRANSPORT, USAGE, unless_late
from harness.ports import own_host
from harness.sinks import CONTROL, Daemon, Running, Stranger, deliver, event, row, run, says, sink, start
from harness.sink import Folders, check, equal, sample_body, sign, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.seconds(180)]


def watch(*arguments):
    """A wait that is subscribed."""
    return Running("wait", "--verbose", *arguments).await_watch()


def in_vain(option, *arguments):
    """One-second wait for a delivery that never comes; repeated if the sink answers too late."""
    return unless_late(lambda: run("wait", option, "--timeout=1", *arguments),
                       lambda got: got.status == TRANSPORT and "no answer in time" in got.err)


# ---- matching deliveries

def test_one_that_arrives():
    daemon, admin, option = start()
    deliver(daemon, "before")
    waiting = watch(option, "--json", "--timeout=60")
    deliver(daemon, "one")
    deliver(daemon, "two")
    status, out = waiting.end()
    equal("a delivery that arrives ends it", (status, out.count("\n")), (GOOD, 1))
    line = json.loads(out)
    check("it is the line of the log, or the row of the store", line["id"] == "one" and
          line["verdict"] == "stored" and line["seq"] == 2, line)
    equal("what was there before is not waited for", line["id"], "one")
    waiting = watch(option, "--timeout=60")
    deliver(daemon, "three")
    status, out = waiting.end()
    check("for people it is a line that says who and what", status == GOOD and out.endswith(
        "Z  stored  foil  seq 4  gate.open  three\n"), out)


def test_filters():
    upstream = Upstream(lambda request, sock: response(410 if b"bad" in request.body else 200))
    daemon, admin, option = start(destinations=[{"name": "app", "url": upstream.url}])
    wishes = {
        "source": ["--source=git"], "type": ["--type=gate.close"], "types": ["--type=gate.c*"],
        "id": ["--id=four"], "both": ["--source=foil", "--id=four"],
        "duplicate": ["--verdict=duplicate"], "refused": ["--verdict=refused"],
        "forwarded": ["--verdict=forwarded", "--id=four"], "parked": ["--verdict=parked"],
        "either": ["--verdict=parked", "--verdict=duplicate", "--count=2"]}
    running = {name: watch(option, "--json", *wish) for name, wish in wishes.items()}
    deliver(daemon, "one")
    deliver(daemon, "one")
    deliver(daemon, "two", "gate.bad")
    deliver(daemon, "three", "gate.close")
    deliver(daemon, "four")
    daemon.deliver("github", path="/git")
    daemon.send("/git")
    found = {}
    for name, one in running.items():
        status, out = one.end()
        found[name] = [(line["verdict"], line["seq"] if "seq" in line else None)
                       for line in map(json.loads, out.splitlines())]
        equal(f"{name}: it is found", status, GOOD)
    found["either"].sort()
    equal("and it is just that", found, {
        "source": [("stored", 5)], "type": [("stored", 3)], "types": [("stored", 3)],
        "id": [("stored", 4)], "both": [("stored", 4)], "duplicate": [("duplicate", 1)],
        "refused": [("refused", None)], "forwarded": [("forwarded", 4)], "parked": [("parked", 2)],
        "either": [("duplicate", 1), ("parked", 2)]})
    upstream.close()


def test_since():
    daemon, _, option = start()
    for i in range(1, 6):
        deliver(daemon, f"e{i}", "gate.odd" if i % 2 else "gate.even")
    got = run("wait", option, "--since=1h", "--json")
    equal("--since: what is stored already counts, the oldest first",
          (got.status, [line["id"] for line in sinks.lines(got)]), (GOOD, ["e1"]))
    got = run("wait", option, "--since=1h", "--json", "--count=3")
    equal("--count: so many", [line["id"] for line in sinks.lines(got)], ["e1", "e2", "e3"])
    got = run("wait", option, "--since=1h", "--json", "--count=2", "--type=gate.even")
    equal("with filters", [line["id"] for line in sinks.lines(got)], ["e2", "e4"])
    got = in_vain(option, f"--since={int(time.time()) + sink.LONG}")
    says("what was stored before does not count", got, TIMEOUT, "no matching delivery")
    got = in_vain(option, "--since=1h", "--count=9")
    says("too few are told all the same", got, TIMEOUT, "5 of 9 matching deliveries arrived within 1 s")
    equal("each on its line", got.out.count("\n"), 5)
    got = in_vain(option, "--since=1h", "--verdict=duplicate")
    equal("the store knows of no repetitions", (got.status, got.out), (TIMEOUT, ""))
    waiting = Running("wait", option, "--since=1h", "--json", "--count=7")
    for _ in range(5):
        waiting.line()
    deliver(daemon, "e6")
    deliver(daemon, "e7")
    equal("what was stored, then what arrives", [json.loads(line)["id"] for line in
                                                 waiting.end()[1].splitlines()], ["e6", "e7"])


def test_pages_of_the_store():
    daemon, _, option = start()
    for i in range(1, 461):
        deliver(daemon, f"e{i}", "gate.rare" if i in (1, 230, 460) else "gate.open")
    got = run("wait", option, "--since=1h", "--json", "--count=460")
    equal("all pages, in the order of arrival", [line["seq"] for line in sinks.lines(got)],
          list(range(1, 461)))
    got = run("wait", option, "--since=1h", "--json", "--count=2", "--type=gate.rare")
    equal("the oldest ones of many", [line["seq"] for line in sinks.lines(got)], [1, 230])


def test_repetitions():
    daemon, admin, option = start()
    deliver(daemon, "old")
    once = watch(option, "--json", "--count=4")
    all_of_them = watch(option, "--json", "--count=3", "--verdict=duplicate")
    deliver(daemon, "first")
    equal("what comes while it begins is told", once.json()["id"], "first")
    # The wait has searched the store; from here on each line arrives in order.
    for id in ("old", "new", "new", "old", "new", "last"):
        deliver(daemon, id)
    status, out = once.end()
    equal("a delivery that comes again is told once",
          [(line["id"], line["verdict"]) for line in map(json.loads, out.splitlines())],
          [("old", "duplicate"), ("new", "stored"), ("last", "stored")])
    status, out = all_of_them.end()
    equal("repetitions are told all, if it is them that are waited for",
          (status, [json.loads(line)["id"] for line in out.splitlines()]),
          (GOOD, ["old", "new", "old"]))


def test_refusals():
    daemon, admin, option = start()
    waiting = {name: watch(option, "--timeout=60", *more) for name, more in {
        "any": ["--fail-on-refused"], "foil": ["--fail-on-refused", "--source=foil"],
        "git": ["--fail-on-refused", "--source=git"], "not": ["--source=foil"]}.items()}
    body = sample_body("foil")
    daemon.send("/foil", sign("foil", body, secret="another secret, of nobody"), body)
    for name in ("any", "foil"):
        status, out = waiting[name].end()
        check(f"--fail-on-refused, {name}: a refusal ends it with 1 and its reason", status == REFUSED and
              "  refused  foil  signature_mismatch\n" in out, status, out)
    deliver(daemon, "good")
    daemon.deliver("github", path="/git")
    equal("else it is not waited for", waiting["not"].end()[0], GOOD)
    status, out = waiting["git"].end()
    check("a refusal of another source does not count", status == GOOD and "  stored  git  " in out, out)
    waiting = watch(option, "--fail-on-refused")
    daemon.send("/nowhere")
    status, out = waiting.end()
    check("a path of no source counts where all do", status == REFUSED and "(no source)" in out, out)


def test_receipts():
    daemon, admin, option = start()
    answer = daemon.deliver("foil").json
    if "receipt" not in answer:
        sink.skip("a request is found by its receipt", "this hooklined gives none")
        return
    stranger = Stranger()
    waiting = Running("wait", stranger.option, "--receipt=00aa", "--json")
    stranger.await_stream()
    for one in (event(1, receipt="00ab"), event(2), event(3, "forwarded", receipt="00aa"),
                event(None, "refused", receipt="00aa", reason="signature_mismatch")):
        stranger.send(one)
    status, out = waiting.end()
    equal("a request is found by its receipt, and refused it is 1",
          (status, json.loads(out)["verdict"]), (REFUSED, "refused"))
    waiting = Running("wait", stranger.option, "--receipt=00aa", "--verdict=refused", "--json")
    stranger.await_stream(2)
    stranger.send(event(4, "refused", receipt="00aa"))
    equal("but for who wanted just that", waiting.end()[0], GOOD)
    stranger.close()
    waiting = watch(option, "--verdict=refused", "--json", "--count=1")
    receipt = daemon.send("/foil").json["receipt"]
    equal("the receipt in the answer is that of the line", json.loads(waiting.end()[1])["receipt"],
          receipt)


def test_usage():
    _, _, option = start()
    for arguments, *words in ((["--verdict=good"], "--verdict: expected stored"),
                              (["--since=tomorrow"], "--since: expected a time")):
        says(f"{arguments[0]}: wrong usage", run("wait", option, *arguments), USAGE, *words)
    for argument in ("--count=0", "--count=10001", "--timeout=0", "--timeout=-1", "--count=x"):
        got = run("wait", option, argument)
        check(f"{argument}: wrong usage", got.status == USAGE and "expected a number from" in got.err, got)
    got = run("wait", option, "argument")
    check("it takes no arguments", got.status == USAGE and "no arguments" in got.err, got)
    got = unless_late(lambda: in_vain(option), lambda got: got.took > 8)
    says("nothing arrives", got, TIMEOUT, "no matching delivery arrived within 1 s")
    check("and it takes as long as it was told to", got.took > 0.9, got.took)


# ---- between subscription and search

def test_what_arrives_in_between():
    """The wait reads the newest row, subscribes, then searches."""
    for name, rows, stream in (
            ("in the store and among the events", [row(6)], [event(6)]),
            ("in the store alone", [row(6)], []),
            ("among the events alone", [], [event(6)])):
        stranger = Stranger([row(5)], stream)
        stranger.before_page = lambda request, rows=rows, s=stranger: s.watched and \
            s.rows.__setitem__(slice(None), [*rows, row(5)])
        waiting = Running("wait", stranger.option, "--json", "--count=2")
        equal(f"{name}: it is told", waiting.json()["seq"], 6)
        stranger.send(event(6, "duplicate"))
        stranger.send(event(None, "refused"))
        stranger.send(event(7))
        equal(f"{name}: and once", [json.loads(line)["seq"] for line in
                                    waiting.end()[1].splitlines()], [7])
        check(f"{name}: it watches before it asks", [path.split("?")[0] for path in stranger.paths()]
              == ["/deliveries", "/events", "/deliveries"], stranger.paths())
        stranger.close()


def test_lost_events():
    stranger = Stranger([row(1)])
    waiting = Running("wait", stranger.option, "--json", "--count=4")
    stranger.await_stream()
    stranger.send(event(2))
    equal("an event", waiting.json()["seq"], 2)
    stranger.rows = [row(4), row(3), row(2), row(1)]
    stranger.send(b'event: lost\ndata: {"lost_lines":2}\n\n')
    equal("what was lost is found in the store, in its order",
          [waiting.json()["seq"], waiting.json()["seq"]], [3, 4])
    stranger.send(event(4))
    stranger.send(event(3, "duplicate"))
    stranger.send(event(5))
    equal("and not told again", [json.loads(line)["seq"] for line in
                                 waiting.end()[1].splitlines()], [5])
    check("it is said that events were lost", "events were lost" in waiting.messages(),
          waiting.messages())
    stranger.close()


def test_odd_events():
    for name, bytes_ in (("no JSON", b"data: hello\n\n"), ("no object", b"data: [1]\n\n"),
                         ("a line without an end", b"data: " + b"x" * (17 << 20))):
        stranger = Stranger([row(1)], [bytes_])
        waiting = Running("wait", stranger.option)
        stranger.await_stream(2)
        stranger.stream = [event(9)]
        status, out = waiting.end()
        check(f"{name}: it is said, and tried again until it is better", status == GOOD and
              "unexpected answer" in waiting.messages(), status, out, waiting.messages())
        stranger.close()
    stranger = Stranger([], [b"data: {}\n\n", b'data: {"verdict":5}\n\n', b"event: x\ndata: 5\n\n",
                             b'data: {"verdict":"stored","seq":"5"}\n\n', b": hello\n\nid: 5\n\n"])
    got = in_vain(stranger.option, "--source=foil")
    equal("events of another version are let pass", (got.status, got.out), (TIMEOUT, ""))
    stranger.close()


def test_strings_of_strangers():
    hostile = "\x1b]0;x\x07\u009b31m\u202e\r\n\x7f"
    for more in ([], ["--json"]):
        stranger = Stranger([], [event(1, source=hostile, id=hostile, type=hostile, time=hostile)])
        got = run("wait", stranger.option, *more)
        check(f"wait {' '.join(more)}: no control character reaches a terminal", got.status == GOOD and
              not CONTROL.search(got.out[:-1]) and got.out.count("\n") == 1, got)
        if more:
            equal("and as JSON it is exactly what came", got.json()["id"], hostile)
        stranger.close()
    status, seen = sinks.run_on_terminal("wait", "--sink=unix:/nowhere/x\x1b[2J")
    check("nor in a message", status in (USAGE, TRANSPORT) and "\x1b[2J" not in seen, seen)


# ---- a sink that goes away

def test_who_is_not_there_at_first():
    daemon, _, option = start()
    daemon.stop()
    says("a sink that is away at the beginning is an error at once",
         run("wait", option, f"--timeout={sink.LONG}"), TRANSPORT, "no such file")


def leave(how):
    daemon, _, option = start()
    waiting = watch(option, "--timeout=5")
    (daemon.stop if how == "stops" else daemon.kill)()
    return waiting


def left_alone(how):
    """(status, output, messages) of the wait; None if it timed out before it saw the sink go."""
    waiting = leave(how)
    status, out = waiting.end(2 * sink.PATIENCE)
    said = waiting.messages().splitlines()
    return (status, out, said) if len(said) > 2 else None


@pytest.mark.first
def test_and_does_not_come_back():
    for how in ("stops", "is killed"):
        status, out, said = wait_for(lambda how=how: left_alone(how), "a wait that saw the sink go")
        # A stopping sink may accept one more connection.
        between = (": watching", "; reconnecting", "refusals during the outage were missed")
        check(f"a sink that {how} is waited for until the time is over, and it is 5",
              (status, out) == (TRANSPORT, "") and said[0].endswith(": watching")
              and said[1].endswith("; reconnecting") and not said[-1].endswith(between)
              and all(line.endswith(between) for line in said[2:-1]), status, out, said)


def restart(daemon, admin, number=None):
    if number == signal.SIGKILL:
        daemon.kill()
    else:
        daemon.stop()
    return Daemon(sources=[sink.source("foil"), sink.source("git", scheme="github")],
                  listen=[{"address": f"{daemon.address[0]}:0"}],
                  admin={"address": "unix:" + admin.address}, folder=daemon.folder)


def test_a_restart():
    for number in (signal.SIGTERM, signal.SIGKILL):
        daemon, admin, option = start()
        waiting = watch(option, "--json", "--count=3")
        deliver(daemon, "one")
        equal("before the restart", waiting.json()["id"], "one")
        daemon = restart(daemon, admin, number)
        deliver(daemon, "two")  # usually before the wait reconnects
        deliver(daemon, "two")
        equal(f"signal {int(number)}: what came while it was not watched is told", waiting.json()["id"],
              "two")
        wait_for(lambda w=waiting: "reconnected; " in w.messages(), "the message")
        deliver(daemon, "one")
        deliver(daemon, "two")
        deliver(daemon, "three")
        equal("and nothing is told twice", [json.loads(line)["id"] for line in
                                            waiting.end()[1].splitlines()], ["three"])


def test_another_store():
    """The numbers of the second store begin at 1."""
    for before in (5, 0):
        daemon, admin, option = start()
        for i in range(before):
            deliver(daemon, f"old{i}")
        waiting = watch(option, "--json", "--count=6")
        for id in ("one", "two", "three"):
            deliver(daemon, id)
        equal(f"{before} before: of the first store", [waiting.json()["id"] for _ in range(3)],
              ["one", "two", "three"])
        daemon.stop()
        daemon = Daemon(sources=[sink.source("foil")], admin={"address": "unix:" + admin.address})
        for id in ("a", "b"):
            deliver(daemon, id)
        equal("of the second one", [waiting.json()["id"] for _ in range(2)], ["a", "b"])
        deliver(daemon, "c")
        equal("and on", [json.loads(line)["id"] for line in waiting.end()[1].splitlines()], ["c"])


def test_many_restarts():
    """Deliveries continue through stops and kills; each is printed once."""
    daemon, admin, option = start(listen=[{"address": f"{own_host()}:0"}])
    total, restarts = 150, 4
    waiting = watch(option, "--json", f"--count={total}", f"--timeout={sink.LONG}")
    now = [daemon]
    ended = threading.Event()
    # Each daemon gets some deliveries, even after a late restart.
    allowed = threading.Semaphore(0)

    def send_all(first):
        for i in range(first, total, 3):
            allowed.acquire()
            while not ended.is_set():
                try:
                    deliver(now[0], f"e{i}")
                    break
                except (OSError, ValueError, AssertionError):
                    time.sleep(0.01)
            time.sleep(0.01)

    senders = [threading.Thread(target=send_all, args=(i,)) for i in range(3)]
    for sender in senders:
        sender.start()
    choices = random.Random(4)
    for i in range(restarts):
        allowed.release(total // (restarts + 1))
        wait_for(lambda i=i: len(admin_lines(now[0])) >= 5 + choices.randrange(10), "some of them")
        now[0] = restart(now[0], admin, (signal.SIGTERM, signal.SIGKILL)[i % 2])
    allowed.release(total // (restarts + 1))
    for sender in senders:
        sender.join(sink.PATIENCE * 2)
    status, out = waiting.end()
    ended.set()
    seqs = [json.loads(line)["seq"] for line in out.splitlines()]
    ids = [json.loads(line)["id"] for line in out.splitlines()]
    equal("all are told", (status, sorted(ids)), (GOOD, sorted(f"e{i}" for i in range(total))),
          waiting.messages())
    equal("each once", len(set(seqs)), len(seqs))
    check("though the sink was away", "reconnected; " in waiting.messages(), waiting.messages())


def admin_lines(daemon):
    try:
        return daemon.lines(verdict="stored")
    except (OSError, ValueError):
        return []


def read_all(waiting):
    """Output without a leak check, since it is too large."""
    out, _ = waiting.process.communicate(timeout=2 * sink.PATIENCE)
    return waiting.process.returncode, out.decode()


@pytest.mark.first
def test_many_at_once():
    """Several waits under load; the feed buffers a limited number of lines."""
    daemon, _, option = start(log={"body": True, "file": "/dev/null"})
    total = 200
    waiting = [watch(option, "--json", f"--count={total}", f"--timeout={sink.LONG}") for _ in range(5)]

    def send_all(first):
        for i in range(first, total, 4):
            deliver(daemon, f"e{i}", fill="x" * 30000)

    ends = []
    threads = [threading.Thread(target=send_all, args=(i,)) for i in range(4)]
    threads += [threading.Thread(target=lambda w=w: ends.append(read_all(w))) for w in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * sink.PATIENCE)
    for status, out in ends:
        equal("all are told to each", (status, sorted(json.loads(line)["seq"] for line in
                                                      out.splitlines())),
              (GOOD, list(range(1, total + 1))))
    equal("to all of them", len(ends), 5)


def wait_at_a_terminal(option, columns):
    command = [*sink.WRAPPER, TOOL, "wait", option]
    environment = sink.environment({"TERM": "xterm"}, Folders.new())
    pid, terminal = pty.fork()
    if pid == 0:  # after fork() only this thread runs; locks of the others stay held
        termios.tcsetwinsize(0, (24, columns))
        os.execvpe(command[0], command, environment)
    return pid, terminal


def test_interrupted_at_a_terminal():
    daemon, _, option = start()
    for number in (signal.SIGINT, signal.SIGTERM):
        pid, terminal = wait_at_a_terminal(option, 80)
        seen = b""
        while b"waiting for" not in seen:
            seen += os.read(terminal, 4096)
        os.kill(pid, number)
        try:
            while chunk := os.read(terminal, 4096):
                seen += chunk
        except OSError:  # a terminal reports EIO once its process has exited
            pass
        equal(f"{signal.strsignal(number)}: it ends by the signal", os.WTERMSIG(os.waitpid(pid, 0)[1]),
              number)
        check("and leaves no half of a line", seen.endswith(b"\r\x1b[K"), seen)


def test_at_a_narrow_terminal():
    """A wrapped line would stay on the screen."""
    daemon, _, option = start()
    pid, terminal = wait_at_a_terminal(option, 12)
    seen = b""
    while seen.count(b"\x1b[K") < 3:
        seen += os.read(terminal, 4096)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    equal("a line that is written over ends where the terminal does",
          seen.split(b"\r\x1b[K")[1:3], [b"waiting for"] * 2)


def test_a_reader_who_leaves():
    daemon, admin, option = start()
    waiting = watch(option, "--count=100")
    waiting.process.stdout.close()
    for i in range(3):
        deliver(daemon, f"e{i}")
    equal("who cannot write ends like other tools", waiting.process.wait(sink.PATIENCE), -signal.SIGPIPE)
    check("and in silence", waiting.messages().endswith(": watching\n"), waiting.messages())
