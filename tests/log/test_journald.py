# SPDX-License-Identifier: MIT
"""Log lines in systemd's journal: entries with fields, and buffering while the journal is down. A
socket of the test replaces the journal; a real journal runs where it can."""
import collections
import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from harness import sink
from harness.sink import Daemon, Folders, check, equal, sample_body, skip, source, wait_for, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads]

JOURNALD = "/lib/systemd/systemd-journald"
PRIORITIES = {"stored": "6", "duplicate": "6", "refused": "5", "failed": "4", "forwarded": "6",
              "retried": "5", "parked": "4"}
OURS = {"SYSLOG_IDENTIFIER": "hooklined", "SYSLOG_FACILITY": "3"}
MIB = 1 << 20


def in_room(folder):
    """Command prefix that mounts the folder over /run."""
    private = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    return [*private, "sh", "-c", 'mount --bind "$0" /run && exec "$@"', folder]


@pytest.fixture(scope="module", autouse=True)
def room():
    """Skips the file if mounts are not permitted."""
    folder = Folders.new()
    try:
        done = subprocess.run([*in_room(folder), "true"], capture_output=True, text=True, check=False)
        why = done.stderr.strip().replace("\n", "; ") if done.returncode else ""
    except OSError as e:
        why = os.strerror(e.errno or errno.ENOENT)
    if why:
        pytest.skip(f"nothing can be mounted here: {why}")


def parse(data):
    """Parses the native protocol; a repeated field is an error."""
    entry = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, sign, value = line.partition(b"=")
        if not sign:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8:8 + size], data[8 + size:]
            assert data[:1] == b"\n", "no line end behind a value"
            data = data[1:]
        assert name.decode() not in entry, f"{name} is there twice"
        entry[name.decode()] = value.decode()
    return entry


class Journal:
    def __init__(self):
        self.run = Folders.new()
        self.folder = f"{self.run}/systemd/journal"
        os.makedirs(self.folder)
        os.chmod(self.run, 0o755)
        self.entries, self.files = [], 0
        self.begin()

    def begin(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * MIB)
        self.socket.bind(f"{self.folder}/socket")
        self.socket.setblocking(False)

    def end(self):
        self.socket.close()
        os.unlink(f"{self.folder}/socket")

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, files, _, _ = socket.recv_fds(self.socket, MIB, 1)
                for file in files:
                    seals = fcntl.fcntl(file, fcntl.F_GET_SEALS)
                    assert not data and seals & fcntl.F_SEAL_WRITE and seals & fcntl.F_SEAL_SHRINK
                    with os.fdopen(file, "rb") as content:
                        content.seek(0)
                        data = content.read()
                    self.files += 1
                self.entries.append(parse(data))
        return self.entries

    def wait(self, count):
        return wait_for(lambda: len(self.read()) >= count and self.entries, f"{count} entries")

    def ids(self):
        return [entry.get("HOOKLINE_ID") for entry in self.read()]


def stream(folder, mine=True):
    """JOURNAL_STREAM of standard output, or of another existing file, so that standard error cannot
    reuse its inode."""
    status = os.stat(write_file(f"{folder}/{'stdout' if mine else 'journal'}", ""))
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def start(journal, mine=True, **config):
    folder = Folders.new()
    config.setdefault("sources", [source("foil")])
    return Daemon(folder=folder, env=stream(folder, mine), launcher=in_room(journal.run), **config)


def deliver(daemon, name, **more):
    body = sample_body("foil", id=name)
    if more:
        body = json.dumps({**json.loads(body), **more}).encode()
    return daemon.deliver("foil", body)


def text_of(value):
    return json.dumps(value) if isinstance(value, (bool, int)) else value


def check_fields(entry):
    """Fields equal the members of the JSON line."""
    line = json.loads(entry["MESSAGE"])
    if line.get("remote", "").startswith("127.0.0.1:"):
        line["remote"] = "127.0.0.1"
    wrong = {name: value for name, value in entry.items() if name.startswith("HOOKLINE_") and
             text_of(line.get(name.removeprefix("HOOKLINE_").lower())) != value}
    wrong.update({name: value for name, value in OURS.items() if entry[name] != value})
    if entry["PRIORITY"] != PRIORITIES[line["verdict"]]:
        wrong["PRIORITY"] = entry["PRIORITY"]
    return wrong


def test_entries_and_their_fields():
    journal = Journal()
    daemon = start(journal, destinations=[{"name": "app", "url": "http://127.0.0.1:9/"}],
                   sources=[source("foil"), source("shodai")])
    answers = [deliver(daemon, f"evt_{i}") for i in range(10)]
    answers += [deliver(daemon, "evt_3"), daemon.send("/shodai", [], b"{}"), daemon.send("/no")]
    wait_for(lambda: any("HOOKLINE_TRIES" in entry for entry in journal.read()), "an attempt")
    wait_for(lambda: answers[-1].receipt in [e.get("HOOKLINE_RECEIPT") for e in journal.read()],
             "the last entry")
    entries = [entry for entry in journal.entries if "HOOKLINE_RECEIPT" in entry]
    equal("each delivery is an entry, once, in its order",
          [entry["HOOKLINE_RECEIPT"] for entry in entries], [a.receipt for a in answers])
    check("MESSAGE is the line without its line end, and each field says what its member says",
          not any(check_fields(entry) for entry in journal.entries),
          *(check_fields(entry) for entry in journal.entries))
    check("and PRIORITY how grave it is: 6 of what is accepted, 5 of what is refused",
          [entry["PRIORITY"] for entry in entries] == ["6"] * 11 + ["5"] * 2)
    for what, i, wanted in (
            ("what is stored", 0, {"SOURCE": "foil", "SCHEME": "foil", "VERDICT": "stored",
                                   "REASON": "verified", "STATUS": "200", "SEQ": "1", "ID": "evt_0",
                                   "TYPE": "webhook.test", "TEST": "true", "HINT": None}),
            ("what is repeated", 10, {"VERDICT": "duplicate", "ID": "evt_3", "SEQ": "4"}),
            ("what is refused", 11, {"SOURCE": "shodai", "VERDICT": "refused", "STATUS": "401",
                                     "REASON": "missing_header", "ID": None, "SEQ": None}),
            ("what no source has the path of", 12, {"SOURCE": None, "STATUS": "404"})):
        equal(f"{what} has a field for what is known, and none for what is not",
              {name: entries[i].get(f"HOOKLINE_{name}") for name in wanted}, wanted)
    equal("the sender's address is a field, without the port",
          {entry["HOOKLINE_REMOTE"] for entry in entries}, {"127.0.0.1"})
    tries = [entry for entry in journal.entries if "HOOKLINE_TRIES" in entry]
    check("an attempt at a destination is an entry with its name",
          all(entry["HOOKLINE_DESTINATION"] == "app" and entry["HOOKLINE_SOURCE"] == "foil" and
              entry["HOOKLINE_VERDICT"] == "retried" for entry in tries), tries[0])
    kinds = collections.defaultdict(set)
    for entry in journal.entries:
        kinds[entry["HOOKLINE_VERDICT"]].add(entry["MESSAGE_ID"])
    check("each verdict has a MESSAGE_ID of its own",
          sorted(map(len, kinds.values())) == [1] * 4 and
          len(set.union(*kinds.values())) == 4, dict(kinds))
    equal("nothing is on standard output", daemon.raw_log(), b"")
    daemon.stop()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_addresses():
    journal = Journal()
    daemon = start(journal, trusted_proxies=["127.0.0.1"])
    senders = ["192.0.2.7", "2001:db8::7", "127.0.0.1"]
    for sender in senders:
        daemon.send("/no", [("X-Forwarded-For", sender)])
    equal("an address out of X-Forwarded-For is one, too",
          [entry["HOOKLINE_REMOTE"] for entry in journal.wait(len(senders))], senders)
    daemon.stop()
    sentence = "an IPv6 address has neither brackets nor the port"
    if not has_ipv6():
        skip(sentence, "no IPv6")
        return
    daemon = start(journal, listen=[{"address": "[::1]:0"}])
    daemon.send("/no")
    entry = journal.wait(len(senders) + 1)[-1]
    check(sentence, entry["HOOKLINE_REMOTE"] == "::1" and "[::1]:" in entry["MESSAGE"], entry)
    daemon.stop()


def test_values_that_hold_anything():
    journal = Journal()
    daemon = start(journal)
    types = ["a\nHOOKLINE_SOURCE=forged\nPRIORITY=0", "\n", "=", "tab\tquote\" back\\slash \\n \\",
             "gr\u00fc\u00dfe \U0001f3a3", "\x01\x1f\x7f\u0080", "null", "{\"source\":\"x\"},"]
    equal("types of any characters are accepted",
          {deliver(daemon, f"evt_{i}", type=kind).status for i, kind in enumerate(types)}, {200})
    entries = journal.wait(len(types))
    equal("a value with line ends, quotes or anything else arrives whole, and is nothing but a value",
          [entry["HOOKLINE_TYPE"] for entry in entries], types)
    check("so no sender writes a field", not any(check_fields(entry) for entry in entries), entries)
    daemon.stop()


def test_long_lines():
    journal = Journal()
    daemon = start(journal, log={"body": True})
    sizes = (100, 60000, 300000, 900000)
    for size in sizes:
        deliver(daemon, f"evt_{size}", data="x" * size)
    entries = journal.wait(len(sizes))
    equal("a line of any length is one entry",
          [len(json.loads(json.loads(entry["MESSAGE"])["body"])["data"]) for entry in entries],
          list(sizes))
    check("and what no datagram holds is a file that nobody can change", journal.files >= 1,
          journal.files)
    daemon.stop()


def deliver_many(daemon, count):
    with daemon.connect() as connection:
        for i in range(count):
            body = sample_body("foil", id=f"evt_{i}")
            connection.write(sink.request("/foil", sink.sign("foil", body), body))
            assert connection.read().status == 200


@pytest.mark.first
def test_a_journal_that_is_slow():
    journal = Journal()
    daemon = start(journal)
    count = 30 if sink.WRAPPER else 1200  # more than the socket buffers
    deliver_many(daemon, count)
    equal("while nobody reads the journal deliveries are answered, and when it is read none of the "
          "entries is missing or there twice",
          [e["HOOKLINE_ID"] for e in journal.wait(count)], [f"evt_{i}" for i in range(count)])
    daemon.stop()


@pytest.mark.first
def test_a_journal_that_is_never_read():
    journal = Journal()
    daemon = start(journal)
    count = 1200
    deliver_many(daemon, count)
    daemon.tell(signal.SIGTERM)
    equal("while nobody reads the journal it stops, and exits with 0", daemon.wait(), 0)
    lost = re.findall(r"^hooklined: (\d+) log lines lost", daemon.messages(), re.M)
    equal("and says how many lines are not there to be read",
          [len(journal.read()) + int(number) for number in lost], [count], daemon.tail())


def test_a_journal_that_is_away():
    journal = Journal()
    daemon = start(journal, log={"body": True})
    deliver(daemon, "before")
    journal.wait(1)
    journal.end()
    names = [f"away_{i}" for i in range(10)]
    equal("while there is no journal deliveries are accepted",
          {deliver(daemon, name).status for name in names}, {200})
    journal.begin()
    journal.wait(11)
    equal("and when it is back none of the lines is missing or there twice", journal.ids(),
          ["before", *names])
    journal.end()
    many = 60
    for i in range(many):
        deliver(daemon, f"many_{i}", data="x" * 30000)
    journal.begin()
    lost = wait_for(lambda: [e for e in journal.read() if "HOOKLINE_LOST_LINES" in e], "the loss")
    kept = sum(name is not None and name.startswith("many_") for name in journal.ids())
    equal("of more than a MiB lines are lost, and an entry says how many",
          kept + sum(int(entry["HOOKLINE_LOST_LINES"]) for entry in lost), many)
    check("which is a warning", all(entry["PRIORITY"] == "4" for entry in lost) and 0 < kept < many,
          lost, kept)
    journal.end()
    for i in range(3):
        deliver(daemon, f"end_{i}")
    daemon.stop()
    check("at the end, without a journal, standard error says how many lines nobody has taken",
          "hooklined: 3 log lines lost: " in daemon.messages(), daemon.messages())


def test_no_journal():
    journal = Journal()
    journal.end()
    daemon = start(journal)
    receipt = deliver(daemon, "evt_1").receipt
    line = wait_for(lambda: daemon.lines(receipt=receipt), "the line")
    equal("where the journal cannot be reached at the start the line is on standard output",
          len(line), 1)
    daemon.stop()
    journal.begin()
    daemon = start(journal, mine=False)
    receipt = deliver(daemon, "evt_1").receipt
    wait_for(lambda: daemon.lines(receipt=receipt), "the line")
    equal("standard output that is not the journal's has the lines, and the journal nothing",
          journal.read(), [])
    daemon.stop()
    path = f"{Folders.new()}/log"
    daemon = start(journal, log={"file": path})
    daemon.log = path
    receipt = deliver(daemon, "evt_1").receipt
    check("so has a log that is a file, wherever standard output leads",
          wait_for(lambda: daemon.lines(receipt=receipt), "the line") and not journal.read(),
          journal.entries)
    daemon.stop()


def test_the_emulator():
    """The emulator's lines are no verdicts, so the journal gets no entry."""
    journal, folder = Journal(), Folders.new()
    environment = {**sink.environment(None, folder), **stream(folder)}
    with open(f"{folder}/stdout", "ab") as out:
        process = subprocess.Popen(
            [*in_room(journal.run), *sink.WRAPPER, f"{sink.BUILD}/hookline", "emulate", "--json",
             "--keys=keys", "--listen=127.0.0.1:0", "--endpoint=trulayer=http://127.0.0.1:1/"],
            cwd=folder, env=environment, stdout=out, preexec_fn=sink.die_with_parent)

    def lines(count):
        with open(f"{folder}/stdout", encoding="utf-8") as file:
            found = file.read().split("\n")[:-1]
        return len(found) >= count and [json.loads(line) for line in found]

    base = wait_for(lambda: lines(1), "the first line")[0]["base_url"]
    with sink.Connection(("127.0.0.1", int(base.rsplit(":", 1)[1]))) as connection:
        connection.write(b"POST /emulator/sources/trulayer/test HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 0\r\n\r\n")
        equal("an emulator is asked for a test", connection.read().status, 200)
    equal("... and its line is one", wait_for(lambda: lines(2) or journal.read(), "the line")[-1]
          .get("attempt"), 1)
    equal("... and no entry that hooklined might have written", journal.read(), [])
    process.send_signal(signal.SIGTERM)
    equal("... and it ends", process.wait(sink.PATIENCE), 0)
    journal.end()


# Environment of a systemd service: one stream for both outputs, and the unit's name.
SERVICE = r"""
import os, socket, sys
stream = socket.socket(socket.AF_UNIX)
stream.connect("/run/systemd/journal/stdout")
stream.sendall(b"hooklined\nhooklined.service\n6\n1\n0\n0\n0\n")
status = os.fstat(stream.fileno())
os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
os.dup2(stream.fileno(), 1)
os.dup2(stream.fileno(), 2)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_the_journal_itself():
    sentence = "journalctl -u hooklined HOOKLINE_SOURCE=foil HOOKLINE_VERDICT=refused shows such lines"
    if os.geteuid() != 0 or not os.path.exists(JOURNALD) or shutil.which("journalctl") is None:
        skip(sentence, "systemd-journald runs for root only, if it is there")
        return
    journal = Journal()
    journal.end()
    with subprocess.Popen([*in_room(journal.run), JOURNALD], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          preexec_fn=sink.die_with_parent) as journald:
        try:
            wait_for(lambda: journald.poll() is not None or
                     os.path.exists(f"{journal.folder}/stdout"), "systemd-journald")
            if journald.poll() is not None:
                skip(sentence, "systemd-journald does not start here")
                return
            ask_the_journal(journal, sentence)
        finally:
            journald.terminate()


def journalctl(journal, *arguments):
    done = subprocess.run([*in_room(journal.run), "journalctl", "--quiet", "-o", "cat", *arguments],
                          capture_output=True, text=True, timeout=sink.PATIENCE, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def ask_the_journal(journal, sentence):
    launcher = [*in_room(journal.run), sys.executable, "-c", SERVICE]
    daemon = Daemon(sources=[source("foil")], launcher=launcher, ready=False, log={"body": True})

    def listening():
        lines = journalctl(journal, "-u", "hooklined", "-p", "info")
        return [line.rpartition(":")[2] for line in lines if line.startswith("listening on ")]

    daemon.address = ("127.0.0.1", int(wait_for(listening, "the notice")[0]))
    deliver(daemon, "evt_1", data="x" * 300000)
    receipts = [daemon.send("/foil", [], b"{}").receipt for _ in range(2)]
    deliver(daemon, "evt_1")
    daemon.stop()
    journalctl(journal, "--sync")

    def shown(count, *matches):
        """Entries that match, once there are `count`: a busy journal adds them late."""
        return wait_for(lambda: len(found := journalctl(journal, "-u", "hooklined", *matches)) >= count
                        and found, f"{count} lines of {matches}")

    lines = shown(2, "HOOKLINE_SOURCE=foil", "HOOKLINE_VERDICT=refused")
    equal(sentence, [json.loads(line)["receipt"] for line in lines], receipts)
    lines = shown(2, "HOOKLINE_ID=evt_1")
    equal("HOOKLINE_ID=evt_1 the delivery and its repetition, whole, however long they are",
          [(json.loads(line)["verdict"], len(json.loads(json.loads(line)["body"])["data"]))
           for line in lines], [("stored", 300000), ("duplicate", 0)])
    lines = shown(1, f"HOOKLINE_RECEIPT={receipts[1]}")
    equal("HOOKLINE_RECEIPT= the line of an answer", len(lines), 1, lines)
    wait_for(lambda: "stopping" in journalctl(journal, "-u", "hooklined"), "the last line")
    check("-u hooklined has what is said, too, to the last line", True)
