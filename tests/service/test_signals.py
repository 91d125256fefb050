# SPDX-License-Identifier: MIT
"""Signals at odd moments: during startup, while the store opens; and unused signals."""
import os
import signal
import time

import pytest


from harness.certificates import Authority
from harness.conservation import UnreliableMachine
from harness.sink import Clock, Daemon, check, equal, source, wait_for

pytestmark = [pytest.mark.running, pytest.mark.threads]

READ_AGAIN = "configuration read again"


def test_reload_while_starting():
    """The daemon reads the clock to check a certificate; a FIFO blocks this read until the signal
    is sent."""
    clock = Clock(int(time.time()))
    os.unlink(clock.path)
    os.mkfifo(clock.path)
    listen = [{"address": "127.0.0.1:0", "tls": Authority().tls()}]
    daemon = Daemon(sources=[source("foil")], listen=listen, env=clock.environment(), ready=False)
    with open(clock.path, "wb") as answer:  # blocks until the daemon reads
        clock.set(int(time.time()))
        daemon.tell(signal.SIGHUP)
        answer.write(b"%d" % time.time())
    wait_for(lambda: READ_AGAIN in daemon.messages() or daemon.process.poll() is not None,
             "a reload")
    said = daemon.messages()
    check("SIGHUP while the configuration is read: it starts, and then reads it again",
          "listening on" in said and said.index("listening on") < said.index(READ_AGAIN),
          daemon.process.poll(), daemon.tail())
    daemon.stop()


def test_stop_while_opening():
    for number in (signal.SIGTERM, signal.SIGINT):
        name = signal.Signals(number).name
        machine = UnreliableMachine(None, 0)
        machine.hold()
        machine.start(ready=False)
        daemon = machine.daemon
        wait_for(lambda: os.path.exists(machine.store + "-lock"), "the store")
        daemon.tell(number)
        equal(f"{name} while the store is opened ends it at once", daemon.wait(), -number,
              daemon.tail())
        machine.fault()
        machine.start()
        machine.daemon.alive(f"{name} while the store is opened: the next one opens it")
        machine.daemon.stop()


def pending(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return any(line.startswith(("SigPnd", "ShdPnd")) and int(line.split()[1], 16) != 0
                   for line in file)


def test_a_signal_that_means_nothing():
    daemon = Daemon(sources=[source("foil")])
    daemon.tell(signal.SIGUSR1)
    wait_for(lambda: not pending(daemon), "the signal's end")
    daemon.tell(signal.SIGHUP)
    wait_for(lambda: READ_AGAIN in daemon.messages() or daemon.process.poll() is not None,
             "a reload")
    daemon.alive("SIGUSR1, by which other servers open their logs again, does not end it")
    daemon.stop()
