# SPDX-License-Identifier: MIT
"""Senders during a slow fsync: pipelined requests, resets and half-closed connections. The daemon
serves others meanwhile."""
import array
import fcntl
import json
import os
import select
import socket
import termios

import pytest

from harness import sink
from harness.conservation import UnreliableMachine, read_store
from harness.sink import check, equal, request, sign, wait_for

pytestmark = [pytest.mark.running, pytest.mark.threads]


class Slow(UnreliableMachine):
    """A machine whose fsync() takes that long."""
    def __init__(self, microseconds):
        super().__init__(None, 0)
        self.config["limits"] = {"shutdown_seconds": sink.LONG}
        self.start()
        self.fault(f"slow {microseconds}")

    def quicken(self):
        self.fault()

    def ids(self):
        return [row["id"] for row in read_store(self.store)]


def body_of(id, fill=0):
    return json.dumps({"id": id, "type": "webhook.test", "fill": "x" * fill}).encode()


def signed(body, **how):
    return request("/foil", sign("foil", body), body, **how)


def test_more_requests_on_the_same_connection():
    machine = Slow(100000)
    ids = [f"evt_{i}" for i in range(60)]
    sizes = [(i * 7919) % 30000 for i in range(60)]
    with machine.daemon.connect() as connection:
        first = signed(body_of("evt_first"))
        connection.write(first)
        wait_for(lambda: is_read(connection), "the daemon's reading")
        # The first request's buffer must grow and move during the store.
        for i, id in enumerate(ids[:30]):
            connection.write(signed(body_of(id, sizes[i]), chunk=1000 if i % 3 == 0 else None))
        equal("who sends more while the answer waits gets that answer", connection.read().json["id"],
              "evt_first")
        machine.quicken()
        equal("and those to the other requests, in order",
              [connection.read().json["id"] for _ in ids[:30]], ids[:30])
        connection.write(request("/nothing", method="HEAD") + signed(body_of("evt_x")))
        equal("a HEAD has no body", (connection.read("HEAD").status, connection.read().status),
              (404, 200))
    check("each is in the store, once", sorted(machine.ids()) ==
          sorted(["evt_first", "evt_x", *ids[:30]]), machine.ids())
    machine.daemon.stop()


def is_read(connection):
    """True if the peer has acknowledged all bytes."""
    left = array.array("i", [0])
    fcntl.ioctl(connection.sock.fileno(), termios.TIOCOUTQ, left)
    return left[0] == 0


def test_senders_who_leave():
    machine = Slow(100000)
    before = sink.send(machine.daemon.address, "/foil", sign("foil", body_of("evt_0")),
                       body_of("evt_0")).status
    equal("a slow disk answers in its time", before, 200)
    for i in range(1, 21):
        connection = machine.daemon.connect()
        connection.write(signed(body_of(f"evt_{i}")))
        if i % 2:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    machine.quicken()
    with machine.daemon.connect() as connection:
        connection.write(signed(body_of("evt_half")))
        connection.sock.shutdown(socket.SHUT_WR)
        answer = connection.read()
        check("who can only listen any more gets the answer", answer is not None and
              answer.status == 200, answer)
    # A reset may discard an unread request.
    waved = {f"evt_{i}" for i in range(2, 21, 2)}
    wait_for(lambda: waved <= set(machine.ids()), "the deliveries of those who have left")
    check("what those delivered who did not wait for the answer is in the store", True)
    machine.daemon.alive("and it goes on")
    machine.daemon.stop()


def test_others_meanwhile():
    machine = Slow(sink.LONG * 1000000)
    with machine.daemon.connect() as waiting, machine.daemon.connect() as other:
        log = machine.store + "-wal"
        before = os.path.getsize(log)
        waiting.write(signed(body_of("evt_waiting")))
        wait_for(lambda: os.path.getsize(log) > before, "the transaction")
        statuses = []
        for _ in range(20):
            other.write(request("/foil", body=b"{}"))
            statuses.append(other.read().status)
        equal("refusals do not wait for the disk", statuses, [401] * 20)
        check("who waits is not answered before the disk is done",
              not select.select([waiting.sock], [], [], 0)[0])
        machine.quicken()
        equal("and when it is", waiting.read().status, 200)
    machine.daemon.stop()


def test_a_stop_while_the_disk_is_slow():
    machine = Slow(500000)
    log = machine.store + "-wal"
    before = os.path.getsize(log)
    with machine.daemon.connect() as connection:
        connection.write(signed(body_of("evt_1")))
        wait_for(lambda: os.path.getsize(log) > before, "the transaction")
        machine.daemon.tell(15)
        answer = connection.read()
        check("who waits while the daemon is told to stop is answered first",
              answer is not None and answer.status == 200, answer)
    equal("and then it ends", machine.daemon.wait(), 0)
    equal("with the delivery in the store", machine.ids(), ["evt_1"])
