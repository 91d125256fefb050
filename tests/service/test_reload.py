# SPDX-License-Identifier: MIT
"""SIGHUP applies a new configuration without a restart. Requests in progress keep the old one, and
an invalid file changes nothing."""
import contextlib
import json
import os
import signal
import threading

import pytest

from harness import sink
from harness.admin import value
from harness.sink import (Daemon, Folders, check, equal, request, sample_body, sign, source,
                          wait_for, write_file)
from harness.told import (KEPT, NEW, OLD, SAID, Told, body_of, deliver, destination, labelled,
                          query, slow, used)
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]


# ---- sources and secrets

def test_sources():
    told = Told({"sources": [source("foil")]})
    daemon = told.daemon
    equal("before: the new source is not there", daemon.deliver("github").status, 404)
    said = told.reload(sources=[source("github"), source("stripe")])
    equal("a source that is new is there", [daemon.deliver(s).status for s in ("github", "stripe")],
          [200, 200])
    equal("one that is taken out is not", daemon.deliver("foil").status, 404)
    check("it is said how many there are", f"{SAID}: 2 sources, 0 destinations" in said, said)
    told.reload(sources=[source("foil", path="/other")])
    equal("a source may get another path",
          (daemon.deliver("foil").status, daemon.deliver("foil", path="/other").status), (404, 200))
    metrics = told.admin.metrics()
    equal("counters go on over reloads, also those of sources that are none any more",
          [value(metrics, "hookline_deliveries_total", source=s, verdict="stored")
           for s in ("foil", "github", "stripe")], [1, 1, 1])
    told.reload(sources=[source("foil")])
    daemon.deliver("foil")
    equal("and of one that comes back",
          value(told.admin.metrics(), "hookline_deliveries_total", source="foil", verdict="stored") +
          value(told.admin.metrics(), "hookline_deliveries_total", source="foil",
                verdict="duplicate"), 2)


def test_rotation():
    told = Told({"sources": [labelled((OLD, None))]})
    daemon = told.daemon
    deliver(daemon, 1)
    line = daemon.lines()[-1]
    equal("a secret without a label: its place is in the line, and counted",
          (line["secret"], line["secret_label"], used(told, "#0")), (0, None, 1))
    told.reload(sources=[labelled((NEW, "new"), (OLD, "old"))])
    for number, secret, label in ((2, OLD, "old"), (3, NEW, "new"), (4, NEW, "new")):
        status = deliver(daemon, number, secret=secret).status
        line = daemon.lines()[-1]
        equal(f"both secrets are good, and the line says which one it was: {label}",
              (status, line["secret_label"], line["secret"]), (200, label, ["new", "old"].index(label)))
    equal("and so do the metrics", (used(told, "old"), used(told, "new")), (1, 2))
    told.reload(sources=[labelled((NEW, "new"))])
    answers = [deliver(daemon, 5, secret=OLD), deliver(daemon, 6, secret=NEW)]
    equal("the old one is not good any more", [a.status for a in answers], [401, 200])
    line = daemon.lines(verdict="refused")[-1]
    equal("a refusal names no secret", (line["secret"], line["secret_label"]), (None, None))
    write_file(told.config["sources"][0]["secrets"][0]["file"], OLD + "\n")
    told.hup()
    equal("the files of secrets are read again, too", deliver(daemon, 7, secret=OLD).status, 200)
    sentence = "secrets that are not used any more are wiped from memory"
    if sink.WRAPPER or not readable(daemon):
        sink.skip(sentence, "the memory of the process cannot be read")
        return
    check("the memory holds the secret that is in force", in_memory(daemon, OLD))
    wait_for(lambda: not in_memory(daemon, NEW), "the end of the old secret")
    check(sentence, not in_memory(daemon, NEW))


def readable(daemon):
    try:
        with open(f"/proc/{daemon.process.pid}/mem", "rb"):
            return in_memory(daemon, OLD)
    except OSError:
        return False


def in_memory(daemon, text):
    found = False
    with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{daemon.process.pid}/mem", "rb") as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(part, 16) for part in span.split("-"))
            if not mode.startswith("rw") or end - begin > 1 << 28:
                continue
            with contextlib.suppress(OSError, ValueError, OverflowError):
                memory.seek(begin)
                found |= text.encode() in memory.read(end - begin)
    return found


def test_command_line():
    folder = Folders.new()
    path = write_file(f"{folder}/secret", OLD)
    daemon = Daemon(arguments=["--listen", "127.0.0.1:0", "--source", f"foil=foil:@{path}",
                               "--store", f"{folder}/store"])
    write_file(path, NEW)
    daemon.tell(signal.SIGHUP)
    wait_for(lambda: SAID in daemon.messages(), "the message")
    equal("without a file, the secrets that the command line names are read again",
          [deliver(daemon, 1, secret=s).status for s in (OLD, NEW)], [401, 200])


def test_limits():
    told = Told({"sources": [source("foil")],
                 "limits": {"body_bytes": 1000, "shutdown_seconds": sink.LONG}}, real_time=True)
    body = sample_body("foil") + b" " * 1500
    send = lambda: told.daemon.send("/foil", sign("foil", body), body).status
    equal("a body over the limit", send(), 413)
    body = sample_body("foil") + b" " * 500
    equal("and one that is not", send(), 200)
    told.reload(limits={"body_bytes": 3000})
    body = sample_body("foil") + b" " * 2500
    equal("body_bytes: the limit can be raised, for the next request", send(), 200)
    told.reload(limits={"body_bytes": 300}, log={"body": True})
    equal("the limit can be lowered", send(), 413)
    body = sample_body("foil")
    equal("and that is all", send(), 200)
    check("log.body can be set", "body" in told.daemon.lines()[-1])
    with told.daemon.connect() as idle, told.daemon.connect() as other:
        other.write(request("/foil", sign("foil", body), body))
        equal("connections are open", other.read().status, 200)
        told.reload(limits={"connections": 2})
        with told.daemon.connect() as third:
            third.write(request("/foil", sign("foil", body), body))
            equal("connections: the limit can be changed",
                  (third.read().status, idle.ended()), (200, True))
        told.reload(limits={"idle_seconds": 1})
        check("idle_seconds: also for those that are open", idle.ended() and other.ended())
    told.reload(limits={"shutdown_seconds": 1})
    with told.daemon.connect() as half:
        half.write(request("/foil", sign("foil", body), body)[:-5])
        equal("a request is half-sent", told.daemon.deliver("foil").status, 200)
        equal("shutdown_seconds: can be changed", told.daemon.stop(), 0)


def test_included():
    folder = Folders.new()
    told = Told({"include": f"{folder}/*.yaml"})
    daemon = told.daemon
    equal("include: before there is a file, there is no source", daemon.deliver("foil").status, 404)
    write_file(f"{folder}/foil.yaml", json.dumps({"sources": [source("foil")]}))
    said = told.hup()
    equal("include: a file that is dropped there is read", daemon.deliver("foil").status, 200)
    check("include: and counted", f"{SAID}: 1 source, 0 destinations" in said, said)
    write_file(f"{folder}/github.yaml", "sources:\n  - name: github\n    schema: github\n")
    said = told.hup()
    check("include: a bad one is named, and its line",
          f"{KEPT}{folder}/github.yaml:3: " in said and "schema" in said, said)
    equal("include: and nothing has changed", daemon.deliver("foil").status, 200)
    os.unlink(f"{folder}/github.yaml")
    os.unlink(f"{folder}/foil.yaml")
    told.hup()
    equal("include: a file that is taken away is gone", daemon.deliver("foil").status, 404)


# ---- invalid configurations

def test_bad_configurations():
    told = Told({"sources": [source("foil")]})
    daemon, good = told.daemon, told.config
    missing = source("foil")
    missing["secrets"][0]["file"] += ".none"
    for name, config, says in (
            ("an unknown scheme", {"sources": [dict(source("foil"), scheme="nonsense")]}, "unknown scheme"),
            ("a secret that is missing", {"sources": [missing]}, "No such file"),
            ("an unknown key", dict(good, thread=3), "thread"),
            ("a destination with a bad URL",
             dict(good, destinations=[{"name": "app", "url": "ftp://x"}]), "destination app")):
        text = json.dumps({"listen": [{"address": "127.0.0.1:0"}], "threads": 1, **config}, indent=1)
        write_file(told.path, text)
        said = told.hup()
        check(f"{name}: one line says where and what it is",
              f"hooklined: {KEPT}{told.path}:" in said and says in said and SAID not in said, said)
        equal(f"{name}: the old configuration goes on", daemon.deliver("foil").status, 200)
    write_file(told.path, "sources: [")
    check("a file that is no YAML is refused", f"{KEPT}{told.path}:" in told.hup())
    os.unlink(told.path)
    check("a file that is missing is refused by name",
          f"{KEPT}{told.path}: No such file or directory" in told.hup())
    equal("the old configuration goes on", daemon.deliver("foil").status, 200)
    told.reload()
    check("a good one is taken after a bad one", True)


def test_needs_a_restart():
    told = Told({"sources": [source("foil")]})
    address = told.daemon.address
    said = told.reload(listen=[{"address": "127.0.0.1:9"}], threads=7, store={"keep_days": 3},
                       log={"file": "/nonexistent"}, sources=[source("github")],
                       admin={"address": "127.0.0.1:0"})
    for part in ("listen", "threads", "store", "log.file", "admin"):
        check(f"{part}: that a change needs a restart is said",
              f"hooklined: {part}: the change needs a restart\n" in said, said)
    equal("the rest is in force",
          sink.send(address, "/github", sign("github", b"{}"), b"{}").status, 200)
    said = told.hup()
    check("nothing else is said", said.count("needs a restart") == 5, said)


# ---- destinations

def test_destinations():
    one, two = Upstream(), Upstream()
    told = Told({"sources": [source("foil")]})
    daemon = told.daemon
    equal("without destinations nothing is forwarded", deliver(daemon, 1).status, 200)
    equal("nor is there anything to replay", told.admin.post("/deliveries/1/replay").status, 409)
    told.reload(destinations=[destination(one)])
    deliver(daemon, 2)
    one.wait(1)
    equal("a destination that is new gets what comes from then on", one.seqs(), [2])
    told.reload(destinations=[destination(one), destination(two, "two", types=["gate.*"])])
    deliver(daemon, 3)
    deliver(daemon, 4, kind="gate.x")
    one.wait(3)
    two.wait(1)
    equal("a second one, with its filter", (sorted(one.seqs()), two.seqs()), ([2, 3, 4], [4]))
    told.reload(destinations=[destination(two, "two")])
    deliver(daemon, 5)
    two.wait(2)
    equal("one that is taken out gets nothing more, and filters change",
          (sorted(one.seqs()), sorted(two.seqs())), ([2, 3, 4], [4, 5]))
    told.reload(destinations=[destination(one), destination(two, "two")])
    one.wait(4)
    equal("one that comes back goes on where it was", sorted(one.seqs()), [2, 3, 4, 5])
    families = told.admin.metrics()
    equal("the metrics are those of the destinations in force",
          sorted({labels["destination"] for _, labels, _ in families["hookline_attempts_total"].samples}),
          ["app", "two"])
    wait_for(lambda: told.admin.states(5) == {"app": "done", "two": "done"}, "both to be done")
    check("and so is the list", True)
    equal("a replay reaches all of them",
          (told.admin.post("/deliveries/5/replay").json["replayed"], one.wait(5)[-1].method,
           two.wait(3)[-1].method), (2, "POST", "POST"))
    told.reload(destinations=[destination(two, "app"), destination(one, "two")])
    deliver(daemon, 6)
    one.wait(6)
    two.wait(4)
    equal("URLs may change", (one.seqs()[-1], two.seqs()[-1]), (6, 6))
    all_recorded(daemon)
    daemon.stop()
    equal("everything is delivered, once", (sorted(one.seqs()), sorted(two.seqs())),
          ([2, 3, 4, 5, 5, 6], [4, 5, 5, 6]))
    for upstream in (one, two):
        upstream.close()


def all_recorded(daemon):
    """Waits until the store has every outcome, because a stop may cut attempts short."""
    rest = "SELECT (SELECT count(*) FROM unsent) + (SELECT count(*) FROM destination " \
        "WHERE active AND cursor < (SELECT max(seq) FROM delivery))"
    wait_for(lambda: query(daemon, rest) == [(0,)], "the forwarder")


def test_under_way():
    one, two = Upstream(), Upstream()
    slow(one)
    told = Told({"sources": [source("foil")], "destinations": [destination(one, concurrency=1)]})
    daemon = told.daemon
    deliver(daemon, 1)
    one.wait(1)
    told.reload(destinations=[destination(two, "app", concurrency=20)])
    for number in range(2, 12):
        deliver(daemon, number)
    two.wait(10)
    equal("an attempt that is under way does not hold up those to the new URL",
          sorted(two.seqs()), list(range(2, 12)))
    one.answer = lambda r, s: response()
    one.release()
    wait_for(lambda: len(daemon.lines(verdict="forwarded")) == 11, "the lines")
    equal("and ends where it began", (one.seqs(), sorted(two.seqs())), ([1], list(range(2, 12))))
    slow(two)
    deliver(daemon, 20)
    two.wait(11)
    told.reload(destinations=None)
    two.answer = lambda r, s: response()
    two.release()
    wait_for(lambda: len(daemon.lines(verdict="forwarded")) == 12, "the line")
    check("also if its destination is none any more", True)
    daemon.stop()
    equal("and it is recorded", query(daemon, "SELECT count(*) FROM unsent"), [(0,)])
    for upstream in (one, two):
        upstream.close()


def test_dead_url():
    upstream = Upstream()
    port = sink.socket.socket()
    port.bind(("127.0.0.1", 0))
    dead = {"name": "app", "url": f"http://127.0.0.1:{port.getsockname()[1]}/x",
            "retry_seconds": [0] * 4 + [3600] * 3}
    told = Told({"sources": [source("foil")], "destinations": [dead]})
    for number in range(5):
        deliver(told.daemon, number)
    wait_for(lambda: len(told.daemon.lines(verdict="retried")) >= 3, "failures")
    told.reload(destinations=[dict(dead, url=upstream.url)])
    deliver(told.daemon, 9)
    wait_for(lambda: 6 in upstream.seqs(), "the new one")
    check("a destination that was left alone is tried at once at its new URL", True)
    upstream.close()
    port.close()


def test_answer_upstream():
    """A sender waits for the application while reloads replace its source and destination."""
    one, two = Upstream(), Upstream()
    slow(one)
    gate = source("gate", scheme="foil", answer="upstream")
    config = {"sources": [gate], "destinations": [destination(one)]}
    told = Told(config)
    daemon = told.daemon
    body = body_of(1)
    with daemon.connect() as connection:
        connection.write(request("/gate", sign("foil", body), body))
        one.wait(1)
        told.reload(sources=[dict(gate, answer="stored")], destinations=[destination(two, "two")])
        equal("a new request is answered under the new rules", deliver(daemon, 2, "/gate").json["status"],
              "accepted")
        one.answer = lambda r, s: response()
        one.release()
        answer = connection.read()
        equal("a sender that waited gets the application's answer, though that is none any more",
              answer.status, 200)
        equal("all of it", answer.body, b"ok")
    two.wait(1)
    told.reload(sources=[gate], destinations=[destination(two, "two")])
    two.answer = lambda r, s: response(202, b"from two")
    equal("answer: upstream can be turned on", deliver(daemon, 3, "/gate").body, b"from two")
    told.reload(sources=[dict(gate, answer="stored")])
    equal("and off", deliver(daemon, 4, "/gate").json["status"], "accepted")
    two.wait(3)
    all_recorded(daemon)
    daemon.stop()
    equal("each is delivered once, and nothing is left", (one.seqs(), two.seqs()), ([1], [2, 3, 4]))
    for upstream in (one, two):
        upstream.close()


# ---- under load

@pytest.mark.first
def test_load():
    """Reloads change everything under load; each delivery gets 200."""
    one, two = Upstream(), Upstream()
    gate = source("gate", scheme="foil", secrets=[OLD], answer="upstream")
    both, other = [labelled((OLD, "old"), (NEW, "new"))], [labelled((NEW, "new"), (OLD, "old"))]
    shapes = [
        {"sources": both + [dict(gate, answer="stored")], "destinations": [destination(one)]},
        {"sources": other + [gate], "destinations": [destination(two, "app", concurrency=2)]},
        {"sources": other + [gate, source("github")],
         "destinations": [destination(one, concurrency=30),
                          destination(two, "two", sources=["foil"])]},
        {"sources": both + [gate, source("github")],
         "destinations": [destination(two, "two")]},
    ]
    told = Told(dict(shapes[0]), threads=2, real_time=True)
    daemon = told.daemon
    halt, wrong, counts = threading.Event(), [], [0] * 6

    def send(which):
        secret, path = (OLD, NEW)[which % 2], ("/foil", "/foil", "/gate")[which % 3]
        if path == "/gate":
            secret = OLD
        with daemon.connect() as connection:
            while not halt.is_set():
                body = body_of(f"{which}_{counts[which]}")
                connection.write(request(path, sign("foil", body, secret=secret), body))
                answer = connection.read()
                if answer is None or answer.status != 200:
                    wrong.append(answer)
                    return
                counts[which] += 1

    threads = [threading.Thread(target=send, args=(i,)) for i in range(len(counts))]
    for thread in threads:
        thread.start()
    try:
        for turn in range(40 if not sink.WRAPPER else 8):
            before = sum(counts)
            wait_for(lambda: sum(counts) > before + 20 or wrong, "deliveries")
            told.reload(**shapes[turn % len(shapes)])
        # The last configuration has all sources and destinations.
        told.reload(sources=other + [gate], destinations=[destination(one),
                                                          destination(two, "two", types=["none"])])
    finally:
        halt.set()
        for thread in threads:
            thread.join()
    equal("reloads under load: no request is refused, and no connection closed", wrong, [])
    stored = sum(counts)
    equal("reloads under load: all of it is in the store",
          query(daemon, "SELECT count(*) FROM delivery"), [(stored,)])
    check("reloads under load: both secrets were used", used(told, "old") > 0 and used(told, "new") > 0)
    rest = "SELECT (SELECT count(*) FROM unsent) + (SELECT max(seq) FROM delivery) - " \
        "(SELECT cursor FROM destination WHERE name='app')"
    wait_for(lambda: query(daemon, rest) == [(0,)], "the forwarder")
    code = daemon.stop()
    equal("reloads under load: it ends well", code, 0)
    seqs = set(one.seqs()) | set(two.seqs())
    equal("reloads under load: each delivery has reached an application",
          sorted(set(range(1, stored + 1)) - seqs), [])
    for upstream in (one, two):
        upstream.close()


# ---- repeated reloads

def memory_of(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="utf-8") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def descriptors_of(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


@pytest.mark.flood
@pytest.mark.first
def test_repeated():
    """Waits for each reload, because SIGHUP does not queue."""
    upstream = Upstream()
    turns = 1000 if not sink.WRAPPER else 20
    told = Told({"sources": [source("foil"), source("github")],
                 "destinations": [destination(upstream)]})
    daemon = told.daemon
    shapes = [dict(told.config), {**told.config, "sources": [source("foil"), source("stripe")],
                                  "destinations": [destination(upstream, "b", concurrency=3),
                                                   destination(upstream, "c")]}]

    def go_on(count):
        for turn in range(count):
            told.write(shapes[turn % 2])
            told.hup()
            if turn % 50 == 0:
                equal_quietly(deliver(daemon, f"{count}_{turn}").status, 200)
        told.daemon.deliver("foil")
        all_recorded(daemon)

    go_on(turns // 5)
    try:
        before = memory_of(daemon), descriptors_of(daemon)
        go_on(turns)
        wait_for(lambda: descriptors_of(daemon) <= before[1] + 2, "what has hung up to be closed")
        after = memory_of(daemon), descriptors_of(daemon)
    except PermissionError:
        go_on(turns)
        sink.skip(f"{turns} reloads leave memory as it was", "the process cannot be looked at")
        return
    # A sanitizer quarantines freed memory.
    allowed = 4096 if "asan" not in sink.BUILD and "tsan" not in sink.BUILD else 1 << 20
    check(f"{turns} reloads leave memory as it was", after[0] < before[0] + allowed, before, after)
    check(f"{turns} reloads leave no descriptor open", after[1] <= before[1] + 2, before, after)
    upstream.close()


def equal_quietly(got, expected):
    if got != expected:
        raise AssertionError(f"{got}, not {expected}")
