# SPDX-License-Identifier: MIT
"""hooklined --ready asks a running daemon, as a container's probe does: exit code and message."""
import os
import re
import signal
import socket

import pytest

from harness import sink
from harness.admin import socket_path
from harness.sink import Daemon, check, equal, sample_body, sign, source, wait_for, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads]

TOKEN = "0123456789abcdef-ready"
sink.Watch.words.add(TOKEN.encode())


LATE = "no answer within 5 seconds"


def ready(address):
    """Returns the exit code, standard output, and the lines of standard error without the name.
    Repeats the probe if the daemon was stopped too long to answer."""
    def probe():
        code, out, err = sink.run("--ready", address)
        return code, out, err.replace(f"hooklined: {address}: ", "").splitlines()

    return wait_for(lambda: LATE not in (told := probe())[2] and told, "an answer")


def admin_port(daemon):
    return re.search(r"admin listening on \S+:(\d+)\n", daemon.messages())[1]


def test_ready():
    path = socket_path()
    daemon = Daemon(sources=[source("foil")], admin={"address": f"unix:{path}"})
    equal("a Unix socket: it is ready", ready(f"unix:{path}"), (0, "ready\n", []))
    folder = os.path.dirname(path)
    link = f"{sink.Folders.new()}/link"
    os.symlink(folder, link)
    equal("by another path, too", ready(f"unix:{link}/admin.sock"), (0, "ready\n", []))
    daemon.stop()
    for address in ("127.0.0.1", "[::1]"):
        if address == "[::1]" and not socket.has_ipv6:
            continue
        daemon = Daemon(sources=[source("foil")], admin={"address": f"{address}:0"})
        equal(f"{address}: it is ready", ready(f"{address}:{admin_port(daemon)}"), (0, "ready\n", []))
        daemon.stop()


def test_a_token_is_not_needed():
    file = write_file(f"{sink.Folders.new()}/token", TOKEN)
    daemon = Daemon(sources=[source("foil")],
                    admin={"address": "0.0.0.0:0", "token": {"file": file}})
    address = f"127.0.0.1:{admin_port(daemon)}"
    equal("an admin API with a token: it is ready", ready(address), (0, "ready\n", []))
    os.unlink(daemon.store + "-shm")
    daemon.deliver("foil")
    equal("and if it is not, there are no details", ready(address), (1, "", ["not ready"]))
    daemon.stop()


def test_a_store_that_fails():
    path = socket_path()
    daemon = Daemon(sources=[source("foil")], admin={"address": f"unix:{path}"})
    os.unlink(daemon.store + "-shm")
    daemon.deliver("foil")
    code, out, lines = ready(f"unix:{path}")
    check("a store without its -shm: it is not ready, and each check has its line",
          code == 1 and out == "" and lines[-1] == "not ready" and
          any(line.startswith("[-]journal failed: its -shm is gone") for line in lines) and
          "[+]disk" in "".join(lines), code, out, lines)
    daemon.stop()


def test_stopping():
    path = socket_path()
    daemon = Daemon(sources=[source("foil")], admin={"address": f"unix:{path}"})
    body = sample_body("foil")
    data = sink.request("/foil", sign("foil", body), body)
    with daemon.connect() as connection:
        connection.write(data[:-5])
        daemon.deliver("foil")  # the loop has read the other one
        daemon.tell(signal.SIGTERM)
        wait_for(lambda: "stopping" in daemon.messages(), "the signal")
        code, out, lines = wait_for(lambda: (told := ready(f"unix:{path}"))[0] and told, "its end")
        check("while it stops it is not ready", code == 1 and out == "" and "[-]stopping" in lines,
              code, out, lines)
        connection.write(data[-5:])
        equal("the probe does not disturb the stop", connection.read().status, 200)
    equal("which is clean", daemon.wait(), 0)


def test_nobody_there():
    path = socket_path()
    equal("no socket", ready(f"unix:{path}"), (1, "", ["No such file or directory"]))
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    equal("nobody listens at the socket", ready(f"unix:{path}"), (1, "", ["Connection refused"]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        equal("nobody answers", sink.run("--ready", address),
              (1, "", f"hooklined: {address}: {LATE}\n"))
    equal("nobody listens at the port", ready(address), (1, "", ["Connection refused"]))
    sock.close()


def test_another_server():
    daemon = Daemon(sources=[source("foil")])
    address = "{}:{}".format(*daemon.address)
    equal("the address of the senders is not that of the admin API", ready(address),
          (1, "", ["unexpected answer (status 404): is this a hooklined admin address?"]))
    daemon.stop()


def test_wrong_usage():
    expected = "expected unix:PATH, ADDRESS:PORT or [ADDRESS]:PORT"
    for arguments, why in (
            (["localhost:9090"], expected), (["127.0.0.1"], expected), (["unix:"], expected),
            (["http://127.0.0.1:9090"], expected), ([""], expected),
            (["unix:/" + "x" * 107], expected),
            (["/run/hookline/admin.sock"], f"{expected}; type unix:/run/hookline/admin.sock"),
            (["127.0.0.1:0"], "expected a port from 1 to 65535"), ([], "--ready needs a value"),
            (["127.0.0.1:1", "more"], "unexpected argument"),
            (["127.0.0.1:1", "--ready", "127.0.0.1:2"], "--ready given twice"),
            (["127.0.0.1:1", "--check"], "--ready goes with no other option"),
            (["127.0.0.1:1", "--config", "x.yaml"], "--ready goes with no other option"),
            (["127.0.0.1:1", "--source", "foil=foil:@x"], "--ready goes with no other option")):
        code, out, err = sink.run("--ready", *arguments)
        check(f"--ready {' '.join(arguments)[:40]} is wrong usage",
              code == 2 and out == "" and why in err and "Try: hooklined --help" in err, code, err)
