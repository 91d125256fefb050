# SPDX-License-Identifier: MIT
"""Reloads and restarts are invisible to wrk.

wrk keeps its connections and sends the next request after each answer. During a restart with socket
activation (hooklined.socket) the daemon guarantees:

 - each request gets 200;
 - the last answer on a connection has "Connection: close", so the sender stops using it;
 - a connection that the old daemon did not accept waits for the next one.

The daemon may close an idle connection without this header, as HTTP/1.1 permits; the sender then
retries on a new one. wrk never idles unless the machine stalls; the test then runs wrk again.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import sink
from harness.sink import Daemon, Folders, Watch, check, sign, source, wait_for, write_file
from harness.supervision import listening_socket, passing

pytestmark = [pytest.mark.first, pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300),
              pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk")]

SECONDS, CONNECTIONS, THREADS = 4, 32, 2
ERRORS = ("connect", "read", "write", "timeout", "status")  # names in wrk's report
SIGNED = 20000  # wrk then repeats the deliveries

@pytest.fixture(autouse=True)
def too_many_signatures():
    Watch.signatures = False


SCRIPT = """
local count, threads = 0, 0

function setup(thread)
    thread:set("first", threads)
    threads = threads + 1
end

function init(args)
    requests = {}
    for line in io.lines(args[1]) do
        local time, mac, body = line:match("^(%d+) (%x+) (.*)$")
        requests[#requests + 1] = wrk.format("POST", "/foil",
            {["X-Foil-Timestamp"] = time, ["X-Foil-Signature"] = mac}, body)
    end
    count = math.floor(first * #requests / tonumber(args[2]))
end

function request()
    count = count % #requests + 1
    return requests[count]
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('RESULT {"requests": %d, "connect": %d, "read": %d, "write": %d, '
        .. '"timeout": %d, "status": %d, "slowest_us": %d}\\n', summary.requests, e.connect, e.read,
        e.write, e.timeout, e.status, latency.max))
end
"""


class Wrk:
    def __init__(self, address, seconds=SECONDS):
        self.seconds = seconds
        folder = Folders.new()
        script = write_file(f"{folder}/wrk.lua", SCRIPT)
        with open(f"{folder}/signed", "wb") as file:
            for number in range(SIGNED):
                body = json.dumps({"id": f"evt_{number}", "type": "webhook.test"}).encode()
                (_, at), (_, mac) = sign("foil", body)
                file.write(f"{at} {mac} ".encode() + body + b"\n")
        self.process = subprocess.Popen(
            ["wrk", "--threads", str(THREADS), "--connections", str(CONNECTIONS), "--duration",
             f"{seconds}s", "--timeout", f"{sink.PATIENCE}s", "--script", script,
             f"http://{address[0]}:{address[1]}", "--", f"{folder}/signed", str(THREADS)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=sink.die_with_parent)

    def runs(self):
        return self.process.poll() is None

    def result(self):
        said = self.process.communicate(timeout=self.seconds + 2 * sink.PATIENCE)[0].decode()
        found = re.search(r"^RESULT (.*)$", said, re.M)
        if found is None:
            raise AssertionError(f"wrk said {said}")
        return json.loads(found[1])


def stored(daemon):
    return len(daemon.raw_log().splitlines())


def judge(sentence, result, turns):
    requests, slowest_us = result.pop("requests"), result.pop("slowest_us")
    print(f"# {requests} requests, the slowest took {slowest_us / 1e6:.2f} s; {turns} times")
    check(sentence, requests > CONNECTIONS and turns > 1 and
          not any(result[name] for name in ERRORS), result, turns)


def under_load(address, daemon, turn, again=False):
    """Runs turns while wrk runs, longer on a slow machine; each turn returns the current daemon.
    Returns the last daemon, wrk's result and the number of turns."""
    seconds = SECONDS
    for _ in range(4):
        seen = stored(daemon)
        wrk, turns = Wrk(address, seconds), 0
        wait_for(lambda: stored(daemon) > seen + CONNECTIONS or not wrk.runs(), "deliveries")
        while wrk.runs():
            turns += 1
            daemon = turn(wrk)
        result = wrk.result()
        failed = any(result[name] for name in ERRORS)
        if turns > 1 and not failed or failed and not again:
            break
        seconds = SECONDS if turns > 1 else min(5 * seconds, 60)
    return daemon, result, turns


def test_reload_under_load():
    daemon = Daemon(sources=[source("foil")], threads=2)

    def said():
        return daemon.messages().count("configuration read again")

    def turn(wrk):
        before = said()
        daemon.tell(signal.SIGHUP)
        wait_for(lambda: said() > before, "the reload")
        seen = stored(daemon)
        wait_for(lambda: stored(daemon) > seen or not wrk.runs(), "a delivery")
        return daemon

    _, result, turns = under_load(daemon.address, daemon, turn)
    judge("SIGHUP under load: no request fails and no connection is closed", result, turns)
    daemon.stop()


def test_restart_under_load():
    """SIGTERM, then a new daemon once the old one has ended, like systemd."""
    sock, folder = listening_socket(), Folders.new()
    config = {"sources": [source("foil")], "threads": 2,
              "limits": {"shutdown_seconds": sink.LONG}}
    arguments = ["--config", write_file(f"{folder}/hooklined.yaml", json.dumps(config))]
    longest = [0.0]

    def start():
        options, env = passing(("ingest", sock))
        daemon = Daemon(arguments=arguments, env=env, folder=folder, **options)
        for descriptor in options["descriptors"]:
            os.close(descriptor)
        return daemon

    def turn(wrk):
        began = time.monotonic()
        Daemon.running[-1].stop()
        daemon = start()
        longest[0] = max(longest[0], time.monotonic() - began)
        wait_for(lambda: stored(daemon) > CONNECTIONS or not wrk.runs(), "deliveries")
        return daemon

    daemon, result, turns = under_load(sock.getsockname(), start(), turn, again=True)
    print(f"# a restart took {longest[0]:.2f} s at most")
    judge("restart under load with a socket that is held: no connection is refused or breaks off, "
          "each request is answered with 200", result, turns)
    daemon.stop()
