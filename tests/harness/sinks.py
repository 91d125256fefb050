# SPDX-License-Identifier: MIT
"""Tests of wait, deliveries, show and replay: a hooklined with an admin API, a fake one in its
place, and the running tool."""
import json
import os
import pty
import re
import select
import subprocess

from harness import cli
from harness import sink
from harness.admin import Admin, socket_path
from harness.sink import Daemon, check, wait_for
from harness.upstream import Upstream, response

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def start(address=None, **more):
    """Returns a daemon, its admin client, and the option that names it."""
    address = address or socket_path()
    more.setdefault("sources", [sink.source("foil"), sink.source("git", scheme="github")])
    daemon = Daemon(admin={"address": "unix:" + address}, **more)
    return daemon, Admin(address), "--sink=unix:" + address


def start_tcp(**more):
    daemon = Daemon(admin={"address": "127.0.0.1:0", **more}, sources=[sink.source("foil")])
    return daemon, re.search(r"admin listening on (\S+)", daemon.messages())[1]


def deliver(daemon, id, kind="gate.open", **more):
    body = json.dumps({"id": id, "object": "webhook_event", "type": kind, **more}).encode()
    answer = daemon.send("/foil", sink.sign("foil", body), body)
    if answer.status != 200:
        raise AssertionError(f"{answer}")
    return body


def run(*arguments, **options):
    """Runs the tool to its end; its output must contain no secret."""
    got = cli.Run(*arguments, **options)
    sink.Watch.see("the tool's output", (got.out + got.err).encode())
    return got


def lines(got):
    """Parses the output of --json."""
    return [json.loads(line) for line in got.out.splitlines()]


def says(sentence, got, status, *words):
    """Checks the exit status and a one-line message with these words."""
    return check(sentence, got.status == status and got.err.count("\n") == 1 and
                 got.err.startswith("hookline: ") and all(word in got.err for word in words) and
                 not CONTROL.search(got.err), got, f"expected {status} and {words}")


class Running:
    """A tool that runs beside the test; its output is read line by line."""
    def __init__(self, *arguments, environment=None):
        folder = sink.Folders.new()
        self.err = f"{folder}/err"
        with open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*sink.WRAPPER, cli.TOOL, *map(str, arguments)], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=err, preexec_fn=sink.die_with_parent,
                env=dict(os.environ, **(environment or {})))
        self.data = b""

    def await_watch(self):
        """Waits for the message "watching"; needs --verbose."""
        wait_for(lambda: ": watching\n" in self.messages(), "the line \"watching\"")
        return self

    def line(self, patience=sink.PATIENCE):
        while b"\n" not in self.data:
            if not select.select([self.process.stdout], [], [], patience)[0]:
                raise AssertionError(f"no line in {patience} s; {self.messages()}")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise AssertionError(f"no line any more; {self.messages()}")
            self.data += part
        line, self.data = self.data.split(b"\n", 1)
        return line.decode()

    def json(self):
        return json.loads(self.line())

    def messages(self):
        with open(self.err, encoding="utf-8") as file:
            return file.read()

    def end(self, patience=sink.PATIENCE):
        """Returns the exit status and all unread output."""
        rest, _ = self.process.communicate(timeout=patience)
        sink.Watch.see("the tool's output", self.data + rest + self.messages().encode())
        return self.process.returncode, (self.data + rest).decode()

    def kill(self):
        self.process.kill()
        self.process.wait()


def run_on_terminal(*arguments):
    """Runs the tool on a terminal; returns (status, terminal output)."""
    parent, child = pty.openpty()
    process = subprocess.Popen([*sink.WRAPPER, cli.TOOL, *map(str, arguments)], stdin=child,
                               stdout=child, stderr=child, preexec_fn=sink.die_with_parent,
                               env=dict(os.environ, TERM="xterm", NO_COLOR=""))
    os.close(child)
    data = b""
    while True:
        try:
            part = os.read(parent, 1 << 16)
        except OSError:  # every process has closed the terminal
            break
        if not part:
            break
        data += part
    os.close(parent)
    return process.wait(sink.PATIENCE), data.decode()


def row(seq, **more):
    return {"seq": seq, "time": "2026-11-22T04:00:00.000Z", "source": "foil", "scheme": "foil",
            "id": f"evt_{seq}", "type": "gate.open", "test": False, "signed_at": 1795320000,
            "fresh": True, "secret": 0, "bytes": 2, "remote": "127.0.0.1:1", "destinations": {},
            **more}


def event(seq, verdict="stored", **more):
    return {**row(seq), "verdict": verdict, "reason": "verified", "status": 200, **more}


def answer_json(value, status=200):
    return response(status, json.dumps(value).encode(), [("Content-Type", "application/json")])


class Stranger(Upstream):
    """A fake hooklined. `rows` are the stored deliveries, newest first; `stream` is the start of
    every new stream; `before_page` is called before the rows are read."""
    GREETING = b": hooklined\n\n"

    def __init__(self, rows=(), stream=(), before_page=None):
        self.rows, self.stream, self.before_page = list(rows), list(stream), before_page
        self.streams, self.watched = [], False
        super().__init__(self._answer)
        self.option = f"--sink=http://127.0.0.1:{self.port}"

    def _answer(self, request, sock):
        if request.path.startswith("/events"):
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".encode()
            self.watched = True
            sock.sendall(head + self.GREETING)
            self.streams.append(sock)
            for one in self.stream:
                self.send(one)
            self.hang()
            return None
        if self.before_page:
            self.before_page(request)
        return answer_json({"deliveries": self._page(request.path), "next": None})

    def _page(self, path):
        before = re.search(r"before=(\d+)", path)
        limit = re.search(r"limit=(\d+)", path)
        found = [one for one in self.rows if not before or one["seq"] < int(before[1])]
        return found[:int(limit[1])] if limit else found

    def send(self, one):
        """Sends an event (data or bytes) on the newest stream."""
        data = one if isinstance(one, bytes) else b"data: " + json.dumps(one).encode() + b"\n\n"
        self.await_stream()  # the client may read the stream's start before this thread records it
        self.streams[-1].sendall(data)

    def await_stream(self, count=1):
        wait_for(lambda: len(self.streams) >= count, f"{count} streams")

    def paths(self):
        return [request.path for request in self.requests]
