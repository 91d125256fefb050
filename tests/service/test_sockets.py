# SPDX-License-Identifier: MIT
"""Socket activation by systemd."""
import json
import os
import re
import shutil
import socket
import threading
import time

import pytest

from harness import sink
from harness.admin import Admin
from harness.ports import free_port
from harness.sink import Daemon, Folders, check, equal, skip, source, wait_for, write_file
from harness.supervision import Supervisor, config_file, listening_socket, passing

pytestmark = [pytest.mark.running, pytest.mark.threads]


def body_of(id):
    return json.dumps({"id": id, "type": "webhook.test"}).encode()


def test_sockets_that_are_passed():
    folder = Folders.new()
    first, second = listening_socket(), listening_socket()
    admin = listening_socket(f"{folder}/admin.sock")
    options, env = passing(("ingest", first), ("admin", admin), (None, second))
    daemon = Daemon(arguments=config_file(), env=env, **options)
    addresses = daemon.addresses(2)
    equal("sockets that are passed are listened at, and the default is not",
          addresses, [first.getsockname(), second.getsockname()])
    for address in addresses:
        daemon.address = address
        daemon.alive(f"a socket {'named ingest' if address == addresses[0] else 'without a name'}"
                     " takes deliveries")
    answer = sink.send(f"{folder}/admin.sock", "/readyz", method="GET")
    equal("a socket named admin answers the administrator, whatever the configuration says",
          answer.status, 200)
    equal("and no one else", daemon.send("/readyz", method="GET").status, 404)
    daemon.stop()
    check("a Unix socket that was passed is not removed at the end",
          os.path.exists(f"{folder}/admin.sock"))
    client = socket.create_connection(first.getsockname(), sink.PATIENCE)
    check("and whoever comes when it has ended waits", client.fileno() >= 0)
    client.close()


def test_sockets_and_addresses():
    passed = listening_socket()
    port = passed.getsockname()[1]
    options, env = passing(("hooklined.socket", passed))
    daemon = Daemon(arguments=config_file(listen=[{"address": "127.0.0.2:0"},
                                                  {"address": f"127.0.0.1:{port}"}]),
                    env=env, **options)
    addresses = daemon.addresses(2)
    check("an address that is configured and passed is taken, and others are bound as ever",
          addresses[0] == ("127.0.0.1", port) and [a[0] for a in addresses[1:]] == ["127.0.0.2"],
          addresses)
    for address in addresses:
        daemon.address = address
        daemon.alive(f"it takes deliveries at {address[0]}")
    daemon.stop()


def test_sockets_for_the_administrator():
    """hooklined-admin.socket: hookline uses the Unix socket, Prometheus uses TCP."""
    path, token = f"{Folders.new()}/admin.sock", "0123456789abcdef-of-the-administrator"
    sink.Watch.words.add(token.encode())
    over_tcp = listening_socket()
    key = {"file": write_file(f"{Folders.new()}/token", token)}
    for what, passed, address in (
            ("an address of TCP that is configured", [], "127.0.0.1:0"),
            ("one that is passed", [over_tcp], "127.0.0.1:%d" % over_tcp.getsockname()[1]),
            ("one that is passed alone", [over_tcp], f"unix:{path}.not-made")):
        if os.path.exists(path):
            os.unlink(path)
        named = [("admin", listening_socket(path)), *(("admin", one) for one in passed)]
        options, env = passing(*named)
        daemon = Daemon(arguments=config_file(listen=[{"address": "127.0.0.1:0"}],
                                              admin={"address": address, "token": key}),
                        env=env, **options)
        said = re.findall(r"admin listening on (\S+)", daemon.messages())
        equal(f"beside a Unix socket that is passed: {what}: it is said, each on a line",
              (len(said), said[0]), (2, f"unix:{path}"))
        host, port = said[-1].rsplit(":", 1)
        ask = lambda at, *headers: Admin(at).ask("/metrics", headers=headers).status
        equal("who uses the Unix socket shows no token, and who comes over TCP does",
              [ask(path), ask((host, int(port))),
               ask((host, int(port)), ("Authorization", f"Bearer {token}"))], [200, 401, 200])
        daemon.stop()


def test_other_families():
    path = f"{Folders.new()}/ingest.sock"
    try:
        sixth = listening_socket(("::1", 0))
    except OSError as e:
        skip("IPv6 and Unix sockets that are passed take deliveries", str(e))
        return
    options, env = passing(("ingest", sixth), ("ingest", listening_socket(path)))
    config = config_file(listen=[{"address": f"unix:{path}"}], trusted_proxies=["unix"])
    daemon = Daemon(arguments=config, env=env, **options)
    equal("an IPv6 socket that is passed is listened at", daemon.address, sixth.getsockname()[:2])
    daemon.alive("an IPv6 socket that is passed takes deliveries")
    body = body_of("evt_unix")
    headers = [*sink.sign("foil", body), ("X-Forwarded-For", "203.0.113.7")]
    equal("a Unix socket that is passed takes deliveries",
          sink.send(path, "/foil", headers, body).status, 200)
    equal("and what is configured for its path holds",
          wait_for(lambda: daemon.lines(id="evt_unix"), "the line")[0]["remote"], "203.0.113.7")
    daemon.stop()


def test_sockets_that_are_wrong():
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    everywhere = listening_socket(("0.0.0.0", 0))
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    connected, _other = socket.socketpair()
    no_path = listening_socket(f"\0hooklined-test-{os.getpid()}")
    expected = "expected a listening TCP socket, or a listening Unix stream socket with a path"
    for sentence, named, said in (
            ("an unknown name", ("amdin", listening_socket()),
             "passed socket amdin: name must be ingest or admin"),
            ("a socket of datagrams", ("ingest", datagrams),
             f"passed socket ingest: {expected}"),
            ("a socket that does not listen", ("hooklined.socket", deaf), expected),
            ("a connection", ("ingest", connected), expected),
            ("a Unix socket without a path", ("admin", no_path), expected),
            ("a socket for the administrator that everybody can reach", ("admin", everywhere),
             "other machines can reach 0.0.0.0:")):
        options, env = passing(named)
        daemon = Daemon(arguments=config_file(), env=env, ready=False, **options)
        code = daemon.wait()
        lines = daemon.messages().splitlines()
        check(f"{sentence}: exit 6, and one line that says so",
              code == 6 and len(lines) == 1 and said in lines[0], code, lines)
    for sentence, change in (("more sockets than there are", {"LISTEN_FDS": "2"}),
                             ("no number of sockets", {"LISTEN_FDS": "some"}),
                             ("more names than sockets", {"LISTEN_FDNAMES": "ingest:admin"})):
        options, env = passing(("ingest", listening_socket()))
        daemon = Daemon(arguments=config_file(), env={**env, **change}, ready=False, **options)
        code = daemon.wait()
        lines = daemon.messages().splitlines()
        check(f"{sentence}: exit 1, and one line that says so",
              code == 1 and len(lines) == 1 and "LISTEN_FDS and LISTEN_FDNAMES" in lines[0],
              code, lines)
    env = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "ingest", "LISTEN_PID": "1"}
    Daemon(sources=[source("foil")], env=env).alive("sockets of another process are none of ours")


def test_many_sockets():
    passed = [("ingest", listening_socket()) for _ in range(17)]
    options, env = passing(*passed)
    daemon = Daemon(arguments=config_file(), env=env, ready=False, **options)
    code = daemon.wait()
    check("more than 16 sockets: exit 6, and a line that says so",
          code == 6 and "more than 16 passed sockets" in daemon.messages(), daemon.tail())
    options, env = passing(*passed[1:])
    listen = [{"address": f"127.0.0.{i}:0"} for i in range(1, 17)]
    daemon = Daemon(arguments=config_file(listen=listen), env=env, **options)
    equal("as many as may be passed go with as many as may be configured",
          len(daemon.addresses(32)), 32, daemon.tail())
    daemon.stop()


def test_systemd_socket_activate():
    sentence = "systemd-socket-activate: the first connection starts it, and is answered"
    program = shutil.which("systemd-socket-activate")
    if program is None:
        skip(sentence, "no systemd-socket-activate")
        return
    port = free_port()
    supervisor = Supervisor(watchdog_us=30000000)
    folder = Folders.new()
    names = {"LISTEN_PID": "", "WATCHDOG_PID": ""}
    launcher = [program, "--listen", f"127.0.0.1:{port}", "--fdname", "ingest"]
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LD_LIBRARY_PATH", "STATE_DIRECTORY",
                 "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "CREDENTIALS_DIRECTORY"):
        launcher += ["-E", name]
    credentials = Folders.new()
    write_file(f"{credentials}/hookline_foil", sink.SECRETS["foil"] + "\n", 0o400)
    config = {"sources": [{"name": "foil", "scheme": "foil",
                           "secrets": [{"credential": "hookline_foil"}]}]}
    env = supervisor.environment(CREDENTIALS_DIRECTORY=credentials)
    env = {**os.environ, **{k: v for k, v in env.items() if k not in names}}
    daemon = Daemon(arguments=config_file(**config), env=env, ready=False, launcher=launcher,
                    folder=folder)
    daemon.address = ("127.0.0.1", port)

    def is_there():
        try:
            return daemon.deliver("foil")
        except ConnectionRefusedError:
            return None

    equal(sentence, wait_for(is_there, "the activator").status, 200, daemon.tail())
    check("systemd-socket-activate: the daemon is ready by then, or soon",
          supervisor.wait_for("READY=1"), supervisor.messages)
    equal("systemd-socket-activate: SIGTERM ends it with 0", daemon.stop(), 0)
    supervisor.close()


@pytest.mark.first
def test_restart_under_load():
    """Senders open new connections while daemons replace each other on one socket."""
    sock = listening_socket()
    folder = Folders.new()
    arguments = config_file(threads=2, limits={"shutdown_seconds": sink.LONG})
    halt, total, failures, slowest = threading.Event(), [0] * 4, [], [0.0]
    patience = 1  # seconds a stopping daemon waits for a silent connection

    def start():
        options, env = passing(("ingest", sock))
        daemon = Daemon(arguments=arguments, env=env, folder=folder, **options)
        for descriptor in options["descriptors"]:
            os.close(descriptor)
        return daemon

    def deliver(which):
        while not halt.is_set():
            body = body_of(f"evt_{which}_{total[which]}")
            data = sink.request("/foil", sink.sign("foil", body), body)
            began, said_nothing = time.monotonic(), 0
            try:
                with sink.Connection(sock.getsockname()) as connection:
                    try:
                        connection.write(data)
                    finally:
                        said_nothing = time.monotonic() - began
                    answer = connection.read()
                if answer is None:
                    raise ConnectionError("closed without an answer")
                if answer.status != 200:
                    failures.append(answer)
            except (OSError, AssertionError) as e:
                if said_nothing < patience:
                    failures.append(repr(e))
            slowest[0] = max(slowest[0], time.monotonic() - began)
            total[which] += 1

    daemon = start()
    threads = [threading.Thread(target=deliver, args=(i,)) for i in range(len(total))]
    for thread in threads:
        thread.start()
    restarts = 2 if sink.WRAPPER else 8
    try:
        for _ in range(restarts):
            before = sum(total)
            wait_for(lambda: sum(total) > before + 40, "deliveries")
            equal("restart under load: it exits with 0", daemon.stop(), 0)
            daemon = start()
    finally:
        halt.set()
        for thread in threads:
            thread.join()
    check(f"restart under load, {restarts} times: no connection is refused, none breaks off, each "
          "delivery is accepted", not failures, failures[:10], f"{len(failures)} of {sum(total)}")
    print(f"# {sum(total)} deliveries, the slowest took {slowest[0]:.2f} s")
    daemon.stop()
