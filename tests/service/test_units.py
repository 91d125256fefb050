# SPDX-License-Identifier: MIT
"""The systemd units pass systemd-analyze, and the daemon accepts their settings."""
import configparser
import os
import re
import shutil
import subprocess

import pytest

from harness import sink
from harness.sink import Folders, check, equal, skip

# Not under ThreadSanitizer: the daemon only reads its configuration.
pytestmark = [pytest.mark.running]

UNITS = ("hooklined.service", "hooklined.socket", "hooklined-admin.socket")
EXPOSURE_MAX = 12  # tenths


def read_unit(name):
    with open(f"{sink.SOURCE}/debian/{name}", encoding="utf-8") as file:
        return file.read()


def settings(name, section):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(read_unit(name))
    return parser[section]


def installed_units():
    """The installed units, with the path of the built daemon."""
    folder = Folders.new()
    for name in UNITS:
        text = read_unit(name).replace("/usr/sbin/hooklined", os.path.abspath(sink.find_program()))
        sink.write_file(f"{folder}/{name}", text, 0o644)
    return [f"{folder}/{name}" for name in UNITS]


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=sink.PATIENCE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_what_systemd_says():
    sentences = ("systemd-analyze verify finds nothing wrong in the units",
                 f"systemd-analyze security: the service's exposure is {EXPOSURE_MAX / 10} at most")
    if shutil.which("systemd-analyze") is None:
        for sentence in sentences:
            skip(sentence, "no systemd-analyze")
        return
    paths = installed_units()
    code, out, err = analyze("verify", "--man=no", *paths)
    # systemd-analyze reports the machine's other units, too.
    ours = [line for line in (out + err).splitlines() if "hooklined" in line]
    check(sentences[0], code == 0 and not ours, code, out, err)
    code, out, err = analyze("security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", paths[0])
    score = re.search(r"Overall exposure level for \S+: (\d+\.\d)", out)
    check(sentences[1], code == 0 and score and float(score[1]) * 10 <= EXPOSURE_MAX, code, out, err)
    if score:
        print(f"# exposure {score[1]}")


def test_behind_a_proxy():
    sentence = "the drop-in of examples/nginx.conf is one that systemd understands"
    if shutil.which("systemd-analyze") is None:
        skip(sentence, "no systemd-analyze")
        return
    with open(f"{sink.SOURCE}/examples/nginx.conf", encoding="utf-8") as file:
        text = file.read()
    shown = re.search(r"^#   \[Socket\]\n(?:#   .*\n)+", text, re.M)[0].replace("#   ", "")
    path = next(path for path in installed_units() if path.endswith("hooklined.socket"))
    os.mkdir(path + ".d")
    sink.write_file(f"{path}.d/override.conf", shown, 0o644)
    code, out, err = analyze("verify", "--man=no", path)
    ours = [line for line in (out + err).splitlines() if "hooklined" in line]
    check(sentence, code == 0 and not ours, code, out, err)
    check("and has the socket that nginx asks, and no other",
          re.findall("^ListenStream=(.*)$", shown, re.M) == ["", *re.findall("server unix:(.*);", text)],
          shown)


def test_what_the_daemon_understands():
    service = settings("hooklined.service", "Service")
    arguments = service["ExecStart"].split()[1:]
    code, out, _ = sink.run("--help")
    equal("the options of ExecStart= are the daemon's",
          [a for a in arguments if a.startswith("--") and a not in out], [], code)
    reload = re.findall(r"^ExecReload=(.*)$", read_unit("hooklined.service"), re.M)
    equal("a reload needs no program that a Debian may lack",
          {command.split()[0] for command in reload} - {service["ExecStart"].split()[0]}, {"/bin/sh"})
    equal("and checks what the service reads", reload[-1], service["ExecStart"] + " --check")
    check("the sockets have the names that the daemon knows",
          settings("hooklined.socket", "Socket")["FileDescriptorName"] == "ingest" and
          settings("hooklined-admin.socket", "Socket")["FileDescriptorName"] == "admin")
    with open(f"{sink.SOURCE}/cli/sink_address.h", encoding="utf-8") as file:
        default = re.search(r'SINK_DEFAULT_ADDRESS +"unix:(.*)"', file.read())[1]
    equal("the administrator's socket is where hookline(1) looks for it",
          settings("hooklined-admin.socket", "Socket")["ListenStream"], default)
    with open(f"{sink.SOURCE}/daemon/base/process.h", encoding="utf-8") as file:
        codes = dict(re.findall(r"(EXIT_\w+) = (\d+)", file.read()))
    final = {codes[name] for name in ("EXIT_USAGE", "EXIT_PERMISSION", "EXIT_CONFIGURATION")}
    equal("what no restart mends is not restarted, and anything else is",
          set(service["RestartPreventExitStatus"].split()), final)
    unit = settings("hooklined.service", "Unit")
    for key, sentence in (("Wants", "a start of the service opens sockets that are closed"),
                          ("PartOf", "sockets that are closed or opened anew take the service along")):
        equal(sentence, set(unit.get(key, "").split()), set(UNITS[1:]))
    with open(f"{sink.SOURCE}/debian/hooklined.sysusers", encoding="utf-8") as file:
        equal("the service's user is the one that is made", file.read().split()[:2],
              ["u", service["User"]])
    with open(f"{sink.SOURCE}/daemon/conf/table.c", encoding="utf-8") as file:
        drain = int(re.search(r'"limits.shutdown_seconds",.*?\.unset = (\d+)', file.read())[1])
    equal("a file for its lines gets the mode that hooklined(8) says",
          oct(0o640 & ~int(service["UMask"], 8)), oct(0o640))
    check("it is given the time that it takes to stop", int(service["TimeoutStopSec"]) > 2 * drain)
