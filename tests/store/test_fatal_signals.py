# SPDX-License-Identifier: MIT
"""The -shm of the store is cut short while the daemon has it mapped: SIGBUS ends the process, with a
message, and no delivery that was answered is lost."""
import os
import resource
import signal

import pytest

from harness import sink
from harness.sink import Daemon, check, equal, sample_body, source

pytestmark = [pytest.mark.running, pytest.mark.threads]

SIZES = {"to nothing": 0, "to its first page": 4096, "by its last page": -4096}


def without_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def put_until_it_ends(daemon, answered):
    """Delivers until a delivery gets no answer."""
    for number in range(len(answered), 10000):
        try:
            answer = daemon.deliver("foil", sample_body("foil", id=f"evt_{number}"))
        except (OSError, AssertionError):
            return
        if answer.status == 200:
            answered.add(f"evt_{number}")


def stored(path):
    with sink.open_store(path) as db:
        equal("the store is whole", db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        return {row[0] for row in db.execute("SELECT id FROM delivery")}


@pytest.mark.parametrize("cut", SIZES)
def test_a_shm_that_is_cut(cut):
    folder = sink.Folders.new()
    path = os.path.realpath(folder) + "/store.db"
    config = {"sources": [source("foil")], "store": {"file": path}}
    daemon, answered = Daemon(config, setup=without_core, real_time=True), set()
    for number in range(20):
        equal("before it, deliveries are accepted",
              daemon.deliver("foil", sample_body("foil", id=f"evt_{number}")).status, 200)
        answered.add(f"evt_{number}")
    size = SIZES[cut]
    os.truncate(path + "-shm", size if size >= 0 else os.path.getsize(path + "-shm") + size)
    put_until_it_ends(daemon, answered)
    equal(f"cut {cut}: SIGBUS ends it", daemon.wait(), -signal.SIGBUS, daemon.tail())
    check(f"cut {cut}: the last message names the file, the reason and what to do",
          daemon.messages().splitlines()[-1].startswith(f"hooklined: {path}-shm: another program "
                                                        "has cut this file short") and
          "(SIGBUS); answered deliveries are stored" in daemon.messages(), daemon.tail())
    daemon = Daemon(config)
    daemon.alive(f"cut {cut}: another start is all that it takes")
    daemon.stop()
    equal(f"cut {cut}: what was answered is stored", answered - stored(path), set())


def test_signals_of_another_process():
    """systemd's watchdog sends SIGABRT."""
    for number, words in ((signal.SIGABRT, "aborted (SIGABRT)"), (signal.SIGBUS, "ended by SIGBUS")):
        daemon = Daemon(sources=[source("foil")], setup=without_core)
        daemon.tell(number)
        equal(f"{number.name} of another process ends it", daemon.wait(), -number)
        check(f"{number.name}: with a last message",
              daemon.messages().endswith(f"hooklined: {words}\n"), daemon.messages())
