# SPDX-License-Identifier: MIT
"""The sender's address behind a proxy: the daemon believes trusted proxies only."""
import base64
import contextlib
import hmac
import os
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.certificates import Authority, TlsConnection
from harness.ports import free_port
from harness.sink import (Connection, Daemon, Folders, Stopwatch, check, equal, request,
                          sample_body, sign, skip, source, wait_for)

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(240)]

MAGIC = b"\r\n\r\n\0\r\nQUIT\n"


def signed(*headers, id="evt_1"):
    body = sample_body("foil", id=id)
    return request("/foil", sign("foil", body) + list(headers), body)


def version_2(address, port=4711, command=0x21, more=b""):
    family, kind = (socket.AF_INET6, 0x21) if ":" in address else (socket.AF_INET, 0x11)
    packed = socket.inet_pton(family, address)
    rest = packed + packed + struct.pack("!HH", port, 443) + more
    return MAGIC + bytes([command, kind]) + struct.pack("!H", len(rest)) + rest


def remote_of(daemon, connection, data):
    """The sender's address in the log line."""
    before = len(daemon.lines())
    connection.write(data)
    answer = connection.read()
    if answer is None or answer.status != 200:
        return answer
    return wait_for(lambda: daemon.lines()[before:], "the line")[0]["remote"]


def refused(connection, data=b""):
    """True if the daemon closes the connection without an answer."""
    with contextlib.suppress(OSError):
        connection.write(data)
    return connection.ended()


def test_forwarded_for():
    cases = (
        ("one address", ["203.0.113.7"], "203.0.113.7"),
        ("an address and a port", ["203.0.113.7:4711"], "203.0.113.7"),
        ("IPv6", ["2001:db8::7"], "2001:db8::7"),
        ("IPv6 and a port", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("what the sender claims itself", ["192.0.2.66, 203.0.113.7"], "203.0.113.7"),
        ("two proxies", ["192.0.2.66, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
        ("two lines", ["192.0.2.66", "203.0.113.7"], "203.0.113.7"),
        ("two lines, the last of which is a proxy's", ["192.0.2.66, 203.0.113.7", "10.0.0.1"],
         "203.0.113.7"),
        ("proxies only", ["10.0.0.2", "10.0.0.1"], "10.0.0.2"),
        ("no address behind a proxy", ["203.0.113.7, unknown, 10.0.0.1"], "10.0.0.1"),
        ("IPv4 in the shape of IPv6", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("3000 addresses", ["192.0.2.66, " * 3000 + "203.0.113.7"], "203.0.113.7"),
    )
    daemon = Daemon(sources=[source("foil")], trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    distrustful = Daemon(sources=[source("foil")], trusted_proxies=["127.0.0.2", "::1", "unix"])
    for what, values, expected in cases:
        headers = [("X-Forwarded-For", text) for text in values]
        with daemon.connect() as connection:
            equal(f"X-Forwarded-For of a trusted proxy: {what}",
                  remote_of(daemon, connection, signed(*headers)), expected)
        with distrustful.connect() as connection:
            peer = "127.0.0.1:%d" % connection.sock.getsockname()[1]
            equal(f"X-Forwarded-For of anybody else says nothing: {what}",
                  remote_of(distrustful, connection, signed(*headers)), peer)
    for what, text in (("nothing", ""), ("a word", "unknown"), ("junk", "\"\\,;[]:"),
                       ("a name", "example.com")):
        with daemon.connect() as connection:
            peer = "127.0.0.1:%d" % connection.sock.getsockname()[1]
            equal(f"X-Forwarded-For that holds {what} leaves the proxy's address",
                  remote_of(daemon, connection, signed(("X-Forwarded-For", text))), peer)
    with daemon.connect() as connection:
        peer = "127.0.0.1:%d" % connection.sock.getsockname()[1]
        equal("Forwarded and X-Real-IP are not read",
              remote_of(daemon, connection, signed(("Forwarded", "for=203.0.113.7"),
                                                   ("X-Real-IP", "203.0.113.7"))), peer)
        equal("each request on a connection has its own",
              [remote_of(daemon, connection, signed(("X-Forwarded-For", f"203.0.113.{n}")))
               for n in (1, 2, 3)], [f"203.0.113.{n}" for n in (1, 2, 3)])
    with daemon.connect() as connection:
        remote_of(daemon, connection, signed(("X-Forwarded-For", "203.0.113.99"), id="evt_99"))
    with sink.open_store(daemon.store) as store:
        equal("the store has it, too", store.execute(
            "SELECT remote FROM delivery WHERE id = 'evt_99'").fetchall(), [("203.0.113.99",)])
    refusal = daemon.send("/foil", [("X-Forwarded-For", "203.0.113.8")], b"{}")
    equal("and the line of a refusal", (refusal.status, daemon.lines()[-1]["remote"]),
          (401, "203.0.113.8"))
    daemon = Daemon(sources=[source("foil", allow=["203.0.113.0/24"])], trusted_proxies=["127.0.0.1"])
    for address, status in (("203.0.113.7", 200), ("198.51.100.7", 403),
                            ("203.0.113.7, 198.51.100.7", 403)):
        with daemon.connect() as connection:
            connection.write(signed(("X-Forwarded-For", address)))
            equal(f"a source's allow goes by it: {address}: {status}", connection.read().status,
                  status)


def start(*proxies, tls=None, **more):
    entry = {"address": "127.0.0.1:0", "proxy_protocol": True, **({"tls": tls} if tls else {})}
    return Daemon(sources=[source("foil")], listen=[entry],
                  trusted_proxies=list(proxies) or ["127.0.0.1"], **more)


def introduced():
    """PROXY protocol headers and the address each one names; None: the proxy's own."""
    return (
        ("version 1", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n", "203.0.113.7:4711"),
        ("version 1, IPv6", b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n",
         "[2001:db8::7]:4711"),
        ("version 1, UNKNOWN", b"PROXY UNKNOWN\r\n", None),
        ("version 2", version_2("203.0.113.7"), "203.0.113.7:4711"),
        ("version 2, IPv6", version_2("2001:db8::7"), "[2001:db8::7]:4711"),
        ("version 2 with more", version_2("203.0.113.7", more=b"\4\0\3abc" * 500),
         "203.0.113.7:4711"),
        ("version 2, LOCAL", version_2("203.0.113.7", command=0x20), None),
        ("version 1, IPv4 in the shape of IPv6",
         b"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 4711 443\r\n", "203.0.113.7:4711"),
    )


def test_proxy_protocol():
    authority = Authority()
    context = authority.client()
    for name, daemon in (("", start(threads=2)), (" and TLS", start(tls=authority.tls()))):
        def connect(before, daemon=daemon, name=name):
            if name:
                return TlsConnection(daemon.address, context, before=before)
            connection = Connection(daemon.address)
            connection.write(before)
            return connection

        for what, header, expected in introduced():
            with connect(header) as connection:
                peer = "127.0.0.1:%d" % connection.sock.getsockname()[1]
                equal(f"PROXY{name}: {what}", remote_of(daemon, connection, signed()),
                      expected or peer)
                equal(f"PROXY{name}: {what}: and for the next request",
                      remote_of(daemon, connection, signed()), expected or peer)
    daemon = start()
    for what, header, expected in introduced()[:1] + introduced()[3:4]:
        with daemon.connect() as connection:
            equal(f"PROXY: {what}, in one piece with the request",
                  remote_of(daemon, connection, header + signed()), expected)
        with daemon.connect() as connection:
            for byte in header:
                connection.write(bytes([byte]))
            equal(f"PROXY: {what}, byte by byte", remote_of(daemon, connection, signed()), expected)
    with daemon.connect() as connection:
        equal("PROXY: X-Forwarded-For of one who is no proxy says nothing",
              remote_of(daemon, connection, introduced()[0][1] +
                        signed(("X-Forwarded-For", "198.51.100.1"))), "203.0.113.7:4711")
    daemon = start("127.0.0.1", "203.0.113.7")
    with daemon.connect() as connection:
        equal("PROXY: but behind a second trusted proxy it does",
              remote_of(daemon, connection, introduced()[0][1] +
                        signed(("X-Forwarded-For", "198.51.100.1"))), "198.51.100.1")


def test_proxy_protocol_spoilt():
    admin, clock = Admin(socket_path()), Stopwatch()
    daemon = start(limits={"header_seconds": 5}, admin={"address": f"unix:{admin.address}"},
                   env=clock.environment())
    wrong = (("none", signed()), ("TLS", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3"),
             ("another word", b"PROXI TCP4 "), ("no end of the line", b"PROXY " + b"x" * 200),
             ("a bad address", b"PROXY TCP4 203.0.113.777 192.0.2.1 1 2\r\n"),
             ("another version", MAGIC + b"\x31\x11\0\0"),
             ("too few bytes for its address", MAGIC + b"\x21\x11\0\4abcd"))

    def deliver():
        with daemon.connect() as connection:
            return remote_of(daemon, connection, introduced()[0][1] + signed())

    for what, data in wrong:
        with daemon.connect() as connection:
            check(f"PROXY: {what} instead of a header: closed without an answer",
                  refused(connection, data))
    for what, data in (("nothing", b""), ("half a line", b"PROXY TCP4 203.0.113."),
                       ("half a header", version_2("203.0.113.7")[:20])):
        with daemon.connect() as connection:
            connection.write(data)
            clock.step(5, deliver)
            early = connection.is_ended()
            clock.step(1, deliver)
            check(f"PROXY: {what} and then no more: closed after header_seconds",
                  connection.ended() and not early)
    stranger = start("127.0.0.2")
    for what, header, _ in introduced():
        with stranger.connect() as connection:
            check(f"PROXY: from one who is not trusted: {what}: closed without an answer",
                  refused(connection, header + signed()))
    equal("none of it has a line, but for what was well introduced",
          ({line["remote"] for line in daemon.lines()}, stranger.lines()),
          ({introduced()[0][2]}, []))
    equal("it is counted, by reason",
          value(admin.metrics(), "hookline_connections_refused_total", reason="no_proxy_header"),
          len(wrong))
    daemon.tell(signal.SIGSTOP)
    for _ in range(5):
        with daemon.connect() as connection:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    daemon.tell(signal.SIGCONT)
    equal("PROXY: and the next one is let in", deliver(), "203.0.113.7:4711")
    equal("a trusted proxy that has gone before it is accepted is not counted as a stranger",
          value(admin.metrics(), "hookline_connections_refused_total", reason="untrusted_proxy"), 0)


def test_proxy_protocol_crowd():
    """An address may hold two connections; eight more get a refusal."""
    authority, admin = Authority(), Admin(socket_path())
    daemon = start(tls=authority.tls(), limits={"connections_per_address": 2},
                   admin={"address": f"unix:{admin.address}"})
    header = introduced()[0][1]
    with contextlib.ExitStack() as held:
        def hold(count):
            connections = [held.enter_context(daemon.connect()) for _ in range(count)]
            for connection in connections:
                connection.write(header + b"\x16")
            return [connection.sock for connection in connections]

        stalled = hold(2)

        def told():
            with TlsConnection(daemon.address, authority.client(), before=header) as connection:
                connection.write(signed())
                return connection.read().code == "too_many_from_address"

        wait_for(told, "the first two")
        check("PROXY and TLS: who has not shaken hands yet counts for the address in the header",
              True)
        wait_for(lambda: value(admin.metrics(), "hookline_connections") == 2, "the others to leave")
        stalled += hold(8 + 3)
        wait_for(lambda: len(select.select(stalled, [], [], 0)[0]) == 3, "the end of three")
        check("PROXY and TLS: and those far beyond the limit are closed before they have", True)
        with TlsConnection(daemon.address, authority.client(),
                           before=introduced()[1][1]) as connection:
            equal("PROXY and TLS: another address behind the same proxy is let in",
                  remote_of(daemon, connection, signed()), "[2001:db8::7]:4711")


def test_unix_sockets():
    path = f"{Folders.new()}/ingest.sock"
    config = {"sources": [source("foil")], "listen": [{"address": f"unix:{path}"}]}

    def begin(**more):
        daemon = Daemon({**config, **more}, ready=False)
        wait_for(lambda: f"listening on unix:{path}\n" in daemon.messages(), "listening on")
        return daemon

    daemon = begin()
    mode = os.stat(path)
    check("a Unix socket is its owner's and group's",
          stat.S_ISSOCK(mode.st_mode) and stat.S_IMODE(mode.st_mode) == 0o660, oct(mode.st_mode))
    with Connection(path) as connection:
        equal("a delivery through it is received, from nobody knows where",
              remote_of(daemon, connection, signed(("X-Forwarded-For", "203.0.113.7"))), "unknown")
    second = Daemon({**config, "store": {"file": f"{Folders.new()}/db"}}, ready=False)
    equal("a second one does not take it", second.wait(), 1)
    check("and says why", "address already in use" in second.messages(),
          second.messages())
    daemon.stop()
    check("it is gone with the process", not os.path.exists(path))
    daemon = begin(trusted_proxies=["unix"])
    with Connection(path) as connection:
        equal("if unix is trusted X-Forwarded-For says where",
              remote_of(daemon, connection, signed(("X-Forwarded-For", "203.0.113.7"))),
              "203.0.113.7")
    daemon.kill()
    config["listen"][0]["proxy_protocol"] = True
    daemon = begin(trusted_proxies=["unix"])
    check("what a killed one left is taken over", os.path.exists(path))
    with Connection(path) as connection:
        equal("and so does the PROXY protocol",
              remote_of(daemon, connection, version_2("2001:db8::7") + signed()),
              "[2001:db8::7]:4711")


# ---- examples, run by the real proxies

def example(name, *changes):
    with open(f"{sink.SOURCE}/examples/{name}", encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        if old not in text:
            raise AssertionError(f"examples/{name}: no {old!r}")
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def proxy(command, port, **more):
    log = f"{Folders.new()}/log"
    def before():
        PR_SET_PDEATHSIG = 1
        # SIGTERM makes nginx end its workers when the test dies.
        sink.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.STDOUT, preexec_fn=before, **more)

    def listens():
        if process.poll() is not None:
            with open(log, encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"{command[0]} did not start: {file.read()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        wait_for(listens, command[0])
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(sink.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def through(name, daemon, port, context):
    """Tests requests and answers through the proxy."""
    with TlsConnection(("127.0.0.1", port), context) as connection:
        equal(f"{name}: a delivery comes through, and the line has the sender",
              remote_of(daemon, connection, signed()), "127.0.0.1")
        equal(f"{name}: what the sender says of itself does not",
              remote_of(daemon, connection, signed(("X-Forwarded-For", "203.0.113.66"))), "127.0.0.1")
        for scheme in ("github", "standard", "stripe"):
            body = sample_body(scheme)
            connection.write(request("/" + scheme, sign(scheme, body), body))
            equal(f"{name}: {scheme}'s headers and body come as they are", connection.read().status,
                  200)
        body = b'{"id":"evt_1","type":"webhook.test","fill":"' + "\u00e4\U0001f600".encode() * 1000 + \
            b'", "a" : [ 1.0,1e5 ]}\r\n'
        connection.write(request("/foil", sign("foil", body), body, chunk=1000))
        equal(f"{name}: and every byte of a body in chunks", connection.read().status, 200)
        mac = base64.b64encode(hmac.digest(SHOP, body, "sha256"))
        connection.write(request("/shop", [("X_Shop_Signature", mac)], body))
        equal(f"{name}: a signed header of whatever name comes", connection.read().status, 200)
        connection.write(signed(("X-Fill", "x" * 60000)))
        equal(f"{name}: and a head of 60 KB", connection.read().status, 200)
        connection.write(request("/foil", [], b"{}"))
        equal(f"{name}: a refusal is hooklined's", connection.read().code, "missing_header")

    def told():
        """The answer; None if the proxy closed before the test had sent the whole body."""
        body = b"x" * (1100 << 10)
        with contextlib.suppress(OSError), \
                TlsConnection(("127.0.0.1", port), context) as connection:
            connection.write(request("/foil", sign("foil", body), body))
            return connection.read()
        return None

    answer = wait_for(told, "an answer")
    equal(f"{name}: and so it is of a body that is too large",
          (answer.status, answer.body[:30]), (413, b'{"error":{"code":"body_too_lar'))


SHOP = b"shop-secret-0123456789abcdef"


def behind():
    path = f"{Folders.new()}/ingest.sock"
    shop = source("shop", secrets=[SHOP.decode()],
                  description="signature X_Shop_Signature; encoding base64\ncontent {body}")
    daemon = Daemon(sources=[source(name) for name in ("foil", "github", "standard", "stripe")] +
                    [shop], listen=[{"address": f"unix:{path}"}], trusted_proxies=["unix"], ready=False,
                    env=Stopwatch().environment())
    wait_for(lambda: "listening on" in daemon.messages(), "listening on")
    return daemon, path


def test_nginx():
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not program:
        skip("nginx: examples/nginx.conf works", "no nginx")
        return
    daemon, path = behind()
    authority = Authority()
    certificate, key = authority.issue()
    folder = Folders.new()
    # $NGINX passes nginx a listening socket, as during a binary upgrade.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        temporary = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in (
            "client_body", "proxy", "fastcgi", "scgi", "uwsgi"))
        text = example("nginx.conf", ("http {\n", f"http {{\n    access_log off;\n{temporary}"),
                       ("/run/hookline/ingest.sock", path),
                       ("        listen [::]:443 ssl;\n", ""),
                       ("user www-data;", "user root;" if os.getuid() == 0 else ""),
                       ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                       ("/etc/letsencrypt/live/hooks.example.com/fullchain.pem", certificate),
                       ("/etc/letsencrypt/live/hooks.example.com/privkey.pem", key))
        command = [program, "-p", folder, "-c", sink.write_file(f"{folder}/nginx.conf", text), "-e",
                   "stderr", "-g", f"daemon off; pid {folder}/pid;"]
        with proxy(command, port, pass_fds=[listening.fileno()],
                   env={**os.environ, "NGINX": f"{listening.fileno()};"}):
            listening.close()
            through("nginx", daemon, port, authority.client())


def test_caddy():
    program = shutil.which("caddy")
    if not program:
        skip("Caddy: examples/Caddyfile works", "no caddy")
        return
    daemon, path = behind()
    authority = Authority()
    certificate, key = authority.issue()
    folder, port = Folders.new(), free_port()
    text = example("Caddyfile", ("/run/hookline/ingest.sock", path),
                   ("hooks.example.com {\n",
                    "{\n\tadmin off\n\tauto_https off\n}\n"
                    f"https://:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"))
    command = [program, "run", "--adapter", "caddyfile", "--config",
               sink.write_file(f"{folder}/Caddyfile", text)]
    with proxy(command, port, env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder,
                                   "XDG_CONFIG_HOME": folder}):
        through("Caddy", daemon, port, authority.client())
