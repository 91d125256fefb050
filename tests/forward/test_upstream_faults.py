# SPDX-License-Identifier: MIT
"""Applications that refuse, hang, disconnect, dribble, flood or lie delay neither senders nor
other applications."""
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess

import pytest

from harness import sink
from harness.ports import free_port
from harness.sink import Daemon, Folders, check, equal, request, sign, source, wait_for
from harness.upstream import Upstream, header, make_certificate, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(400)]

COUNT = 100
MEMORY = 48 << 20  # bytes, limit for buffered answers
SANITIZED = b"libasan" in open(sink.find_program(), "rb").read() or \
    b"__tsan_init" in open(sink.find_program(), "rb").read()


def body_of(number):
    return b'{"id":"evt_%d","object":"webhook_event","type":"webhook.test","data":{}}' % number


def deliver_all(daemon, first, count):
    """Delivers sequentially on one connection; returns the number of 200 answers."""
    good = 0
    with daemon.connect() as connection:
        for number in range(first, first + count):
            body = body_of(number)
            connection.write(request("/foil", sign("foil", body), body))
            good += connection.read().status == 200
    return good


def memory(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1]) * 1024


def start(url, *, sources=None, concurrency=4, retry_seconds=(3600,), timeout=3 * sink.PATIENCE,
          real_time=False, **more):
    """Starts a daemon with a good and a bad destination; tests of timeouts set `timeout`."""
    good = Upstream()
    daemon = Daemon(real_time=real_time, sources=sources or [source("foil")], limits={"shutdown_seconds": 1},
                    destinations=[{"name": "good", "url": good.url, "timeout_seconds": 3 * sink.PATIENCE},
                                  {"name": "bad", "url": url, "concurrency": concurrency,
                                   "timeout_seconds": timeout,
                                   "retry_seconds": list(retry_seconds), **more}])
    return daemon, good


def lines(daemon, verdict, count, destination="bad", **wanted):
    return wait_for(lambda: len(found := daemon.lines(verdict=verdict, destination=destination,
                                                      **wanted)) >= count and found,
                    f"{count} lines {verdict} of {destination}: " +
                    daemon.raw_log().decode()[-3000:])


def fault(sentence, url, verdict, says, status=0, timeout=3 * sink.PATIENCE, **more):
    """The daemon logs the bad destination's fault and delays no one else."""
    daemon, good = start(url, timeout=timeout, **more)
    before = memory(daemon)
    equal(f"{sentence}: every delivery is received", deliver_all(daemon, 0, COUNT), COUNT)
    good.wait(COUNT)
    equal(f"{sentence}: the other destination gets each of them", sorted(good.seqs()),
          list(range(1, COUNT + 1)))
    # With a short timeout the first attempts may end before the fault.
    line = lines(daemon, verdict, 1, **({"status": status} if timeout < sink.PATIENCE else {}))[0]
    check(f"{sentence}: it is {verdict}, with the reason",
          (says is None and line["reason"] is None or says is not None and says in line["reason"]) and
          line["status"] == status, line)
    if verdict == "retried":
        attempts = len(daemon.lines(destination="bad"))
        check(f"{sentence}: the backlog is not tried in vain", attempts < COUNT / 2, attempts)
    grown = memory(daemon) - before
    check(f"{sentence}: memory stays bounded", SANITIZED or grown < MEMORY, grown)
    daemon.alive(f"{sentence}: and all is well")
    daemon.stop()
    good.close()


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- faults

def test_refuses():
    fault("who refuses connections", f"http://127.0.0.1:{free_port()}/", "retried", "connect")


def test_unknown_host():
    fault("a name that does not exist", "http://no-such-host.invalid/", "retried", "no-such-host")


def test_hangs():
    upstream = Upstream()
    upstream.answer = upstream.hang
    fault("who accepts and hangs", upstream.url, "retried", "timed out", timeout=1, real_time=True)
    upstream.close()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        fault("who never accepts", f"http://127.0.0.1:{deaf.getsockname()[1]}/", "retried",
              "timed out", timeout=1, real_time=True)


def test_breaks_off():
    def half(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
        reset(sock)

    for sentence, answer, status in (
            ("who resets in the middle of the answer", half, 200),
            ("who resets before it", lambda r, s: reset(s), 0),
            ("who closes without an answer", lambda r, s: None, 0)):
        upstream = Upstream(answer)
        # A truncated answer counts as none, because the application may have failed midway.
        fault(sentence, upstream.url, "retried", "", status)
        upstream.close()


def test_no_http():
    for sentence, data in (("who does not speak HTTP", b"220 mail.example.com ESMTP\r\n"),
                           ("who sends nothing but NUL", b"\0" * 5000),
                           ("who measures its answer twice", b"HTTP/1.1 200 OK\r\n"
                            b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello")):
        upstream = Upstream(lambda r, s, data=data: s.sendall(data))
        daemon, good = start(upstream.url)
        equal(f"{sentence}: every delivery is received", deliver_all(daemon, 0, 10), 10)
        lines(daemon, "retried", 1)
        equal(f"{sentence}: is not taken for an application", daemon.lines(verdict="forwarded",
                                                                           destination="bad"), [])
        daemon.stop()
        upstream.close()
        good.close()


@pytest.mark.first
def test_statuses():
    for status, verdict in ((500, "retried"), (503, "retried"), (410, "parked"), (403, "retried")):
        upstream = Upstream(lambda r, s, status=status: response(status))
        fault(f"who answers {status}", upstream.url, verdict, f"HTTP status {status}", status)
        upstream.close()
    upstream = Upstream(lambda r, s: response(429, headers=[("Retry-After", "3600")]))
    fault("who answers 429 with Retry-After", upstream.url, "retried", "HTTP status 429", 429)
    check("Retry-After: it is left alone for so long", len(upstream.requests) <= 4,
          len(upstream.requests))
    upstream.close()


@pytest.mark.first
def test_dribbles():
    def byte_for_byte(data):
        def answer(request, sock):
            for i in range(len(data)):
                sock.sendall(data[i:i + 1])
                if upstream.released.wait(1):
                    return
        return answer

    for sentence, data, status in (
            ("who sends a byte of the head each second", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 99,
             0),
            ("who sends a byte of the body each second", None, 200)):
        upstream = Upstream()
        if data is None:
            rest = byte_for_byte(b"y" * 99)

            def answer(request, sock, rest=rest):
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
                return rest(request, sock)
            upstream.answer = answer
        else:
            upstream.answer = byte_for_byte(data)
        fault(sentence, upstream.url, "retried", "timed out", status, timeout=4, real_time=True)
        upstream.close()


@pytest.mark.first
def test_floods():
    chunk = b"10000\r\n" + b"z" * 65536 + b"\r\n"

    def flood(begin, again):
        def answer(request, sock):
            sock.sendall(begin)
            while not upstream.released.is_set():
                sock.sendall(again)
        return answer

    for sentence, begin, again, verdict, status in (
            ("who answers 200 and never ends", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
             chunk, "forwarded", 200),
            ("who answers 500 and never ends", b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n",
             chunk, "retried", 500),
            ("whose answer is longer than anybody reads",
             b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n", b"z" * 65536, "forwarded",
             200),
            ("whose headers never end", b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"z" * 900 + b"\r\n",
             "retried", 200),
            ("whose header never ends", b"HTTP/1.1 200 OK\r\nX-Y: ", b"z" * 65536, "retried", 200),
            ("who says continue and never ends", b"", b"HTTP/1.1 100 Continue\r\n\r\n", "retried",
             100)):
        upstream = Upstream()
        upstream.answer = flood(begin, again)
        says = None if verdict == "forwarded" else "HTTP status 500" if status == 500 else ""
        fault(sentence, upstream.url, verdict, says, status, concurrency=8)
        upstream.close()


@pytest.mark.first
def test_certificates():
    folder = Folders.new()
    context, certificate = make_certificate(folder)
    upstream = Upstream(tls=context)
    fault("a certificate that nobody vouches for", upstream.url, "retried", "certificate")
    equal("nothing was sent there", len(upstream.requests), 0)
    daemon, good = start(upstream.url, ca_file=certificate)
    deliver_all(daemon, 0, 5)
    lines(daemon, "forwarded", 5)
    equal("with its ca_file it is good", len(upstream.requests), 5)
    daemon.stop()
    good.close()
    url = upstream.url.replace("127.0.0.1", "localhost")
    fault("a certificate for another name", url, "retried", "", ca_file=certificate)
    equal("still nothing was sent there", len(upstream.requests), 5)
    upstream.close()
    plain = Upstream()
    fault("a server without TLS", plain.url.replace("http:", "https:"), "retried", "SSL")
    plain.close()


def make_authority(folder):
    """Makes a CA trusted by the system, and a certificate signed by this CA."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    openssl("req", "-x509", *key, "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
            "-CA", "ca.pem", "-CAkey", "ca.key")
    os.mkdir(f"{folder}/system")
    shutil.copy(f"{folder}/ca.pem", f"{folder}/system/")
    openssl("rehash", "system")
    shutil.copy(f"{folder}/ca.pem", f"{folder}/system/ca-certificates.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    return context


def test_authorities():
    """Mounts a test folder over the system's CA folder."""
    folder = Folders.new()
    launcher = ["unshare", "-rm", "sh", "-c",
                f'mount --bind {folder}/system /etc/ssl/certs && exec "$@"', "sh"]
    context = make_authority(folder)
    if subprocess.run([*launcher, "true"], capture_output=True, check=False).returncode != 0:
        sink.skip("ca_file takes the place of the system's", "no namespace of our own can be made")
        return
    upstream = Upstream(tls=context)
    bad = {"name": "bad", "url": upstream.url, "retry_seconds": [1] * 30}
    daemon = Daemon({"sources": [source("foil")], "destinations": [bad]}, launcher=launcher)
    daemon.deliver("foil")
    upstream.wait(1)
    check("a certificate that the system vouches for is good", True)
    daemon.stop()
    _, other = make_certificate(Folders.new())
    bad["ca_file"] = f"{folder}/trusted.pem"
    shutil.copy(other, bad["ca_file"])
    daemon = Daemon({"sources": [source("foil")], "destinations": [bad]}, launcher=launcher)
    daemon.deliver("foil")
    lines(daemon, "retried", 1)
    equal("ca_file takes the place of the system's: nothing is sent", len(upstream.requests), 1)
    shutil.copy(f"{folder}/ca.pem", bad["ca_file"])
    upstream.wait(2)
    check("what is in the file is read anew", True)
    daemon.stop()
    upstream.close()


def test_comes_back():
    port = free_port()
    daemon, good = start(f"http://127.0.0.1:{port}/hooks", retry_seconds=[1] * 30, real_time=True)
    deliver_all(daemon, 0, COUNT)
    good.wait(COUNT)
    lines(daemon, "retried", 3)
    upstream = Upstream(port=port)
    wait_for(lambda: set(upstream.seqs()) == set(range(1, COUNT + 1)), "all of them")
    equal("who comes back gets everything, once", sorted(upstream.seqs()),
          list(range(1, COUNT + 1)))
    daemon.stop()
    upstream.close()
    good.close()


def test_new_ones_pass():
    """Retries do not delay new deliveries."""
    upstream = Upstream()

    def answer(request, sock):
        number = int(header(request, "Hookline-Seq"))
        return response(500 if number % 2 else 200)

    upstream.answer = answer
    daemon, good = start(upstream.url, retry_seconds=[0] * 32, concurrency=2, real_time=True)
    equal("half of all fails at once: every delivery is received", deliver_all(daemon, 0, COUNT),
          COUNT)
    lines(daemon, "forwarded", COUNT // 2)
    wait_for(lambda: {s for s in upstream.seqs() if s % 2 == 0} == set(range(2, COUNT + 1, 2)))
    check("half of all fails at once: the other half passes", True)
    daemon.stop()
    upstream.close()
    good.close()
