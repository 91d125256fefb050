# SPDX-License-Identifier: MIT
"""SIGHUP: administrators' mistakes and edge cases."""
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from harness import sink
from harness.admin import Admin
from harness.sink import Folders, Stopwatch, check, equal, source, wait_for, write_file
from harness.told import KEPT, NEW, OLD, SAID, Told, deliver, destination, labelled, slow
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads]


# ---- signals

STORM = """
import os, sys
try:
    while True:
        os.kill(int(sys.argv[1]), 1)
except ProcessLookupError:
    pass
"""


def test_storm():
    """With 150 sources, the next SIGHUP arrives during a reload."""
    told = Told({"sources": [source("foil")] +
                            [source(f"s{i}", scheme="foil") for i in range(150)]})
    daemon = told.daemon
    senders = [subprocess.Popen([sys.executable, "-c", STORM, str(daemon.process.pid)])
               for _ in range(2)]
    try:
        wait_for(lambda: daemon.messages().count(SAID) >= 2, "two reloads")
        equal("in a storm of SIGHUP deliveries are taken", daemon.deliver("foil").status, 200)
        daemon.tell(signal.SIGTERM)
        before = daemon.messages().count(SAID)
        # A zombie keeps its process id, so the senders' signals hit no other process.
        wait_for(lambda: os.waitid(os.P_PID, daemon.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT),
                 "the end")
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()
    equal("and SIGTERM is heard", daemon.wait(), 0)
    more = daemon.messages().count(SAID) - before
    check("before the next SIGHUP", more <= 3, f"{more} more reloads")


def test_log_without_reader():
    folder = Folders.new()
    os.mkfifo(f"{folder}/log")
    config = json.dumps({"sources": [source("foil")], "log": {"file": f"{folder}/log"},
                         "store": {"file": f"{folder}/store"}})
    code, _, err = sink.run("--config", write_file(f"{folder}/yaml", config))
    check("a log that is a pipe without a reader is an error at the start",
          code == 1 and f"cannot write the log {folder}/log: " in err, code, err)
    reader = os.open(f"{folder}/log", os.O_RDONLY | os.O_NONBLOCK)
    told = Told({"sources": [source("foil")], "log": {"file": f"{folder}/log"}})
    os.close(reader)
    said = told.hup()
    check("a log that is a pipe, and whose reader is gone, does not stop a reload",
          "cannot reopen the log, lines go to the old file: " in said and SAID in said, said)
    reader = os.open(f"{folder}/log", os.O_RDONLY | os.O_NONBLOCK)
    check("when there is one again it is opened again", "log reopened" in told.hup())
    told.daemon.deliver("foil")
    wait_for(lambda: readable(reader), "a line")
    check("and written to", True)
    os.close(reader)


def readable(fd):
    try:
        return b"verified" in os.read(fd, 1 << 16)
    except BlockingIOError:
        return False


# ---- unchanged settings

def test_rates():
    told = Told({"sources": [source("foil", rate={"per_second": 1, "burst": 3000})]},
                env=Stopwatch().environment())
    limited = {"per_second": 1, "burst": 2}
    foil = source("foil", rate=limited)
    told.reload(sources=[foil])
    status = lambda number: deliver(told.daemon, number).status
    equal("a rate that is changed begins anew", [status(1), status(2)], [200, 200])
    told.hup()
    equal("a rate that is the same goes on", [status(3), status(4)], [429] * 2)
    told.reload(sources=[dict(foil, rate={"per_second": 1, "burst": 3})])
    equal("and another burst is another rate", [status(5), status(6), status(7)], [200] * 3)


def test_moved():
    upstream = Upstream()
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    dead = {"name": "app", "url": f"http://127.0.0.1:{deaf.getsockname()[1]}/",
            "retry_seconds": [86400] * 5}
    told = Told({"sources": [source("foil")], "destinations": [dead]})
    for number in range(6):
        deliver(told.daemon, number)
    wait_for(lambda: len(told.daemon.lines(verdict="retried")) >= 3, "failures")
    told.hup()
    told.reload(destinations=[dict(dead, url=upstream.url)])
    upstream.wait(6)
    equal("a destination with another URL gets at once what would be tried again in a day",
          sorted(set(upstream.seqs())), [1, 2, 3, 4, 5, 6])
    upstream.close()
    deaf.close()


def test_moved_while_it_is_tried():
    old, new = Upstream(), Upstream()
    old.answer = lambda request, sock: old.hang() or response(503)
    patient = {"ordered": True, "retry_seconds": [86400] * 5}
    told = Told({"sources": [source("foil")], "destinations": [destination(old, **patient)]})
    deliver(told.daemon, 1)
    old.wait(1)
    told.reload(destinations=[destination(new, **patient)])
    old.release()
    new.wait(1)
    equal("what fails at the other URL after the reload is tried at once, too", new.seqs(), [1])
    for upstream in (old, new):
        upstream.close()


def test_taken_out():
    upstream = Upstream()
    told = Told({"sources": [source("foil"), source("github")],
                 "destinations": [destination(upstream), destination(upstream, "two")]})
    said = told.reload(sources=[source("github")], destinations=[destination(upstream, "two")])
    check("a source that is there no more is named", "hooklined: source foil removed\n" in said, said)
    check("and a destination, and what becomes of its deliveries",
          "hooklined: destination app removed: its undelivered deliveries stay in the store\n" in said, said)
    equal("and nothing else", said.count(" removed"), 2)
    check("once", " removed" not in told.hup())
    upstream.close()


def test_passed_over():
    upstream = Upstream()
    slow(upstream)
    app = destination(upstream, concurrency=1, sources=["foil", "github"])
    told = Told({"sources": [source("foil"), source("github")], "destinations": [app]})
    deliver(told.daemon, 1)
    upstream.wait(1)
    told.daemon.deliver("github")
    deliver(told.daemon, 2)
    told.reload(sources=[source("foil")], destinations=[dict(app, sources=["foil"])])
    upstream.answer = lambda r, s: response()
    upstream.release()
    upstream.wait(2)
    equal("what waits, of a source that is taken out of both lists, is passed over", upstream.seqs(),
          [1, 3])
    told.reload(sources=[source("foil"), source("github")], destinations=[app])
    equal("and says so when it is back", wait_for(
        lambda: told.admin.one(2)["destinations"], "the state"),
        [{"name": "app", "state": "passed_over", "reason": "earlier_configuration"}])
    told.admin.post("/deliveries/2/replay")
    upstream.wait(3)
    equal("a replay sends it", upstream.seqs(), [1, 3, 2])
    upstream.close()


# ---- the administrator's token

def test_token():
    folder = Folders.new()
    old, new = "a-token-of-the-admin-0123456789", "another-token-of-the-admin-0123"
    sink.Watch.words |= {old.encode(), new.encode()}
    path = write_file(f"{folder}/token", old + "\n")
    told = Told({"sources": [source("foil")],
                 "admin": {"address": "127.0.0.1:0", "token": {"file": path}}})
    port = wait_for(lambda: re.search(r"admin listening on 127.0.0.1:(\d+)\n", told.daemon.messages()),
                    "the admin")[1]
    admin = Admin(("127.0.0.1", int(port)))
    asked = lambda *tokens: [admin.ask("/metrics", headers=[("Authorization", f"Bearer {t}")]).status
                             for t in tokens]
    equal("the token before", asked(old, new), [200, 401])
    write_file(path, new + "\n")
    said = told.hup()
    equal("the administrator's token is read again", asked(old, new), [401, 200])
    check("without a restart", "restart" not in said, said)
    write_file(path, "short")
    said = told.hup()
    code, _, complaint = sink.run("--config", told.path, "--check")
    check("a bad one is refused", f"{KEPT}{told.path}:1: admin: a token of 5 bytes" in said, said)
    check("as --check does", code == 6 and complaint.split(": ", 1)[1] in said, complaint, said)
    equal("and the one before stays", asked(old, new), [401, 200])
    said = told.reload(admin={"address": "127.0.0.1:0"})
    check("to ask for none needs a restart", "admin: the change needs a restart" in said, said)
    equal("until then it is asked for", [*asked(new, old), admin.ask("/metrics").status],
          [200, 401, 401])


# ---- secrets

def test_secrets():
    told = Told({"sources": [labelled((OLD, "old"), (NEW, "new"))]})
    path = told.config["sources"][0]["secrets"][1]["file"]
    check("two secrets that differ are no cause to say anything",
          "identical" not in told.daemon.messages())
    write_file(path, OLD)
    said = told.hup()
    check("the same secret twice is good, but said",
          "hooklined: source foil: secrets 0 and 1 are identical; delete one\n" in said and SAID in said, said)
    for name, text in (("two lines", f"{OLD}\n{NEW}\n"), ("an empty line behind it", OLD + "\n\n"),
                       ("a line end within it", OLD + "\r" + NEW)):
        write_file(path, text)
        said = told.hup()
        check(f"a file of a secret with {name} is refused",
              KEPT in said and f"{path}: expected one line of text" in said, said)
    write_file(path, NEW + "\r\n")
    check("one line end is not", SAID in told.hup())


# ---- several files

def test_files():
    folder = Folders.new()
    told = Told({"include": f"{folder}/*.yaml"})

    def write(name, **item):
        return write_file(f"{folder}/{name}", json.dumps(item, indent=1))

    app = {"name": "app", "url": "http://127.0.0.1:9/"}
    first = write("a.yaml", sources=[source("foil")], destinations=[app])
    second = write("b.yaml", sources=[source("foil", path="/other")])
    said = told.hup()
    check("a name in two files: both places are said",
          f"{KEPT}{second}:4: duplicate source name foil (first defined at {first}:4)\n" in said, said)
    write("b.yaml", sources=[source("other", scheme="foil", path="/foil")])
    said = told.hup()
    check("a path, too", f"{second}:11: source other: duplicate path /foil, used by source foil "
          f"(first defined at {first}:4)\n" in said, said)
    write("b.yaml", destinations=[app])
    said = told.hup()
    check("and a destination", f"{second}:4: duplicate destination name app (first defined at {first}:15)\n"
          in said, said)
    os.unlink(second)
    for name in ("a.yaml~", "a.yaml.dpkg-old", "a.yaml.dpkg-new", ".a.yaml.swp", "#a.yaml#", ".#a.yaml"):
        write_file(f"{folder}/{name}", "none: of ours")
    check("what editors and dpkg leave is not read", f"{SAID}: 1 source, 1 destination\n" in told.hup())
    for name, make, why in (
            ("a link to nowhere", lambda path: os.symlink("/nonexistent", path), "No such file"),
            ("a link to itself", lambda path: os.symlink(path, path), "symbolic links"),
            ("a FIFO", os.mkfifo, "not a regular file")):
        make(second)
        said = told.hup()
        check(f"{name} is refused", f"{KEPT}{second}: " in said and why in said, said)
        os.unlink(second)
    equal("the old configuration goes on", told.daemon.deliver("foil").status, 200)
