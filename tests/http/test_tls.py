# SPDX-License-Identifier: MIT
"""TLS: versions, slow clients, sessions, certificates and their files."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import warnings

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.certificates import Authority, TlsConnection, openssl
from harness.sink import (Connection, Daemon, Folders, Stopwatch, check, equal, request,
                          sample_body, sign, skip, source, wait_for, write_file)
from harness.supervision import listening_socket, passing

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

# The tests use deprecated TLS versions on purpose.
warnings.simplefilter("ignore", DeprecationWarning)
V = ssl.TLSVersion


class The:
    ca = other = None


@pytest.fixture(scope="module", autouse=True)
def authorities():
    The.ca, The.other = Authority(), Authority("Another CA")


def signed(body=None, **how):
    body = body or sample_body("foil")
    return request("/foil", sign("foil", body), body, **how)


def start(tls=None, **more):
    tls = {**The.ca.tls(), **(tls or {})}
    return Daemon(sources=[source("foil")], listen=[{"address": "127.0.0.1:0", "tls": tls}],
                  **more)


def alert_of(address, context, what=None):
    """The alert of a failed handshake; in TLS 1.3 the alert follows the handshake."""
    try:
        with TlsConnection(address, context) as connection:
            connection.write(what or signed())
            answer = connection.read()
            return f"none, and the answer {answer}"
    except ssl.SSLError as e:
        return e.reason or str(e)
    except OSError as e:
        return f"no alert: {e}"


def deliver(daemon):
    with TlsConnection(daemon.address, The.ca.client()) as connection:
        connection.write(signed())
        return connection.read().status


def speaks(sentence, daemon, context, version=None):
    with TlsConnection(daemon.address, context) as connection:
        connection.write(signed())
        answer = connection.read()
        check(sentence, answer.status == 200 and version in (None, connection.sock.version()),
              answer, connection.sock.version())


def test_versions():
    for kind in ("ec", "rsa"):
        daemon = start(The.ca.tls(kind=kind))
        for version, name in ((V.TLSv1_2, "TLSv1.2"), (V.TLSv1_3, "TLSv1.3")):
            speaks(f"{kind}: {name} is spoken", daemon,
                   The.ca.client(low=version, high=version), name)
    for version in (V.TLSv1, V.TLSv1_1):
        equal(f"{version.name} is refused, and the peer learns why",
              alert_of(daemon.address, The.ca.client(low=version, high=version)),
              "TLSV1_ALERT_PROTOCOL_VERSION")
    for cipher, what in (("AES128-GCM-SHA256", "no forward secrecy"),
                         ("ECDHE-RSA-AES128-SHA256", "no authenticated encryption"),
                         ("ECDHE-RSA-AES256-SHA", "SHA-1")):
        equal(f"a cipher with {what} is refused, and the peer learns why",
              alert_of(daemon.address, The.ca.client(high=V.TLSv1_2,
                                                     ciphers=cipher + ":@SECLEVEL=0")),
              "SSLV3_ALERT_HANDSHAKE_FAILURE")
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"),
                            (["h2"], None), (["http/1.0"], None), (None, None)):
        with TlsConnection(daemon.address, The.ca.client(alpn=offered)) as connection:
            connection.write(signed())
            equal(f"of the protocols {offered} {chosen} is chosen, and HTTP/1.1 spoken",
                  (connection.sock.selected_alpn_protocol(), connection.read().status),
                  (chosen, 200))
    equal("a stranger's certificate is no good to this client",
          alert_of(daemon.address, The.other.client()), "CERTIFICATE_VERIFY_FAILED")
    daemon.alive = lambda sentence: speaks(sentence, daemon, The.ca.client())
    daemon.alive("and the daemon speaks to the next one")


def test_requests():
    daemon = start(threads=2, env=Stopwatch().environment())
    for version in (V.TLSv1_2, V.TLSv1_3):
        context = The.ca.client(low=version, high=version)
        with TlsConnection(daemon.address, context) as connection:
            for _ in range(20):
                connection.write(signed())
                connection.read()
            for chunk in (None, 1000, 65536):
                body = b'{"id":"evt_1","type":"webhook.test","fill":"' + b"x" * 900000 + b'"}'
                connection.write(signed(body, chunk=chunk))
                equal(f"{version.name}: 900 KB on a connection that is kept, chunks {chunk}",
                      connection.read().status, 200)
            connection.write(signed() * 10)
            equal(f"{version.name}: ten requests at once have ten answers",
                  [connection.read().status for _ in range(10)], [200] * 10)
            for byte in signed():
                connection.write(bytes([byte]))
            equal(f"{version.name}: a request in records of one byte", connection.read().status,
                  200)
            connection.write(signed(b"x" * (2 << 20)))
            answer = connection.read()
            check(f"{version.name}: a body that is too large has its answer, and the stream ends",
                  answer.code == "body_too_large" and connection.ended(), answer)
        with TlsConnection(daemon.address, context) as connection:
            connection.write(request("/foil", [("Connection", "close")]))
            check(f"{version.name}: the end is said by close_notify",
                  connection.read().status == 401 and connection.input.read() == b"")
        with TlsConnection(daemon.address, context) as connection:
            connection.write(b"this is not HTTP\r\n\r\n")
            equal(f"{version.name}: what is no HTTP has an answer", connection.read().status, 400)
    answers = []

    def deliver():
        with TlsConnection(daemon.address, The.ca.client()) as connection:
            for _ in range(5):
                connection.write(signed())
                answers.append(connection.read().status)

    threads = [threading.Thread(target=deliver) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal("twenty senders at once", answers, [200] * 100)
    equal("the line has the sender's address", daemon.lines()[-1]["remote"].split(":")[0],
          "127.0.0.1")


def test_curl():
    if not shutil.which("curl"):
        skip("curl delivers over TLS", "no curl")
        return
    daemon = start()
    body = sample_body("foil")
    path = write_file(f"{Folders.new()}/body", body)
    headers = [part for name, value in sign("foil", body) for part in ("-H", f"{name}: {value}")]
    for option in ("--tlsv1.2", "--tlsv1.3", "--http2", "--http1.1"):
        done = subprocess.run(["curl", "-sS", option, "--cacert", The.ca.file, *headers,
                               "--data-binary", "@" + path, "-w", "\n%{http_code} %{http_version}",
                               f"https://127.0.0.1:{daemon.address[1]}/foil"],
                              capture_output=True, text=True, timeout=sink.PATIENCE, check=False)
        equal(f"curl {option} delivers", done.stdout.splitlines()[-1:], ["200 1.1"], done.stderr)
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.address[1]}",
                            "-CAfile", The.ca.file, "-tls1_2"], input=b"R\n", capture_output=True,
                           timeout=sink.PATIENCE, check=False).stdout.decode()
    check("s_client verifies the certificate", "Verify return code: 0 (ok)" in shown, shown)
    check("renegotiation is not offered to it again", daemon.process.poll() is None)
    speaks("nor does asking for it do harm", daemon, The.ca.client())


def test_wrong_doors():
    daemon = start()
    for what, data in (("a delivery", signed()), ("an empty line", b"\r\n\r\n"),
                       ("a header of the PROXY protocol", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
                       ("a NUL", b"\0")):
        with Connection(daemon.address) as connection:
            connection.write(data)
            answer = connection.read()
            check(f"who speaks no TLS is told to, in HTTP: {what}",
                  answer.status == 400 and answer.code == "tls_required" and connection.ended(),
                  answer)
    noise = bytes((i * 7919 >> 3) & 255 for i in range(65536))
    for what, data in (("a record of nonsense", b"\x16\x03\x01\x00\xc8" + noise[:200]),
                       ("a hello cut short", b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"),
                       ("a record that is too long", b"\x16\x03\x01\xff\xff" + noise),
                       ("an empty record", b"\x16\x03\x01\x00\x00" * 100),
                       ("one byte", b"\x16")):
        with Connection(daemon.address) as connection:
            try:
                connection.write(data)
                connection.sock.shutdown(socket.SHUT_WR)
                got = connection.input.read()
            except OSError:
                got = b""
        check(f"{what} has an alert of TLS or nothing, and the stream ends",
              got == b"" or got[0] == 0x15, got)
    speaks("and the daemon speaks to the next one", daemon, The.ca.client())
    equal("none of it has a line", len(daemon.lines()), 1)
    plain = Daemon(sources=[source("foil")])
    check("who speaks TLS at a plain address gets nowhere",
          "200" not in alert_of(plain.address, The.ca.client()))
    plain.alive("and the plain address takes the next delivery")


def test_slow_ones():
    """The daemon checks connections once a second; a deadline starts at the check, for new
    connections at accept."""
    admin, clock = Admin(socket_path()), Stopwatch()
    daemon = start(limits={"header_seconds": 5, "body_seconds": 5, "idle_seconds": 5,
                           "connections": 100}, admin={"address": f"unix:{admin.address}"},
                   env=clock.environment())
    hello = ssl.MemoryBIO()
    talk = The.ca.client().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    try:
        talk.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = hello.read()

    def step(seconds):
        clock.step(seconds, lambda: deliver(daemon))

    waiting = []
    for what, data in (("nothing", b""), ("half a hello", hello[:50]), ("a whole hello", hello)):
        connection = Connection(daemon.address)
        connection.write(data)
        waiting.append((what, connection))
    step(5)
    early = [connection.is_ended() for _, connection in waiting]
    step(1)
    for (what, connection), was_early in zip(waiting, early):
        connection.ended()
        check(f"who says {what} and then no more is gone after header_seconds", not was_early)
        connection.close()
    with Connection(daemon.address) as connection:
        for sent in range(6):
            connection.write(hello[sent:sent + 1])
            step(1)
        check("who drips the handshake has no more time for it", connection.ended())
    for what, data, status in (("no request", b"", None), ("half a header", signed()[:20], 408),
                               ("half a body", signed()[:-3], 408)):
        with TlsConnection(daemon.address, The.ca.client()) as connection:
            connection.write(data)
            if data:
                step(1)
            step(5)
            early = connection.is_ended()
            step(1)
            answer = connection.read() if status else None
            connection.ended()
            check(f"after the handshake: {what}: {status or 'the end'}, in time, over TLS",
                  (answer.status if status else None) == status and not early, answer, early)
    wait_for(lambda: open_connections(admin) == 0, "the end of all connections")
    speaks("and the daemon speaks to the next one", daemon, The.ca.client())


class ByHand:
    """A TLS connection whose records the test sends itself."""
    def __init__(self, address, context):
        self.input, output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.output, self.wire = output, socket.create_connection(address, sink.PATIENCE)
        self.talk = context.wrap_bio(self.input, output, server_hostname="localhost")
        self._until(self.talk.do_handshake)
        self.wire.sendall(output.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def _until(self, done):
        while True:
            try:
                return done()
            except ssl.SSLWantReadError:
                self.wire.sendall(self.output.read())
                data = self.wire.recv(65536)
                if data:
                    self.input.write(data)
                else:
                    self.input.write_eof()

    def say(self, data=b"", goodbye=True):
        if data:
            self.talk.write(data)
        if goodbye:
            try:
                self.talk.unwrap()
            except ssl.SSLWantReadError:
                pass
        self.wire.sendall(self.output.read())

    def heard(self):
        """All data until the end, and "close_notify" or None for how the connection ended."""
        got = b""
        try:
            while data := self._until(lambda: self.talk.read(65536)):
                got += data
        except ssl.SSLZeroReturnError:
            return got, "close_notify"
        except (ssl.SSLEOFError, ConnectionResetError):
            return got, None
        return got, "close_notify"


def test_goodbyes():
    daemon = start()
    for version in (V.TLSv1_2, V.TLSv1_3):
        context = The.ca.client(low=version, high=version)
        for what, data, answers in (
                ("who says nothing but goodbye", b"", 0),
                ("who says goodbye behind a request", signed(), 1),
                ("who says goodbye behind three requests", signed() * 3, 3),
                ("who says goodbye behind what is refused", request("/foil"), 1),
                ("who says goodbye in the middle of a head", signed()[:20], 0),
                ("who says goodbye in the middle of a body", signed()[:-3], 0)):
            for apart in (False, True):
                with ByHand(daemon.address, context) as by_hand:
                    if apart:
                        by_hand.say(data, goodbye=False)
                        data = b""
                    by_hand.say(data)
                    got, end = by_hand.heard()
                equal(f"{version.name}: {what}{', a little later' if apart else ''}, has its answers "
                      "and a goodbye, at once", (got.count(b"HTTP/1.1 "), end),
                      (answers, "close_notify"))
        with ByHand(daemon.address, context) as by_hand:
            by_hand.say()
            sent, junk = 0, b"x" * (1 << 20)
            try:
                while sent < 200:
                    by_hand.wire.sendall(junk)
                    sent += 1
            except OSError:
                pass
            check(f"{version.name}: what comes behind a goodbye is not taken", sent < 100, sent)
    speaks("and the daemon speaks to the next one", daemon, The.ca.client())
    for what, seconds in (("when idle_seconds are over", 6), ("when it stops", 1)):
        for version in (V.TLSv1_2, V.TLSv1_3):
            clock = Stopwatch()
            daemon = start(limits={"idle_seconds": 5, "shutdown_seconds": 600}, env=clock.environment())
            with ByHand(daemon.address, The.ca.client(low=version, high=version)) as by_hand:
                by_hand.say(signed(), goodbye=False)
                wait_for(lambda daemon=daemon: daemon.lines(), "the line")
                for passed in (1, seconds):  # first detect idleness, then exceed it
                    clock.step(passed, lambda daemon=daemon: deliver(daemon))
                if what == "when it stops":
                    daemon.tell(sink.signal.SIGTERM)
                got, end = by_hand.heard()
            equal(f"{version.name}: hooklined says goodbye itself {what}",
                  (got.count(b"HTTP/1.1 200"), end), (1, "close_notify"))


def test_who_never_reads():
    daemon = start(real_time=True, limits={"body_seconds": 1})
    context = The.ca.client()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(sink.PATIENCE)
    raw.connect(daemon.address)
    connection = context.wrap_socket(raw, server_hostname="localhost")
    try:
        for _ in range(100000):
            connection.sendall(request("/foil", [("X-Fill", "x" * 2000)]) * 10)
    except OSError:
        pass
    ports = [f"{port:04X}" for _, port in (daemon.address, connection.getsockname())]

    def is_open():
        with open("/proc/net/tcp", encoding="ascii") as file:
            entries = [line.split() for line in file.readlines()[1:]]
        return any([end.split(":")[1] for end in entry[1:3]] == ports and entry[3] == "01"
                   for entry in entries)

    wait_for(lambda: not is_open(), "the end of who never reads")
    connection.close()
    check("who sends requests over TLS and never reads is cut", True)
    speaks("and the daemon speaks to the next one", daemon, The.ca.client())


def test_a_silent_handshake_makes_room():
    admin = Admin(socket_path())
    daemon = start(limits={"connections": 4},
                   admin={"address": f"unix:{admin.address}"})
    held = [Connection(daemon.address) for _ in range(4)]
    wait_for(lambda: open_connections(admin) == 4, "four connections")
    with TlsConnection(daemon.address, The.ca.client()) as connection:
        connection.write(signed())
        answer = connection.read()
        equal("who has shaken no hands yet counts, and makes room for one that does",
              answer.status, 200)
        check("the longest silent one first", held[0].ended())
    for connection in held:
        connection.close()


def open_connections(admin):
    return value(admin.metrics(), "hookline_connections")


def test_client_authorities():
    lower, stranger = Authority("Lower CA", by=The.other), Authority("Lower CA", by=The.ca)
    leaf = lower.issue("sender")
    chain = (write_file(f"{Folders.new()}/chain", open(leaf[0], "rb").read() +
                        open(lower.file, "rb").read()), leaf[1])
    of_stranger = stranger.issue("sender")
    purpose = The.other.issue("sender", extensions="extendedKeyUsage = serverAuth")
    expired = The.other.issue("sender", dates=("20200101000000Z", "20210101000000Z"))
    daemon = start({"client_ca_file": The.other.file})
    speaks("who shows a certificate and those between it and the authority is let in", daemon,
           The.ca.client(certificate=chain))
    for what, shown, alert in (
            ("without those between", leaf, "TLSV1_ALERT_UNKNOWN_CA"),
            ("that is one for servers", purpose, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
            ("that has expired", expired, "SSLV3_ALERT_CERTIFICATE_EXPIRED")):
        equal(f"who shows a certificate {what} is not, and learns why",
              alert_of(daemon.address, The.ca.client(certificate=shown)), alert)
    daemon = start({"client_ca_file": lower.file})
    speaks("an authority that another one has signed for is enough by itself", daemon,
           The.ca.client(certificate=leaf))
    for what, shown in (("of the one above", The.other.issue("sender")),
                        ("of another one of its name", of_stranger)):
        check(f"and a certificate {what} is no good", "ALERT" in alert_of(
            daemon.address, The.ca.client(certificate=shown)))


def test_sessions():
    """A session from before client certificates were required must not be resumed."""
    daemon = start()
    held = []
    for version in (V.TLSv1_2, V.TLSv1_3):
        context = The.ca.client(low=version, high=version)
        with TlsConnection(daemon.address, context) as connection:
            connection.write(signed())
            connection.read()
            held.append((version, context, connection.sock.session))
        check(f"{version.name}: there is no session to take up again",
              not held[-1][2].has_ticket and not (version == V.TLSv1_2 and held[-1][2].id))
    path = f"{daemon.folder}/hooklined.yaml"
    config = json.loads(open(path, encoding="utf-8").read())
    config["listen"][0]["tls"]["client_ca_file"] = The.other.file
    write_file(path, json.dumps(config))
    with TlsConnection(daemon.address, The.ca.client()) as kept:
        kept.write(signed())
        kept.read()
        daemon.tell(sink.signal.SIGHUP)
        wait_for(lambda: "configuration read again" in daemon.messages(), "the reload")
        kept.write(signed())
        equal("a connection goes on over a reload from which certificates are asked for",
              kept.read().status, 200)
    for version, context, session in held:
        raw = socket.create_connection(daemon.address, sink.PATIENCE)
        try:
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as again:
                again.sendall(signed())
                got = again.recv(100)
        except OSError as e:
            got = e
        check(f"{version.name}: who comes again from before it is asked for one, too",
              isinstance(got, OSError), got)


def test_client_certificates():
    daemon = start({"client_ca_file": The.other.file})
    good, bad = The.other.issue("sender"), The.ca.issue("sender")
    for version in (V.TLSv1_2, V.TLSv1_3):
        def client(certificate=None, version=version):
            return The.ca.client(certificate=certificate, low=version, high=version)
        speaks(f"{version.name}: who shows a certificate of the authority is let in", daemon,
               client(good))
        equal(f"{version.name}: who shows none is not, and learns why",
              alert_of(daemon.address, client()),
              "TLSV13_ALERT_CERTIFICATE_REQUIRED" if version == V.TLSv1_3 else
              "SSLV3_ALERT_HANDSHAKE_FAILURE")
        equal(f"{version.name}: nor who shows a stranger's, and learns why",
              alert_of(daemon.address, client(bad)), "TLSV1_ALERT_UNKNOWN_CA")


def accepts(address):
    try:
        socket.create_connection(address, sink.PATIENCE).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: at the very moment
        return False
    return True


def test_the_end():
    admin = Admin(socket_path())
    daemon = start(limits={"shutdown_seconds": sink.LONG},
                   admin={"address": f"unix:{admin.address}"})
    body = sample_body("foil")
    with TlsConnection(daemon.address, The.ca.client()) as busy, \
            TlsConnection(daemon.address, The.ca.client()), Connection(daemon.address):
        data = signed(body)
        busy.write(data[:-5])
        busy.write(b"")
        wait_for(lambda: open_connections(admin) == 3, "the connections")
        daemon.tell(sink.signal.SIGTERM)
        wait_for(lambda: not accepts(daemon.address), "the end of listening")
        busy.write(data[-5:])
        answer = busy.read()
        check("what has begun over TLS is answered before the end",
              answer.status == 200 and answer.header("Connection") == "close", answer)
        equal("the daemon ends with 0, and waits for nobody who has not said anything",
              daemon.wait(), 0)


# ---- certificate renewal

def seen(address, context):
    with TlsConnection(address, context) as connection:
        return dict(part[0] for part in connection.sock.getpeercert()["subject"])["commonName"]


def test_renewed():
    admin = Admin(socket_path())
    first, second = The.ca.issue("localhost"), The.ca.issue("second.example")
    folder = Folders.new()
    mapping = {"certificate": f"{folder}/pem", "key": f"{folder}/key"}

    def put(pair):
        for path, name in zip(pair, ("pem", "key")):
            shutil.copy(path, f"{folder}/{name}.new")
            os.replace(f"{folder}/{name}.new", f"{folder}/{name}")

    def hup(expected):
        before = len(daemon.messages())
        daemon.tell(sink.signal.SIGHUP)
        return wait_for(lambda: expected in (said := daemon.messages()[before:]) and
                        said.endswith("\n") and said, expected)

    put(first)
    daemon = start(mapping, threads=2, admin={"address": f"unix:{admin.address}"})
    context = The.ca.client()
    context.check_hostname = False
    kept = TlsConnection(daemon.address, context)
    kept.write(signed())
    kept.read()
    problems, count, going = [], [0], threading.Event()

    def load():
        while not going.is_set():
            try:
                with TlsConnection(daemon.address, context) as connection:
                    for _ in range(3):
                        connection.write(signed())
                        if connection.read().status != 200:
                            problems.append("status")
                        count[0] += 1
            except OSError as e:
                problems.append(repr(e))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(6):
        wait_for(lambda so_far=count[0]: count[0] > so_far + 10, "load")
        put((second, first)[n % 2])
        hup("configuration read again")
        equal(f"reload {n}: who comes then sees the new certificate", seen(daemon.address, context),
              ("second.example", "localhost")[n % 2])
    shutil.copy(second[1], f"{folder}/key")
    said = hup("stays in force")
    check("a key of another certificate changes nothing, and where it stands is said",
          f"{daemon.folder}/hooklined.yaml:1: " in said and "key does not match the" in said, said)
    equal("the old certificate is still seen", seen(daemon.address, context), "localhost")
    put(second)
    hup("configuration read again")
    equal("then it is mended", seen(daemon.address, context), "second.example")
    going.set()
    for thread in threads:
        thread.join()
    check("under load no connection and no request fails", count[0] > 60 and not problems,
          count, problems[:5])
    kept.write(signed())
    equal("a connection goes on over all of it", kept.read().status, 200)
    kept.close()
    end = ssl.cert_time_to_seconds(The.ca.end_of(second[0]))
    equal("the metrics say when the certificate ends",
          value(admin.metrics(), "hookline_tls_certificate_end_time_seconds",
                address="127.0.0.1:0"), end)
    path = f"{daemon.folder}/hooklined.yaml"
    config = json.loads(open(path, encoding="utf-8").read())
    del config["listen"][0]["tls"]
    write_file(path, json.dumps(config))
    said = hup("configuration read again")
    check("that TLS is left out needs a restart, and it is said", "tls, proxy_protocol or "
          "trusted_proxies: the change needs a restart" in said, said)
    equal("until then TLS is spoken", seen(daemon.address, context), "second.example")


def test_passed():
    secure, plain = listening_socket(), listening_socket()
    options, env = passing(("ingest", secure), ("ingest", plain))
    config = {"sources": [source("foil")], "trusted_proxies": ["127.0.0.1"], "listen": [
        {"address": "127.0.0.1:%d" % secure.getsockname()[1], "tls": The.ca.tls(),
         "proxy_protocol": True}]}
    daemon = Daemon(config, env=env, **options)
    with TlsConnection(secure.getsockname(), The.ca.client(),
                       before=b"PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n") as connection:
        connection.write(signed())
        equal("a socket that is passed is what its address is in the configuration",
              (connection.read().status, daemon.lines()[-1]["remote"]), (200, "203.0.113.7:1"))
    equal("one whose address is none there speaks plain HTTP",
          sink.send(plain.getsockname(), "/foil").status, 401)
    check("which is said", "passed socket 127.0.0.1:%d: no listen entry has" % plain.getsockname()[1]
          in daemon.messages(), daemon.messages())
    secure.close()
    plain.close()


def test_what_is_counted():
    admin = Admin(socket_path())
    daemon = start(admin={"address": f"unix:{admin.address}"})
    daemon_plain = Connection(daemon.address)
    daemon_plain.write(b"GET / HTTP/1.1\r\n\r\n")
    daemon_plain.read()
    alert_of(daemon.address, The.ca.client(high=V.TLSv1_1, low=V.TLSv1_1))
    alert_of(daemon.address, The.other.client())

    def counts():
        metrics = admin.metrics()
        return [value(metrics, "hookline_connections_refused_total", reason=reason)
                for reason in ("no_tls", "tls_failed", "untrusted_proxy", "no_proxy_header")]

    wait_for(lambda: counts()[1] == 2, "the second one, who hangs up by itself")
    equal("who does not get as far as a request is counted, by reason", counts(), [1, 2, 0, 0])


# ---- files

def refused(sentence, tls, line, *says):
    text = ("sources:\n  - name: foil\n    scheme: foil\n    secrets:\n      - file: {}\n"
            "listen:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n    tls:\n"
            .format(write_file(f"{Folders.new()}/secret", sink.SECRETS["foil"])))
    text += "".join(f"      {key}: {value}\n" for key, value in tls.items())
    path = write_file(f"{Folders.new()}/hooklined.yaml", text)
    for arguments in (["--config", path, "--check"], ["--config", path]):
        code, out, err = sink.run(*arguments)
        last = err.splitlines()[-1] if err else ""
        if not check(f"{sentence} is refused, and where it stands is said",
                     code == 6 and out == "" and "pass phrase" not in err and
                     last.startswith(f"hooklined: {path}:{line}: ") and
                     all(s in last for s in says), code, out, err):
            break


def test_files():
    good, folder = The.ca.tls(), Folders.new()
    junk = write_file(f"{folder}/junk", "this is no PEM\n")
    empty = write_file(f"{folder}/empty", "")
    cut = write_file(f"{folder}/cut", open(good["certificate"], encoding="ascii").read()[:300])
    damaged = write_file(f"{folder}/damaged",
                         re.sub("MII", "MIX", open(good["certificate"], encoding="ascii").read()))
    missing, key = f"{folder}/nothing", f"{folder}/key"
    for name, path, why in (("a certificate that is missing", missing, "No such file"),
                            ("a certificate that is a folder", folder, "not a regular file"),
                            ("a certificate that is none", junk, "no PEM certificate"),
                            ("an empty certificate", empty, "no PEM certificate"),
                            ("a certificate cut short", cut, cut + ": "),
                            ("a damaged certificate", damaged, damaged + ": "),
                            ("a key as a certificate", good["key"], "no PEM certificate")):
        refused(name, {**good, "certificate": path}, 10, "127.0.0.1:0: ", why)
    openssl("pkey", "-in", good["key"], "-aes256", "-passout", "pass:x", "-out", key)
    refused("an encrypted key", {**good, "key": key}, 11, "without a passphrase")
    rsa = The.ca.issue(kind="rsa")[1]
    openssl("rsa", "-in", rsa, "-aes128", "-traditional", "-passout", "pass:x", "-out", key)
    locked = write_file(f"{folder}/locked", open(key, encoding="ascii").read().replace(
        "RSA PRIVATE KEY", "CERTIFICATE"))
    refused("an encrypted certificate", {**good, "certificate": locked}, 10, locked + ": ")
    refused("an encrypted authority", {**good, "client_ca_file": locked}, 12, locked + ": ")
    for name, path, why in (("a key that is missing", missing, "No such file"),
                            ("a key that is a folder", folder, "not a regular file"),
                            ("a key that is none", junk, "no PEM private key"),
                            ("an empty key", empty, "no PEM private key"),
                            ("another's key", The.other.issue()[1], "key does not match the"),
                            ("a key of another kind", The.ca.issue(kind="rsa")[1],
                             "key does not match the")):
        refused(name, {**good, "key": path}, 11, why)
    for mode in (0o644, 0o604, 0o660):
        write_file(key, open(good["key"], "rb").read(), mode)
        refused(f"a key of mode {mode:o}", {**good, "key": key}, 11, f"{mode:04o}", "chmod")
    for name, path, why in (("client_ca_file that is missing", missing, "No such file"),
                            ("client_ca_file that is none", junk, "no PEM certificate")):
        refused(name, {**good, "client_ca_file": path}, 12, why)
    refused("no key", {"certificate": good["certificate"]}, 10, "listen.tls: key is missing; type key:")
    refused("an unknown key", {**good, "ciphers": "all"}, 12, "expected certificate, key, "
            "client_ca_file")


EXPIRED, COMING = ("20200101000000Z", "20210101000000Z"), ("20990101000000Z", "20991231000000Z")


def checked(tls):
    """Exit status and messages of --check for this `tls` section."""
    folder = Folders.new()
    config = {"sources": [{"name": "foil", "scheme": "foil", "secrets": [
        {"file": write_file(f"{folder}/secret", sink.SECRETS["foil"])}]}],
        "listen": [{"address": "127.0.0.1:0", "tls": tls}], "store": {"file": f"{folder}/db"}}
    code, _, err = sink.run("--config", write_file(f"{folder}/hooklined.yaml", json.dumps(config)),
                            "--check")
    return code, err.replace("hooklined: ", "").splitlines()


def test_keys():
    equal("a good certificate has no warning", checked(The.ca.tls()), (0, []))
    for curve in ("P-384", "P-521"):
        equal(f"nor has one of the curve {curve}", checked(The.ca.tls(kind=curve)), (0, []))
    refused("a certificate with a key of DSA", The.ca.tls(kind="dsa"), 10,
            "unsupported key type")
    for curve in ("secp256k1", "brainpoolP256r1"):
        tls = The.ca.tls(kind=curve)
        equal(f"that hardly a client knows the curve {curve} is a warning", checked(tls),
              (0, [f"{tls['certificate']}: few clients support the curve {curve}; use "
                   "P-256"]))
    daemon = start(The.ca.tls(kind="secp256k1"))
    check("and a client as there are most does not", "ALERT" in alert_of(
        daemon.address, ssl.create_default_context(cafile=The.ca.file)))


def test_times():
    for what, dates in (("has expired", EXPIRED), ("is not valid yet", COMING)):
        daemon = start(The.ca.tls(dates=dates))
        wait_for(lambda what=what, daemon=daemon: "certificate " + what in daemon.messages(),
                 "the warning")
        equal(f"that a certificate {what} is said, once",
              daemon.messages().count("certificate " + what), 1)
    good, old, new = (Authority(name, by=The.other, dates=dates) for name, dates in (
        ("Good CA", None), ("Old CA", EXPIRED), ("New CA", COMING)))
    together = write_file(f"{Folders.new()}/together", b"".join(
        open(authority.file, "rb").read() for authority in (good, old, new)))
    tls = {**The.ca.tls(), "client_ca_file": together}
    code, said = checked(tls)
    equal("of the authorities of clients those are named that have expired or are not valid yet",
          (code, sorted(said)), (0, [f"{together}: the certificate of /CN=New CA is not valid yet",
                                     f"{together}: the certificate of /CN=Old CA has expired"]))
    daemon = start(tls)
    speaks("who has a certificate of a good one is let in", daemon,
           The.ca.client(certificate=good.issue("sender")))
    for authority, alert in ((old, "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
                             (new, "SSLV3_ALERT_BAD_CERTIFICATE")):
        equal("who has one of another is not", alert_of(
            daemon.address, The.ca.client(certificate=authority.issue("sender"))), alert)
