# SPDX-License-Identifier: MIT
"""examples/logrotate, run by logrotate under load: no line is lost or torn."""
import collections
import datetime
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from harness import sink
from harness.sink import Daemon, Folders, check, equal, request, sample_body, sign, source, wait_for

LOGROTATE = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin:/sbin")

pytestmark = [pytest.mark.running, pytest.mark.threads,
              pytest.mark.skipif(LOGROTATE is None, reason="no logrotate")]

ROTATIONS = 4
EACH = 10 if sink.WRAPPER else 100  # deliveries between two rotations


def example():
    with open(os.path.join(sink.SOURCE, "examples/logrotate"), encoding="utf-8") as file:
        return file.read()


def for_here(folder, pid):
    """The example, adapted to the test's log."""
    text = example().replace("/var/log/hookline", folder)
    text = re.sub(r"^\tsu .*\n", "", text, flags=re.M)
    text = text.replace("if systemctl is-active --quiet hooklined.service",
                        f"if kill -0 {pid}")
    text = re.sub(r"systemctl kill .*", f"kill -HUP {pid}", text)
    assert "systemctl" not in text, text
    return text


class Sender(threading.Thread):
    """Delivers without a pause and keeps the receipts."""
    def __init__(self, daemon, name):
        super().__init__(daemon=True)
        self.sink, self.label = daemon, name
        self.receipts, self.halt = [], threading.Event()

    def run(self):
        with self.sink.connect() as connection:
            while not self.halt.is_set():
                body = sample_body("foil", id=f"evt_{self.label}_{len(self.receipts)}")
                connection.write(request("/foil", sign("foil", body), body))
                self.receipts.append(connection.read().receipt)


def lines_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return [json.loads(line)["receipt"] for line in file]


def rotate(config, state):
    done = subprocess.run([LOGROTATE, "--force", "--state", state, config], capture_output=True,
                          text=True, check=False, timeout=sink.PATIENCE * 3)
    return done.returncode, done.stdout + done.stderr


def a_day_passes(folder):
    """Dates the rotated files back by a day, since logrotate skips a log whose target name
    exists."""
    for path in sorted(glob.glob(f"{folder}/*.jsonl-*")):
        start, day, end = re.fullmatch(r"(.*-)(\d{8})(.*)", path).groups()
        day = datetime.datetime.strptime(day, "%Y%m%d") - datetime.timedelta(days=1)
        os.rename(path, f"{start}{day:%Y%m%d}{end}")


def test_rotation():
    folder = Folders.new()
    path = f"{folder}/deliveries.jsonl"
    daemon = Daemon(sources=[source("foil")], log={"file": path}, threads=2)
    config = sink.write_file(f"{Folders.new()}/logrotate", for_here(folder, daemon.process.pid))
    state = f"{Folders.new()}/state"
    threads = [Sender(daemon, n) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(ROTATIONS):
            before = sum(len(thread.receipts) for thread in threads)
            wait_for(lambda: sum(len(t.receipts) for t in threads) > before + EACH, "deliveries")
            a_day_passes(folder)
            equal(f"rotation {turn + 1}: logrotate has nothing to say", rotate(config, state), (0, ""))
            wait_for(lambda: daemon.messages().count("log reopened") == turn + 1, "the message")
            wait_for(lambda: os.path.exists(path) and os.path.getsize(path), "lines in the new file")
    finally:
        for thread in threads:
            thread.halt.set()
        for thread in threads:
            thread.join(sink.PATIENCE)
    daemon.log = path
    daemon.stop()
    judge(folder, threads)


def judge(folder, threads):
    files = sorted(glob.glob(f"{folder}/*"))
    equal("the last two files are as they were written, those before compressed",
          [name.endswith(".gz") for name in sorted(os.path.basename(f) for f in files)],
          [False] + [True] * (ROTATIONS - 1) + [False], files)
    count = collections.Counter(receipt for file in files for receipt in lines_of(file))
    sent = [receipt for thread in threads for receipt in thread.receipts]
    equal("no line is lost", [receipt for receipt in sent if count[receipt] == 0][:10], [])
    equal("none is there twice, and each is a whole one", [r for r, n in count.items() if n > 1], [])
    check("there were lines to lose", len(sent) > ROTATIONS * EACH, len(sent))


def test_as_it_is():
    """Dry run without a state file, so a concurrent logrotate does not matter."""
    text = re.sub(r"^\tsu .*\n", "", example(), flags=re.M)
    path = sink.write_file(f"{Folders.new()}/logrotate", text)
    done = subprocess.run([LOGROTATE, "--debug", "--state", "/dev/null", path], capture_output=True,
                          text=True, check=False)
    check("logrotate reads the example", done.returncode == 0 and "error" not in done.stderr,
          done.stderr)
