# SPDX-License-Identifier: MIT
"""Unusable addresses, stores, logs and files: one line that names the problem and its place, the
exit status of hooklined(8), and an unchanged store."""
import json
import os
import shutil
import socket
import stat
import subprocess

import pytest

from harness import sink
from harness.sink import NOBODY, Daemon, Folders, check, equal, sample_body, skip, source, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads]


class The:
    folder = store = None


def config(**more):
    return {"listen": [{"address": "127.0.0.1:0"}], "store": {"file": The.store},
            "sources": [source("foil")], **more}


def refused(sentence, code, says, user=None, **more):
    """The last line alone reports an error."""
    path = write_file(f"{The.folder}/hooklined.yaml", json.dumps(config(**more)), 0o644)
    done = subprocess.run(
        [*sink.WRAPPER, sink.find_program(), "--config", path], env=sink.environment(None, The.folder),
        user=user, group=user, extra_groups=None if user is None else [], cwd=The.folder,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=sink.PATIENCE, check=False)
    sink.Watch.see("standard error", done.stderr)
    lines = [line for line in done.stderr.decode().splitlines()
             if "deliveries" not in line and " listening on " not in line]
    check(f"{sentence}: exit {code}, and one line that says so",
          (done.returncode, done.stdout, lines) == (code, b"", ["hooklined: " + says]),
          done.returncode, done.stdout, done.stderr.decode())


def listening(family, address):
    sock = socket.socket(family)
    sock.bind(address)
    sock.listen()
    return sock


def addresses():
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as tcp, \
            listening(socket.AF_UNIX, f"{The.folder}/held.sock"):
        write_file(f"{The.folder}/file.sock", "not a socket")
        for address, why in (
                (f"127.0.0.1:{tcp.getsockname()[1]}", "address already in use"),
                (f"unix:{The.folder}/held.sock", "address already in use"),
                (f"unix:{The.folder}/file.sock", "the file exists and is not a socket"),
                (f"unix:{The.folder}/none/a.sock", "No such file or directory")):
            refused(f"deliveries at {address.split(':')[0]}: {why}", 1,
                    f"cannot listen on {address}: {why}", listen=[{"address": address}])
            refused(f"the administrator there: {why}", 1, f"admin: cannot listen on {address}: {why}",
                    admin={"address": address})
    twice = {"address": f"unix:{The.folder}/twice.sock"}
    refused("an address that is there twice", 1, f"cannot listen on {twice['address']}: address "
            "already in use", listen=[twice, twice])
    refused("the administrator where deliveries arrive", 1, f"cannot listen on {twice['address']}: "
            "address already in use", listen=[twice], admin=twice)
    refused("an address of another machine", 1, "cannot listen on 192.0.2.1:0: Cannot assign requested "
            "address", listen=[{"address": "192.0.2.1:0"}])
    with open(f"{The.folder}/file.sock", encoding="utf-8") as file:
        equal("a file that is no socket is left alone", file.read(), "not a socket")


def stores():
    pipe = f"{The.folder}/pipe"
    os.mkfifo(pipe)
    for path, why in ((The.folder, "not a regular file"), ("/dev/null", "not a regular file"),
                      (pipe, "not a regular file"),
                      (f"{The.folder}/file.sock", "file is not a database")):
        refused(f"a store that is {path.split('/')[-1]}", 1, f"{path}: {why}", store={"file": path})
        check("nothing is left beside it", path.endswith(".sock") or not os.path.exists(path + "-lock"))
    path = f"{The.folder}/none/hookline.db"
    refused("a store in a folder that is not there", 1,
            f"{path}-lock: cannot be opened: No such file or directory", store={"file": path})
    refused("a name that is too long", 1, f"{The.folder}/{'x' * 300}-lock: cannot be opened: File name "
            "too long", store={"file": f"{The.folder}/{'x' * 300}"})
    daemon = Daemon(sources=[source("foil")], store={"file": The.store})
    refused("a store that another process has open", 1,
            f"{The.store}: another process has this store open")
    daemon.stop()


def logs():
    for path, why in ((f"{The.folder}/none/log", "No such file or directory"),
                      (The.folder, "Is a directory")):
        refused(f"a log that cannot be opened: {why}", 1, f"cannot write the log {path}: {why}",
                log={"file": path})


def what_nobody_may():
    """Runs as a user who owns only a copy of the secret."""
    if os.geteuid() != 0:
        skip("what the user may not do", "only root can become somebody else")
        return
    os.chmod(The.folder, 0o755)
    own = source("foil")
    own["secrets"] = [{"file": write_file(f"{The.folder}/own.secret", sink.SECRETS["foil"])}]
    os.chown(f"{The.folder}/own.secret", NOBODY, NOBODY)
    os.mkdir(f"{The.folder}/own")
    os.chown(f"{The.folder}/own", NOBODY, NOBODY)
    good = {"user": NOBODY, "sources": [own], "store": {"file": f"{The.folder}/own/hookline.db"}}
    if not sink.nobody_can_run(sink.find_program()):
        skip("what the user may not do", "another user cannot start the program here")
        return
    refused("a store that is not ours", 4, f"{The.store}: cannot be written: Permission denied",
            **{**good, "store": {"file": The.store}})
    new = f"{The.folder}/new.db"
    refused("a folder for the store that is not ours", 4,
            f"{new}-lock: cannot be opened: Permission denied", **{**good, "store": {"file": new}})
    refused("a folder for the log that is not ours", 4, f"cannot write the log {The.folder}/log: "
            "Permission denied", **good, log={"file": f"{The.folder}/log"})
    address = f"unix:{The.folder}/new.sock"
    refused("a folder for the socket that is not ours", 4, f"cannot listen on {address}: Permission "
            "denied", **good, listen=[{"address": address}])
    address = f"unix:{The.folder}/own/another.sock"
    with listening(socket.AF_UNIX, address[len("unix:"):]):
        os.chmod(address[len("unix:"):], 0o600)
        refused("a socket of somebody else, who may listen there or not", 4,
                f"cannot listen on {address}: Permission denied", **good, listen=[{"address": address}])
    address = f"unix:{The.folder}/new.sock"
    refused("a folder for the administrator's that is not ours", 4,
            f"admin: cannot listen on {address}: Permission denied", **good, admin={"address": address})
    other = write_file(f"{The.folder}/other.secret", sink.SECRETS["foil"])
    refused("a secret that is not ours", 6, f"{The.folder}/hooklined.yaml:1: source foil: {other}: "
            "Permission denied", **{**good, "sources": [{**own, "secrets": [{"file": other}]}]})
    path = write_file(f"{The.folder}/hidden.yaml", json.dumps(config()))
    done = subprocess.run([*sink.WRAPPER, sink.find_program(), "--config", path], user=NOBODY,
                          group=NOBODY, extra_groups=[], env=sink.environment(None, The.folder),
                          capture_output=True, timeout=sink.PATIENCE, check=False)
    equal("a configuration that is not ours: exit 6, and one line that says so",
          (done.returncode, done.stderr.decode()), (6, f"hooklined: {path}: Permission denied\n"))


def test_places():
    The.folder = os.path.realpath(Folders.new())
    The.store = f"{The.folder}/hookline.db"
    body = sample_body("foil", id="evt_kept")
    daemon = Daemon(sources=[source("foil")], store={"file": The.store})
    equal("a delivery is stored", daemon.deliver("foil", body).json["status"], "accepted")
    daemon.stop()
    addresses()
    stores()
    logs()
    what_nobody_may()
    check("no place was turned into another thing", stat.S_ISCHR(os.stat("/dev/null").st_mode))
    daemon = Daemon(sources=[source("foil")], store={"file": The.store})
    equal("after all of that it is known", daemon.deliver("foil", body).json["status"], "duplicate")
    daemon.stop()
    shutil.rmtree(The.folder, ignore_errors=True)
