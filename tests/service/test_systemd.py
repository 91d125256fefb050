# SPDX-License-Identifier: MIT
"""systemd notifications and the watchdog."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from harness import sink
from harness.conservation import UnreliableMachine
from harness.sink import Daemon, Folders, check, equal, skip, source, wait_for, write_file
from harness.supervision import Supervisor, config_file

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(240)]

SLOWER = 5 if sink.WRAPPER else 1


def body_of(id):
    return json.dumps({"id": id, "type": "webhook.test"}).encode()


def test_what_it_is_told():
    supervisor = Supervisor()
    daemon = Daemon(real_time=True, sources=[source("foil")], limits={"shutdown_seconds": 100},
                    env=supervisor.environment())
    supervisor.wait_for("READY=1")
    told = supervisor.told()
    check("it is told what is being opened, then where deliveries arrive, and then READY=1",
          len(told) == 3 and told[0] == f"STATUS=opening the store {daemon.store}" and
          told[1] == f"STATUS=receiving at 127.0.0.1:{daemon.address[1]}" and
          told[2] == "READY=1", told)
    daemon.alive("READY=1: a delivery is stored")
    before = time.monotonic_ns() // 1000
    daemon.tell(signal.SIGHUP)
    message = supervisor.wait_for("RELOADING=1")
    moment = [int(f.partition("=")[2]) for f in message.fields if f.startswith("MONOTONIC_USEC=")]
    check("SIGHUP: RELOADING=1 with the time of the monotonic clock in the same message",
          len(moment) == 1 and before <= moment[0] <= time.monotonic_ns() // 1000, message)
    supervisor.wait_for("READY=1")
    check("SIGHUP: and READY=1 when that is done", "configuration read again" in daemon.messages(),
          daemon.tail())
    path = f"{daemon.folder}/hooklined.yaml"
    with open(path, encoding="utf-8") as file:
        good = file.read()
    write_file(path, good.replace('"foil"', '"no such scheme"'))
    daemon.tell(signal.SIGHUP)
    status = supervisor.wait_for("STATUS=").fields[0]
    check("SIGHUP: that a configuration is wrong stands in the status, and it is ready again",
          status.endswith("; the new configuration is wrong, the old one stays in force") and
          supervisor.wait_for("READY=1"), supervisor.told())
    write_file(path, good)
    daemon.tell(signal.SIGHUP)
    equal("SIGHUP: until one is right", supervisor.wait_for("STATUS=").fields[0],
          f"STATUS=receiving at 127.0.0.1:{daemon.address[1]}")
    supervisor.wait_for("READY=1")
    check("without WATCHDOG_USEC no WATCHDOG=1 is sent",
          not any("WATCHDOG=1" in m.fields for m in supervisor.messages), supervisor.messages)
    daemon.tell(signal.SIGTERM)
    message = supervisor.wait_for("STOPPING=1")
    asked = [int(f.partition("=")[2]) for f in message.fields
             if f.startswith("EXTEND_TIMEOUT_USEC=")]
    check("SIGTERM: it asks for the time that the configuration gives senders and destinations, and "
          "for some more", len(asked) == 1 and 200e6 < asked[0] < 300e6, message)
    equal("SIGTERM: STOPPING=1, and it exits with 0", daemon.wait(), 0, daemon.tail())
    supervisor.listen(0)
    check("SIGTERM: and a line for people",
          supervisor.told()[-1].startswith("STATUS=stopping"), supervisor.told())
    supervisor.close()


def test_nobody_to_tell():
    for path in ("/nonexistent/notify", "@nobody", "strange"):
        daemon = Daemon(sources=[source("foil")],
                        env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})
        daemon.alive(f"NOTIFY_SOCKET={path}: it works as without one")
        daemon.stop()


def test_a_socket_without_a_path():
    supervisor = Supervisor(path=f"@hooklined-test-{os.getpid()}")
    Daemon(sources=[source("foil")], env=supervisor.environment())
    check("NOTIFY_SOCKET=@name: it is told as any other", supervisor.wait_for("READY=1"))
    supervisor.close()


def ticks(daemon):
    """CPU time of the main thread, in clock ticks."""
    with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/stat", encoding="ascii") as file:
        return sum(int(field) for field in file.read().rpartition(")")[2].split()[11:13])


def test_strange_patience():
    """Too short and invalid values of WATCHDOG_USEC."""
    for text, warned in (("1", True), ("8", True), ("4999999", True), ("5000000", False),
                         (str(2**63), False), (str(2**64 - 2), False), ("-1", False),
                         ("soon", False)):
        supervisor = Supervisor()
        daemon = Daemon(sources=[source("foil")],
                        env=supervisor.environment(WATCHDOG_USEC=text))
        supervisor.wait_for("READY=1")
        before, began = ticks(daemon), time.monotonic()
        supervisor.listen(0.5)
        share = (ticks(daemon) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
        warning = "set 5 s or more" in daemon.messages()
        equal(f"WATCHDOG_USEC={text}: it warns{'' if warned else ' not'}", warning, warned,
              daemon.tail())
        check(f"WATCHDOG_USEC={text}: it does not work all the time", sink.WRAPPER or share < 0.5,
              share)
        equal(f"WATCHDOG_USEC={text}: and stops as ever", daemon.stop(), 0)
        supervisor.close()


class Watched(UnreliableMachine):
    """A machine with a supervisor and a disk of adjustable speed."""
    def __init__(self, supervisor, **config):
        super().__init__(None, 0)
        self.supervisor = supervisor
        self.config.update(config)

    def environment(self):
        return {**super().environment(), **self.supervisor.environment()}


def test_ready_means_durable():
    supervisor = Supervisor()
    machine = Watched(supervisor)
    machine.start()  # creates the store
    supervisor.wait_for("READY=1")
    machine.daemon.stop()
    supervisor.forget()
    machine.fault("write store.db-wal ENOSPC")
    machine.start()
    heard = [f for m in supervisor.listen(1.5) for f in m.fields]
    check("a full disk at the start: it listens, but is not ready", "READY=1" not in heard, heard)
    equal("a full disk at the start: deliveries are answered with 503",
          machine.daemon.deliver("foil").status, 503)
    supervisor.wait_for("STATUS=cannot store")
    machine.daemon.tell(signal.SIGHUP)
    wait_for(lambda: "configuration" in machine.daemon.messages(), "the reload")
    heard = [f for m in supervisor.listen(0.5) for f in m.fields]
    check("a full disk at the start: a reload makes it no readier",
          "READY=1" not in heard and "RELOADING=1" not in heard, heard)
    check("a full disk at the start: nor does it say that it stores again",
          "storing deliveries again" not in machine.daemon.messages(), machine.daemon.tail())
    machine.fault()
    supervisor.wait_for("READY=1")
    equal("when there is room it is ready, and a delivery is stored",
          machine.daemon.deliver("foil").status, 200)
    supervisor.wait_for("STATUS=receiving at")
    machine.fault("write store.db-wal ENOSPC")
    equal("the disk is full again: a delivery is answered with 503",
          machine.daemon.deliver("foil", body_of("evt_2")).status, 503)
    check("the disk is full again: the status says so",
          supervisor.wait_for("STATUS=cannot store"), supervisor.messages)
    machine.fault()
    supervisor.close()


def beats(messages):
    return [m.at for m in messages if "WATCHDOG=1" in m.fields]


@pytest.mark.first
def test_the_watchdog_is_fed():
    supervisor = Supervisor(watchdog_us=4000000)
    Daemon(real_time=True, sources=[source("foil")], threads=3, env=supervisor.environment())
    supervisor.wait_for("READY=1")

    def gaps():
        supervisor.listen(1)
        at = beats(supervisor.messages)[-4:]
        return [b - a for a, b in zip(at, at[1:])]

    # A stalled machine delays a heartbeat.
    wait_for(lambda: len(last := gaps()) == 3 and max(last) < 3.5 * SLOWER, "three in time")
    check("with nothing to do WATCHDOG=1 comes well before it is due", True)
    supervisor.close()


@pytest.mark.first
def test_a_disk_that_hangs():
    """The writer thread alone waits for the disk."""
    supervisor = Supervisor(watchdog_us=2000000)
    machine = Watched(supervisor)
    machine.start()
    supervisor.wait_for("READY=1")
    supervisor.wait_for("WATCHDOG=1")
    machine.hold()
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(machine.daemon.deliver("foil").status))
    thread.start()
    wait_for(lambda: "the writer thread has not responded for" in machine.daemon.messages(),
             "the message")
    check("a disk that hangs: it is said which thread waits", True)
    supervisor.forget()
    heard = supervisor.listen(4)
    check("a disk that hangs: no WATCHDOG=1 comes any more", not beats(heard), heard)
    machine.fault()
    thread.join()
    supervisor.forget()
    equal("a disk that goes on in the end: the delivery is stored", answers, [200])
    check("a disk that goes on in the end: so does WATCHDOG=1",
          supervisor.wait_for("WATCHDOG=1"), supervisor.messages)
    supervisor.close()


@pytest.mark.first
def test_a_long_checkpoint():
    """The checkpoint thread may take long, because no request waits for it."""
    supervisor = Supervisor(watchdog_us=6000000)
    machine = Watched(supervisor)
    machine.start()
    supervisor.wait_for("READY=1")
    daemon, said = machine.daemon, "a checkpoint of the store has run for 10 s"
    machine.fault(f"slow store.db {2 * sink.PATIENCE * 1000000}")
    for number in range(40):
        body = json.dumps({"id": f"evt_{number}", "type": "webhook.test", "fill": "x" * 500000})
        answer = daemon.deliver("foil", body.encode())
        if answer.status != 200:
            break
    equal("a checkpoint that takes long: deliveries are stored", answer.status, 200)
    while said not in daemon.messages():
        supervisor.wait_for("WATCHDOG=1")
    check("a checkpoint that takes long: WATCHDOG=1 comes, and it is said what takes long", True)
    daemon.alive("a checkpoint that takes long: and deliveries are stored")
    machine.fault()
    daemon.kill()
    supervisor.close()


class Debugger:
    """Stops one thread of another process."""
    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, thread):
        self.thread = thread
        self.call(self.SEIZE)
        self.call(self.INTERRUPT)
        os.waitpid(thread, 0x40000000)  # __WALL

    def call(self, request):
        if sink.libc.ptrace(request, self.thread, None, None) != 0:
            raise PermissionError(f"ptrace request {request:#x}")

    def let_go(self):
        self.call(self.DETACH)


class Supervised:
    """A daemon with every kind of thread, and its supervisor."""
    def __init__(self):
        self.supervisor = Supervisor(watchdog_us=2000000)
        self.daemon = Daemon(real_time=True, sources=[source("foil")], threads=2,
                             env=self.supervisor.environment(),
                             admin={"address": f"unix:{Folders.new()}/admin.sock"},
                             destinations=[{"name": "app", "url": "http://127.0.0.1:9/"}])
        self.supervisor.wait_for("READY=1")

    def threads(self):
        """Thread ids in order of creation, not sorted."""
        return [int(number) for number in os.listdir(f"/proc/{self.daemon.process.pid}/task")]


@pytest.mark.first
def test_each_thread_is_watched():
    sentence = "each loop, the journal, the forwarder, the admin loop and the main thread, " \
        "but not the one that copies the log into the store"
    if sink.WRAPPER:
        skip(sentence, "the wrapper's threads are not the daemon's")
        return
    one = Supervised()
    watches = [one] + [Supervised() for _ in range(len(one.threads()) - 1)]
    debuggers = []
    try:
        for i, watch in enumerate(watches):  # another thread in each daemon
            debuggers.append(Debugger(watch.threads()[i]))
    except (PermissionError, ChildProcessError) as e:
        skip(sentence, f"no thread can be stopped here: {e}")
        return

    def count_silent():
        for watch in watches:
            watch.supervisor.forget()
        one.supervisor.listen(3)
        for watch in watches:
            watch.supervisor.listen(0)
        return sum(not beats(watch.supervisor.messages) for watch in watches)

    # A heartbeat may be in flight at first, or late on a busy machine.
    end = time.monotonic() + sink.PATIENCE
    while (silent := count_silent()) != 6 and time.monotonic() < end:
        pass
    for debugger, watch in zip(debuggers, watches):
        debugger.let_go()
        watch.supervisor.forget()
        watch.supervisor.wait_for("WATCHDOG=1")
        watch.supervisor.close()
    equal(f"{sentence}: if one of them stands still, no WATCHDOG=1 comes, and when it goes on one "
          "does", silent, 6, *(watch.daemon.tail() for watch in watches))


def test_gravity():
    """Priority prefixes for journald."""
    folder = Folders.new()
    path = f"{folder}/stream"
    for mine in (True, False):
        with open(path, "wb") as stream:
            status = os.fstat(stream.fileno())
            number = status.st_ino + (0 if mine else 1)
            env = sink.environment({"JOURNAL_STREAM": f"{status.st_dev}:{number}"}, folder)
            done = subprocess.run([*sink.WRAPPER, sink.find_program(), *config_file(sources=[])],
                                  env=env, stdin=subprocess.DEVNULL, stderr=stream, check=False,
                                  stdout=subprocess.DEVNULL, timeout=sink.PATIENCE)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        expected = "<3>" if mine else "hooklined: "
        check("standard error that is the journal: an error has the priority 3, and no name before "
              "it" if mine else "standard error that is not the journal has no priorities",
              done.returncode == 6 and text.startswith(expected) and "<3>hooklined" not in text,
              text)
