# SPDX-License-Identifier: MIT
"""Messages on a standard error that nobody reads: no part of the daemon waits for a reader, and what
is lost is counted."""
import contextlib
import json
import os
import re
import select
import signal
import socket

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.conservation import UnreliableMachine
from harness.sink import Daemon, check, equal, sample_body, sign, source, wait_for, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads]

LOST = re.compile(r"^hooklined: (\d+) messages? lost: standard error ", re.M)


class Pipe:
    """Standard error of a daemon, which the test reads when it wants to."""
    def __init__(self):
        self.input, self.output = os.pipe()
        self.text = ""

    def read_until(self, pattern):
        """Reads until the text matches, and returns the match."""
        poll = select.poll()
        poll.register(self.input, select.POLLIN)

        def found():
            if poll.poll(100):
                self.text += os.read(self.input, 65536).replace(b"\0", b"").decode()
            return re.search(pattern, self.text, re.M)

        return wait_for(found, pattern)

    def fill(self):
        """Writes NULs until there is no room; O_NONBLOCK belongs to this open of the pipe."""
        output = os.open(f"/proc/self/fd/{self.output}", os.O_WRONLY | os.O_NONBLOCK)
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(output, bytes(size))
        os.close(output)

    def close(self):
        for end in {self.input, self.output} - {None}:
            os.close(end)
        self.input = self.output = None


def reload(daemon, config):
    path = f"{daemon.folder}/hooklined.yaml"
    write_file(path + ".new", json.dumps(config))
    os.replace(path + ".new", path)
    daemon.tell(signal.SIGHUP)


def lost(admin):
    return value(admin.metrics(), "hookline_messages_lost_total")


def overflow(daemon, admin, config):
    """Fails to reload, with a long message, until messages are lost."""
    missing = {"name": "missing", "scheme": "foil", "secrets": [{"file": "/" + "x/" * 150}]}
    config = {**config, "sources": [*config["sources"], missing]}

    def is_lost():
        reload(daemon, config)
        return lost(admin) > 0

    wait_for(is_lost, "a lost message")


class Unread:
    """A daemon on a disk that fails on request. Nobody reads its messages once it listens."""
    def __init__(self):
        self.machine = UnreliableMachine(None, 0)
        self.admin = Admin(socket_path())
        self.pipe = Pipe()
        self.config = {**self.machine.config, "admin": {"address": f"unix:{self.admin.address}"}}
        self.daemon = Daemon(self.config, env=self.machine.environment(), stderr=self.pipe.output,
                             ready=False, real_time=True)
        host, port = self.pipe.read_until(r"^hooklined: listening on (.*):(\d+)\n").groups()
        self.daemon.address = (host, int(port))
        self.pipe.fill()

    def put(self, id):
        return self.daemon.deliver("foil", sample_body("foil", id=id)).status

    def overflow(self):
        overflow(self.daemon, self.admin, self.config)


def add_a_source(unread):
    more = {**unread.config, "sources": [*unread.config["sources"], source("github")]}
    reload(unread.daemon, more)
    body = sample_body("github")
    return wait_for(lambda: unread.daemon.send("/github", sign("github", body), body).status == 200,
                    "the new source")


def test_a_pipe_that_nobody_reads():
    unread = Unread()
    equal("deliveries are accepted", unread.put("one"), 200)
    unread.machine.fault("write * ENOSPC")
    equal("when the store fails, which is a message, deliveries are still answered",
          [unread.put("two"), unread.put("three")], [503, 503])
    unread.machine.fault()
    equal("and accepted when it works again, which is another message",
          [unread.put("two"), unread.put("three")], [200, 200])
    check("SIGHUP still reloads", add_a_source(unread))
    equal("nothing is lost as long as there is room", lost(unread.admin), 0)
    unread.overflow()
    equal("when messages are lost, deliveries are accepted", unread.put("four"), 200)
    unread.daemon.tell(signal.SIGTERM)
    equal("SIGTERM ends it, with 0", unread.daemon.wait(), 0)
    unread.pipe.close()


def test_a_process_that_dies():
    unread = Unread()
    unread.overflow()
    unread.daemon.tell(signal.SIGABRT)
    equal("a full pipe does not keep a process that aborts", unread.daemon.wait(), -signal.SIGABRT)
    unread.pipe.close()


def test_a_reader_that_comes_back():
    unread = Unread()
    unread.machine.fault("write * ENOSPC")
    unread.put("one")
    unread.machine.fault()
    unread.put("one")
    add_a_source(unread)
    unread.overflow()
    told = unread.pipe.read_until(LOST.pattern)
    wait_for(lambda: lost(unread.admin) == int(told[1]), "the number of lost messages in the metrics")
    check("it gets a line with the number of lost messages, which is that of the metric", True)
    text = unread.pipe.text
    places = [text.find(words) for words in (
        "cannot store deliveries", "storing deliveries again", "configuration read again",
        "reload failed", told[0])]
    check("after the kept ones, in their order", -1 not in places and places == sorted(places), places)
    check("which are whole lines", all(line.startswith("hooklined: ") for line in text.splitlines()),
          text)
    unread.daemon.tell(signal.SIGTERM)
    unread.pipe.read_until(r"^hooklined: stopping\n")
    equal("and later messages come as before", unread.daemon.wait(), 0)
    unread.pipe.close()


def test_a_reader_that_leaves():
    unread = Unread()
    os.close(unread.pipe.input)
    unread.pipe.input = None
    check("without any reader SIGHUP reloads", add_a_source(unread))
    equal("deliveries are accepted", unread.put("one"), 200)
    equal("and it stops with 0", unread.daemon.stop(), 0)
    unread.pipe.close()


def test_the_journal_when_it_is_full():
    """Its stream is a socket, and a message begins with its priority."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    status = os.fstat(theirs.fileno())
    admin = Admin(socket_path())
    config = {"sources": [source("foil")], "admin": {"address": f"unix:{admin.address}"}}
    daemon = Daemon(config, env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
                    stderr=theirs.fileno(), ready=False)
    ours.settimeout(sink.PATIENCE)
    text = ""
    while "<6>listening on" not in text or "<6>admin listening on" not in text:
        text += ours.recv(65536).decode()
    overflow(daemon, admin, config)
    while not re.search(" messages? lost: .*\n", text):
        text += ours.recv(65536).decode()
    lines = text.split("\n")[:-1]
    check("information has the priority 6, an error 3, and a loss is a warning",
          all(re.match(r"<[346]>", line) for line in lines) and
          re.search(r"^<3>reload failed", text, re.M) and
          re.search(r"^<4>\d+ messages? lost: standard error", text, re.M), text[:500])
    equal("it stops with 0", daemon.stop(), 0)
    theirs.close()
    ours.close()


def test_messages_before_an_exit():
    """The queue is emptied before the process ends: each run is another chance to lose one."""
    taken = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{taken.getsockname()[1]}"
    secret = source("foil")["secrets"][0]["file"]
    for _ in range(10):
        code, _, said = sink.run("--listen", address, "--source", f"foil=foil:@{secret}")
        check("an error that ends the start comes out", code == 1 and
              said.endswith(f"cannot listen on {address}: address already in use\n"), code, said)
    taken.close()
