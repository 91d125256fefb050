# SPDX-License-Identifier: MIT
"""Memory of the daemon while ten thousand peers do their worst, at the default limits."""
import re
import resource
import select
import socket
import time

import pytest

from harness import sentences, sink
from harness.sink import Daemon, check, equal, sample_body, sign, source, wait_for

pytestmark = [pytest.mark.seconds(600)]

MIB = 1 << 20
HEAD = b"POST /foil HTTP/1.1\r\nHost: a\r\n"


def forged(length):
    return (HEAD + b"X-Foil-Timestamp: %d\r\nX-Foil-Signature: %s\r\n" % (time.time(), b"0" * 64) +
            length + b"\r\n\r\n")


PEERS = {
    "silent": b"",
    "half a head": HEAD + b"X: " + b"x" * 60000,
    "a body without its last byte": forged(b"Content-Length: %d" % MIB) + b"x" * (MIB - 1),
    "a body without a signature": HEAD + b"Content-Length: %d\r\n\r\n" % MIB + b"x" * (MIB - 1),
    "chunks without an end": forged(b"Transfer-Encoding: chunked") + b"1000\r\n" + b"x" * 4096 +
                             b"\r\n800\r\n",
    "answers that nobody reads": (b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n") * 200,
    "junk": b"\x16\x03\x01" + bytes(range(256)) * 40,
}


def resident(daemon):
    """Returns the MiB of memory that the daemon has in use, now and at most."""
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        status = file.read()
    return [int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


class Crowd:
    """Peers from several addresses. Each sends what it can without waiting for the daemon."""
    def __init__(self, daemon, count):
        self.left, self.poll = {}, select.poll()
        self.peers = []
        for i in range(count):
            sock = socket.socket()
            sock.bind((f"127.0.1.{1 + i % 50}", 0))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(daemon.address)
            sock.setblocking(False)
            self.peers.append(sock)
            self.left[sock.fileno()] = (sock, memoryview(list(PEERS.values())[i % len(PEERS)]))
            self.push(sock.fileno())

    def push(self, fd):
        sock, data = self.left[fd]
        try:
            while data:
                data = data[sock.send(data):]
        except BlockingIOError:
            self.poll.register(fd, select.POLLOUT)
        except OSError:
            data = b""
        self.left[fd] = (sock, data)
        if not data:
            self.left.pop(fd)

    def run(self, seconds):
        """Sends on until nothing is left, or the daemon takes no more."""
        end = time.monotonic() + seconds
        while self.left and time.monotonic() < end:
            for fd, _ in self.poll.poll(200):
                if fd in self.left:
                    self.push(fd)
                if fd not in self.left:
                    self.poll.unregister(fd)

    def close(self):
        for sock in self.peers:
            sock.close()


def check_crowd(count, seconds):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    daemon = Daemon({"sources": [source("foil")], "listen": [{"address": "127.0.0.1:0"}],
                     "threads": 2, "limits": {"body_bytes": MIB}}, real_time=True)
    before = resident(daemon)[0]
    crowd = Crowd(daemon, count)
    crowd.run(seconds)
    body = sample_body("foil")
    answers = [daemon.send("/foil", sign("foil", body), body).status for _ in range(20)]
    now, most = resident(daemon)
    crowd.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(f"# {count} hostile connections: {before:.0f} MiB before, {now:.0f} MiB, "
          f"{most:.0f} MiB at most")
    sentences.figures["hostile MiB"] = int(most)
    check(f"{count} hostile connections: the daemon stays below 512 MiB", most < 512, most)
    equal("and serves deliveries all the time", answers, [200] * 20)
    wait_for(lambda: daemon.deliver("foil").status == 200, "an answer after they have left")


@pytest.mark.running
def test_two_hundred():
    check_crowd(200, 10)


@pytest.mark.soak
def test_ten_thousand():
    check_crowd(10000, 60)
