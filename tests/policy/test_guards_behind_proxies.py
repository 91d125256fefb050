# SPDX-License-Identifier: MIT
"""Guards use only the address that a trusted proxy names, and every way to open a connection
releases its host's count."""
import contextlib
import socket
import ssl
import struct
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.certificates import Authority
from harness.sink import (Connection, Daemon, Folders, Stopwatch, check, equal, request,
                          sample_body, sign, skip, source, wait_for)
from harness.supervision import passing

pytestmark = [pytest.mark.running, pytest.mark.threads]

PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
A, B = "198.51.100.1", "198.51.100.2"


class From(Connection):
    """Connection from another local address; `first` is sent before any request."""
    def __init__(self, daemon, host, first=b""):
        self.sock = socket.create_connection(daemon.address, sink.PATIENCE, (host, 0))
        self.input = self.sock.makefile("rb")
        self.write(first)


def forwarded(values):
    return [("X-Forwarded-For", text) for text in values]


def good(*values, id="evt_1", path="/foil"):
    body = sample_body("foil", id=id)
    return request(path, sign("foil", body) + forwarded(values), body)


def forged(*values):
    return request("/foil", [("X-Foil-Timestamp", str(int(time.time()))),
                             ("X-Foil-Signature", "0" * 64), *forwarded(values)], sample_body("foil"))


def ask(daemon, data, host=PROXY, first=b""):
    with From(daemon, host, first) as connection:
        connection.write(data)
        return connection.read()


def ask_many(daemon, data, times, host=PROXY, first=b""):
    """One persistent connection, as a proxy keeps it."""
    with From(daemon, host, first) as connection:
        statuses = []
        for _ in range(times):
            connection.write(data)
            statuses.append(connection.read().status)
        return statuses


def start(**more):
    """The clock stands still, so the minute of refusals never ends."""
    address = socket_path()
    more.setdefault("env", Stopwatch().environment())
    more.setdefault("sources", [source("foil")])
    more.setdefault("trusted_proxies", [PROXY, "10.0.0.0/8"])
    daemon = Daemon(admin={"address": "unix:" + address}, **more)
    return daemon, Admin(address)


def version_1(host, kind="TCP4"):
    to = "::1" if ":" in host else "192.0.2.1"
    return f"PROXY {kind} {host} {to} 4711 443\r\n".encode()


def version_2(host):
    family, kind = (socket.AF_INET6, 0x21) if ":" in host else (socket.AF_INET, 0x11)
    rest = socket.inet_pton(family, host) * 2 + struct.pack("!HH", 4711, 443)
    return b"\r\n\r\n\0\r\nQUIT\n\x21" + bytes([kind]) + struct.pack("!H", len(rest)) + rest


LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"


# ---- X-Forwarded-For

def test_allow():
    daemon, _ = start(sources=[source("foil", allow=["203.0.113.0/24", "2001:db8::/32"])])
    for what, values, status in (
            ("an address of the list", ["203.0.113.7"], 200),
            ("another one", [A], 403),
            ("one with a port", ["203.0.113.7:4711"], 200),
            ("one of IPv6", ["2001:db8:7::1"], 200),
            ("one of IPv6 in brackets", ["[2001:db8:7::1]"], 200),
            ("one of IPv6 with a port", ["[2001:db8:7::1]:4711"], 200),
            ("another one of IPv6", ["[2001:db9::1]:4711"], 403),
            ("one of IPv4 in the shape of IPv6", ["::ffff:203.0.113.7"], 200),
            ("the same with a port", ["[::ffff:203.0.113.7]:4711"], 200),
            ("another one of IPv4 in the shape of IPv6", [f"::ffff:{A}"], 403),
            ("one that the sender claims, left of its own", [f"203.0.113.7, {A}"], 403),
            ("one that the sender claims, in a line before its own", ["203.0.113.7", A], 403),
            ("one that the sender claims, behind two proxies", [f"203.0.113.7, {A}, 10.0.0.1"], 403),
            ("its own, right of what it claims", [f"{A}, 203.0.113.7"], 200),
            ("its own, behind two proxies", ["203.0.113.7, 10.0.0.1"], 200),
            ("its own, of which the second proxy has a line of its own", ["203.0.113.7", "10.0.0.1"],
             200),
            ("a word", ["unknown"], 403), ("a word left of a proxy", ["203.0.113.7, unknown"], 403),
            ("nothing", [""], 403), ("an end that is missing", ["203.0.113.7,"], 403),
            ("no header", [], 403)):
        equal(f"allow: a trusted proxy names {what}: {status}", ask(daemon, good(*values)).status,
              status)
        equal(f"allow: and from anybody else it helps nobody: {what}",
              ask(daemon, good(*values), STRANGER).status, 403)


def test_refusals_are_those_of_the_address_that_is_named():
    daemon, _ = start(limits={"refused_per_minute": 3}, threads=2)
    equal("refusals: so many of an address behind a proxy are answered as ever",
          ask_many(daemon, forged(A), 3), [401] * 3)
    with From(daemon, PROXY) as kept:
        for what, values, status in (
                ("it is not heard then", [A], 429), ("nor by another port", [f"{A}:4711"], 429),
                ("nor in the shape of IPv6", [f"::ffff:{A}"], 429),
                ("nor with what it claims, left of it", [f"{B}, {A}"], 429),
                ("nor in a line before", [B, A], 429), ("nor by way of a second proxy",
                                                        [f"{A}, 10.0.0.1"], 429),
                ("another address on the same connection is", [B], 200),
                ("also with the first one's name left of it", [f"{A}, {B}"], 200)):
            kept.write(good(*values))
            equal(f"refusals: {what}", kept.read().status, status)
    equal("refusals: who claims to be another one is refused for itself",
          ask_many(daemon, forged(B), 5, STRANGER), [401] * 3 + [429] * 2)
    equal("refusals: and the other one is heard", ask(daemon, good(B)).status, 200)
    equal("refusals: nobody gets past them by names that change",
          [ask(daemon, good(f"203.0.113.{n}"), STRANGER).status for n in range(5)], [429] * 5)
    ask_many(daemon, forged(f"{B}, 203.0.113.9"), 5)
    equal("refusals: through the proxy, too, a claim harms nobody", ask(daemon, good(B)).status, 200)
    ask_many(daemon, forged("2001:db8:0:1::1"), 3)
    equal("refusals: of IPv6 the first 64 bits are one address",
          [ask(daemon, good(host)).status for host in ("2001:db8:0:1:ffff::9", "[2001:db8:0:1::1]:80",
                                                       "2001:db8:0:2::1")], [429, 429, 200])


def test_who_names_nobody_is_nobody():
    """Refusals without a client address count against nobody; otherwise one forger would block the
    whole proxy."""
    daemon, admin = start(limits={"refused_per_minute": 3, "connections_per_address": 3})
    for what, values in (("nothing", []), ("an empty text", [""]), ("a word", ["unknown"]),
                         ("proxies only", ["10.0.0.2, 10.0.0.1"]),
                         ("a word behind a proxy", [f"{A}, unknown, 10.0.0.1"])):
        equal(f"refusals: of a trusted proxy that names {what} none is held against it",
              (ask_many(daemon, forged(*values), 10), ask(daemon, good(*values)).status),
              ([401] * 10, 200))
    equal("refusals: an address that it names is still known", ask_many(daemon, forged(A), 5),
          [401] * 3 + [429] * 2)
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(From(daemon, PROXY)) for _ in range(20)]
        for connection in kept:
            connection.write(good(A[:-1] + "9"))
        equal("connections: those of a trusted proxy have no limit of an address",
              [connection.read().status for connection in kept], [200] * 20)
    equal("connections: none was ended", value(admin.metrics(), "hookline_connections_ended_total",
                                               reason="too_many_from_address"), 0)


# ---- the PROXY protocol

def test_introduced():
    listen = [{"address": "127.0.0.1:0", "proxy_protocol": True}]
    daemon, _ = start(listen=listen, sources=[
        source("foil"), source("open", scheme="foil", allow=["203.0.113.0/24", "2001:db8::/32"])],
        limits={"refused_per_minute": 3})
    for what, first, status in (
            ("version 1", version_1("203.0.113.7"), 200), ("version 2", version_2("203.0.113.7"), 200),
            ("version 1, another address", version_1(A), 403),
            ("version 2, another address", version_2(A), 403),
            ("version 1, IPv6", version_1("2001:db8::7", "TCP6"), 200),
            ("version 2, IPv6", version_2("2001:db8::7"), 200),
            ("version 1, IPv4 in the shape of IPv6", version_1("::ffff:203.0.113.7", "TCP6"), 200),
            ("version 2, IPv4 in the shape of IPv6", version_2("::ffff:203.0.113.7"), 200)):
        equal(f"PROXY: allow: {what}: {status}",
              ask(daemon, good("203.0.113.7", path="/open"), first=first).status, status)
    equal("PROXY: allow: the proxy itself: 403", ask(daemon, good(path="/open"), first=LOCAL).status,
          403)
    equal("PROXY: refusals: so many of the address are answered as ever, and no more",
          ask_many(daemon, forged(), 5, first=version_1("198.51.100.9")), [401] * 3 + [429] * 2)
    equal("PROXY: refusals: nor by another version, or with another name in X-Forwarded-For",
          ask(daemon, good(B), first=version_2("198.51.100.9")).status, 429)
    equal("PROXY: refusals: another address is heard", ask(daemon, good(), first=version_2(B)).status,
          200)
    equal("PROXY: refusals: none is held against the proxy itself",
          ask_many(daemon, forged(), 10, first=LOCAL), [401] * 10)


def served(daemon, host, first=b""):
    try:
        return ask(daemon, good(), host, first).status == 200
    except (AttributeError, OSError):  # far above the limit the daemon closes without an answer
        return False


def test_connections_of_whom_it_introduces():
    listen = [{"address": "127.0.0.1:0", "proxy_protocol": True}]
    daemon, _ = start(listen=listen, limits={"connections_per_address": 3}, threads=2)
    with contextlib.ExitStack() as stack:
        for first in (version_1(A), version_2(A), version_1(f"::ffff:{A}", "TCP6")):
            connection = stack.enter_context(From(daemon, PROXY, first))
            connection.write(good())
            equal("PROXY: connections: so many of an address are served", connection.read().status,
                  200)
        answer = ask(daemon, good() * 3, first=version_1(A))
        equal("PROXY: connections: one more is not", (answer.status, answer.code),
              (429, "too_many_from_address"))
        equal("PROXY: connections: another address is served",
              ask(daemon, good(), first=version_1(B)).status, 200)
        local = [stack.enter_context(From(daemon, PROXY, LOCAL)) for _ in range(10)]
        for connection in local:
            connection.write(good())
        equal("PROXY: connections: the proxy's own are not counted",
              [connection.read().status for connection in local], [200] * 10)
    wait_for(lambda: served(daemon, PROXY, version_1(A)), "a place")
    check("PROXY: connections: and those that have ended are not", True)


# ---- failed connections release their count

def test_nobody_stays_counted():
    authority = Authority()
    limits = {"env": {}, "limits": {"connections_per_address": 2, "header_seconds": 1}}
    wrong_address = version_1("198.51.100.777")
    for what, daemon, firsts in (
            ("", start(**limits)[0], [b"", b"\0\0", b"POST /foil", forged()[:-3], b"GET / HTTP/9\r\n",
                                           good() * 3, good().replace(b"HTTP/1.1", b"HTTP/1.0")]),
            ("TLS: ", start(**limits, listen=[{"address": "127.0.0.1:0", "tls": authority.tls()}])[0],
             [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\0\5hello", b"\x16"]),
            ("PROXY: ", start(**limits, listen=[{"address": "127.0.0.1:0",
                                                      "proxy_protocol": True}])[0],
             [b"", version_1(STRANGER), b"junk\r\n", version_1(STRANGER)[:9]])):
        for first in firsts:
            for reset in (False, True):
                for _ in range(15):
                    with From(daemon, STRANGER) as connection, contextlib.suppress(OSError):
                        connection.write(first)
                        if reset:
                            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                       b"\1\0\0\0\0\0\0\0")
        if what == "PROXY: ":
            for first in (version_1(A), version_1(A) + b"junk", version_2(A)[:-1], wrong_address):
                for _ in range(15):
                    with From(daemon, PROXY, first):
                        pass
            wait_for(lambda daemon=daemon: served(daemon, PROXY, version_1(A)), "a place")
            check("PROXY: an address is served still, whatever began in its name", True)
        elif what:
            context = authority.client()

            def shake_hands(daemon=daemon, context=context):
                raw = socket.create_connection(daemon.address, sink.PATIENCE, (STRANGER, 0))
                with raw, contextlib.suppress(OSError, AttributeError, ssl.SSLError):
                    with context.wrap_socket(raw, server_hostname="localhost") as sock:
                        sock.sendall(good())
                        return sock.recv(12) == b"HTTP/1.1 200"
                return False
            wait_for(shake_hands, "a place")
            check("TLS: an address is served still, however many handshakes came to nothing", True)
        else:
            wait_for(lambda daemon=daemon: served(daemon, STRANGER), "a place")
            check("an address is served still, whatever it began", True)


def test_who_lingers_is_counted():
    """The daemon has answered 413, but the open socket still counts."""
    clock = Stopwatch()
    daemon, admin = start(limits={"connections_per_address": 3, "body_bytes": 1000},
                          env=clock.environment())
    large = request("/foil", body=b"x" * 2000)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(From(daemon, STRANGER))
            connection.write(large)
            equal("connections: what is too large ends its connection", connection.read().status, 413)
        equal("connections: who has its answer and stays is counted",
              ask(daemon, good(), STRANGER).code, "too_many_from_address")
        clock.set(clock.seconds + 2)
        wait_for(lambda: served(daemon, STRANGER), "the end of its patience")
        check("connections: for two seconds, not for ever", True)
    wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "all to leave")


# ---- other sockets

def test_unix_sockets():
    def begin(**more):
        path = f"{Folders.new()}/ingest.sock"
        daemon = Daemon(listen=[{"address": f"unix:{path}"}], ready=False,
                        limits={"refused_per_minute": 3, "connections_per_address": 3},
                        sources=[source("foil"), source("open", scheme="foil", allow=["203.0.113.7"]),
                                 source("all", scheme="foil", allow=["0.0.0.0/0", "::/0"])],
                        env=Stopwatch().environment(), **more)
        wait_for(lambda: f"listening on unix:{path}\n" in daemon.messages(), "listening on")
        return path

    def statuses(connection, *requests):
        for data in requests:
            connection.write(data)
        return [connection.read().status for _ in requests]

    path = begin()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Connection(path)) for _ in range(10)]
        equal("unix: its peers have no address: no limit of one ends them",
              [statuses(connection, *[forged(A)] * 2, good(A)) for connection in held],
              [[401, 401, 200]] * 10)
        equal("unix: and no list allows them, whatever they say",
              statuses(held[0], good("203.0.113.7", path="/open"), good(path="/all")), [403, 403])
    path = begin(trusted_proxies=["unix"])
    with Connection(path) as connection:
        equal("unix: if they are trusted, lists go by the address that they name",
              statuses(connection, good("203.0.113.7", path="/open"), good(A, path="/open"),
                       good("203.0.113.7", path="/all"), good(path="/all")), [200, 403, 200, 403])
        equal("unix: and so do refusals", statuses(connection, *[forged(A)] * 4, good(B)),
              [401] * 3 + [429, 200])


def test_both_families_on_one_socket():
    """systemd opens such a socket for ListenStream=PORT."""
    try:
        sock = socket.socket(socket.AF_INET6)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", 0))
        sock.listen(100)
    except OSError as e:
        skip("a socket of both families", e)
        return
    options, env = passing(("ingest", sock))
    daemon = Daemon(sources=[source("foil", allow=["127.0.0.2", "127.0.0.3"]),
                             source("open", scheme="foil", allow=["203.0.113.7"])],
                    env={**env, **Stopwatch().environment()},
                    trusted_proxies=["127.0.0.9"],
                    limits={"refused_per_minute": 3, "connections_per_address": 3}, **options)
    daemon.address = ("127.0.0.1", sock.getsockname()[1])
    sock.close()
    equal("both families: allow knows an address of IPv4",
          [ask(daemon, good(), host).status for host in ("127.0.0.2", "127.0.0.4")], [200, 403])
    equal("both families: and so do refusals", (ask_many(daemon, forged(), 4, "127.0.0.2"),
                                                ask(daemon, good(), "127.0.0.3").status),
          ([401] * 3 + [429], 200))
    equal("both families: and trusted_proxies",
          ask(daemon, good("203.0.113.7", path="/open"), "127.0.0.9").status, 200)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(From(daemon, "127.0.0.3")) for _ in range(4)]
        for connection in held[:3]:
            connection.write(good())
            connection.read()
        held[3].write(good())
        equal("both families: and connections", held[3].read().code, "too_many_from_address")
