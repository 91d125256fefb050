# SPDX-License-Identifier: MIT
"""hooklined's reader of HTTP/1.1 and llhttp, which is Node's, understand the same requests: no
bytes on a connection are one request to a proxy and another one to hooklined."""
import collections
import glob
import os
import random
import re
import struct
import subprocess

import pytest

from harness import interop, sink
from harness.sink import Daemon, check, skip, source

pytestmark = [pytest.mark.running]

SEED, MUTATIONS = (int(os.environ.get(f"HTTP_{name}", default))
                   for name, default in (("SEED", 1), ("MUTATIONS", 6000)))
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
HOST = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

# ---- requests by hand, each line's escapes as in Python

LINES = r"""
GET / HTTP/1.1
GET /a/b;c=d?e=/?&f HTTP/1.1
GET // HTTP/1.1
GET /%00%zz HTTP/1.1
GET /\xc3\xb6 HTTP/1.1
GET /a#b HTTP/1.1
GET /"<>\\^`{|} HTTP/1.1
get / HTTP/1.1
DELETE / HTTP/1.1
PATCH /a HTTP/1.1
HEAD / HTTP/1.1
TRACE / HTTP/1.1
FOO / HTTP/1.1
GET / HTTP/1.0
GET / HTTP/0.9
GET / HTTP/1.2
GET / HTTP/2.0
GET / HTTP/1.10
GET / http/1.1
GET / HTTPS/1.1
GET /
GET
GET http://b/c HTTP/1.1
GET HTTP://b:80/c?d HTTP/1.1
GET https://[::1]/ HTTP/1.1
GET http://b HTTP/1.1
GET http://b?c HTTP/1.1
GET http:// HTTP/1.1
GET http:///c HTTP/1.1
GET http://:80/ HTTP/1.1
GET http://user@b/ HTTP/1.1
GET http://b:80:80/ HTTP/1.1
GET http://b#c HTTP/1.1
GET ftp://b/c HTTP/1.1
GET * HTTP/1.1
OPTIONS * HTTP/1.1
OPTIONS *a HTTP/1.1
CONNECT a:80 HTTP/1.1
CONNECT /a HTTP/1.1
GET a HTTP/1.1
GET  / HTTP/1.1
GET /  HTTP/1.1
GET / HTTP/1.1\x20
\x20GET / HTTP/1.1
GET\t/ HTTP/1.1
GET /\t HTTP/1.1
GET /\x00 HTTP/1.1
GET /\x7f HTTP/1.1
GET /\r HTTP/1.1
GET / a HTTP/1.1
G(T / HTTP/1.1
\r\nGET / HTTP/1.1
\r\n\r\nGET / HTTP/1.1
\nGET / HTTP/1.1
\rGET / HTTP/1.1
"""

FIELDS = r"""
A:
A: b
A:\tb\t c \t
A::b
A: \x80\xff
a!#$%&'*+-.^_`|~09: b
A: b\r\nA: c
Content_Length: 5
: b
A
A b: c
A : b
A\t: b
(A): b
\xc3: b
A\x00: b
A: \x00
A: \x01
A: \x0b
A: \x7f
A: b\rc
A: b\nC: d
A: b\r\r
A: b\r\n c
A: b\r\n\tc
A: b\r\n\x20
Host: b
Host:
Connection: close
Connection: a, CLOSE ,b
Connection: keep-alive
Connection: upgrade\r\nUpgrade: websocket
Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: a
Expect: 100-continue
Expect: 100-Continue
Expect: 200-ok
TE: trailers
Trailer: Content-Length
"""

HOSTS = r"""
Host: example.com:8080
Host: [2001:db8::1]:443
Host:
Host: a b
Host: a, b
Host: a/b
Host: user@a
Host: :80
Host: a:b
Host: [::1
Host: \xc3\xb6
Host : a
A: b
"""

# In every pair, and alone.
FRAMINGS = r"""
Content-Length: 15
Content-Length: 0
Content-Length: 015
Content-Length: +15
Content-Length: -15
Content-Length: 0xf
Content-Length: 15, 15
Content-Length: 15 15
Content-Length: 15a
Content-Length: 15\x0b
Content-Length:\t15\t
Content-Length:
Content-Length : 15
Content-Length: 18446744073709551631
Content-Length:\r\n 15
Transfer-Encoding: chunked
transfer-encoding:CHUNKED
Transfer-Encoding: identity
Transfer-Encoding: gzip
Transfer-Encoding: gzip, chunked
Transfer-Encoding: chunked, gzip
Transfer-Encoding: chunked, chunked
Transfer-Encoding: , chunked
Transfer-Encoding: xchunked
Transfer-Encoding: chunked\x0b
Transfer-Encoding:\tchunked\t
Transfer-Encoding: \x0bchunked
Transfer-Encoding: "chunked"
Transfer-Encoding: chunked;a=b
Transfer-Encoding:
Transfer-Encoding : chunked
Transfer-Encoding:\r\n chunked
Transfer\x00-Encoding: chunked
"""

BODIES = r"""
0\r\n\r\n
5\r\nhello\r\n0\r\n\r\n
1\r\na\r\n2\r\nbc\r\n0\r\n\r\n
a\r\n0123456789\r\n0\r\n\r\n
A\r\n0123456789\r\n0\r\n\r\n
005\r\nhello\r\n00\r\n\r\n
000000000000005\r\nhello\r\n0\r\n\r\n
0000000000000005\r\nhello\r\n0\r\n\r\n
00000000000000005\r\nhello\r\n0\r\n\r\n
10000000000000005\r\nhello\r\n0\r\n\r\n
0x5\r\nhello\r\n0\r\n\r\n
+5\r\nhello\r\n0\r\n\r\n
-5\r\nhello\r\n0\r\n\r\n
\x205\r\nhello\r\n0\r\n\r\n
5\x20\r\nhello\r\n0\r\n\r\n
5\t\r\nhello\r\n0\r\n\r\n
\r\nhello\r\n0\r\n\r\n
5g\r\nhello\r\n0\r\n\r\n
5_0\r\nhello\r\n0\r\n\r\n
5;\r\nhello\r\n0\r\n\r\n
5;a\r\nhello\r\n0\r\n\r\n
5;a=b\r\nhello\r\n0\r\n\r\n
5;a="b;c"\r\nhello\r\n0\r\n\r\n
5;a="b\r\n0\r\n\r\n"\r\nhello\r\n0\r\n\r\n
5 ;a\r\nhello\r\n0\r\n\r\n
5; a = b \r\nhello\r\n0\r\n\r\n
5;a\nhello\r\n0\r\n\r\n
5;a\rb\r\nhello\r\n0\r\n\r\n
5;a\x00\r\nhello\r\n0\r\n\r\n
5;\xff\r\nhello\r\n0\r\n\r\n
5\nhello\n0\n\n
5\rhello\r\n0\r\n\r\n
5\r\nhello0\r\n\r\n
5\r\nhello\n0\r\n\r\n
5\r\nhello\r0\r\n\r\n
5\r\nhelloX\r\n0\r\n\r\n
5\r\nhell\r\n0\r\n\r\n
0 GARBAGE\r\n\r\n
0GARBAGE\r\n\r\n
0\r\n\n
0\n\r\n
0\r\nA: b\r\n\r\n
0\r\nA:\r\nB: \xff\r\n\r\n
0\r\nContent-Length: 5\r\n\r\n
0\r\nTransfer-Encoding: chunked\r\n\r\n
0\r\nA: b\r\n c\r\n\r\n
0\r\nA : b\r\n\r\n
0\r\n: b\r\n\r\n
0\r\nA\r\n\r\n
0\r\nA: b\nC: d\r\n\r\n
0\r\nA: b\rC: d\r\n\r\n
0\r\nA: \x00\r\n\r\n
0\r\n\x20A: b\r\n\r\n
5\r\nhel
"""


def table(text):
    return [line.encode("latin-1").decode("unicode_escape").encode("latin-1")
            for line in text.strip("\n").split("\n")]


def by_hand():
    """Returns the beginnings of connections, which NEXT follows."""
    post = b"POST /a HTTP/1.1\r\n" + HOST
    framings = table(FRAMINGS)
    heads = [line + b"\r\n" + HOST for line in table(LINES)]
    heads += [post + field + b"\r\n" for field in table(FIELDS)]
    heads += [b"GET /a HTTP/1.1\r\n" + field + b"\r\n" + HOST for field in table(FIELDS)]
    heads += [b"GET /a HTTP/1." + minor + b"\r\n" + host + b"\r\n"
              for host in table(HOSTS) for minor in (b"0", b"1")]
    framed = [b"POST /a HTTP/1.0\r\n" + one + b"\r\n" for one in framings] + \
        [post + one + b"\r\n" for one in framings] + \
        [post + one + b"\r\n" + two + b"\r\n" for one in framings for two in framings]
    return [head + b"\r\n" for head in heads] + [head + b"\r\n" + HELLO for head in framed] + \
        [post + CHUNKED + b"\r\n" + body for body in table(BODIES)]


def from_corpus():
    """Returns what the two fuzz targets of the reader begin with."""
    post = b"POST / HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n"
    for kind, head in (("request", b""), ("chunked", post)):
        for path in sorted(glob.glob(f"{sink.SOURCE}/tests/fuzz/corpus/{kind}/*")):
            with open(path, "rb") as file:
                yield head + file.read()


# ---- mutations

PIECES = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"\x0b", b"\x0c", b"\x1f", b"\x7f", b"\x80",
          b"\xa0", b"\xff", b":", b";", b",", b"=", b'"', b"#", b"?", b"/", b"@", b"0", b"5", b"a", b"+", b"-", b"_",
          b"chunked", b"close", b"http://b", b"HTTP/1.0", b"OPTIONS *", b"Host: b\r\n", CHUNKED, HELLO, NEXT,
          b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Connection: close\r\n",
          b"Expect: 100-continue\r\n", b"0\r\n\r\n", b"5;a=b\r\n"]


def mutate(chance, bases):
    data = chance.choice(bases)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 0, 1, 1, 2, 8)))
        kind = chance.randrange(4)
        if kind == 0:
            data = data[:at] + data[end:]
        elif kind == 1:
            data = data[:at] + chance.choice(PIECES) + data[end:]
        elif kind == 2:
            other = chance.choice(bases)
            data = data[:at] + other[chance.randrange(len(other) + 1):]
        else:
            lines = data.split(b"\r\n")
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one] = lines[two]
            data = b"\r\n".join(lines)
    return data


# ---- both readers

Reading = collections.namedtuple("Reading", "requests state")
PROGRAM = os.path.join(sink.BUILD, "tests", "interop", "requests")


def read_all(command, cases):
    """Returns the lines of a program that shows how it reads each case, followed by NEXT."""
    data = b"".join(struct.pack(">I", len(case + NEXT)) + case + NEXT for case in cases)
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True, timeout=sink.LONG,
                          env=sink.environment(None, "/")).stdout.decode().splitlines()


def reading(line):
    *requests, state = line.split()
    return Reading([[bytes.fromhex(text) for text in request.split(",")[:-1]]
                    for request in requests], state)


def by_reader(cases):
    return [reading(line) for line in read_all([PROGRAM], cases)]


def by_node(cases):
    """Returns Node's readings, and the methods that it knows."""
    methods, *lines = read_all(["node", os.path.join(interop.HERE, "requests.mjs")], cases)
    return [reading(line) for line in lines], methods.encode().split()


# ---- differences

def is_same(mine, nodes):
    """Node leaves the host in the target."""
    (method, target, *rest), (nodes_method, nodes_target, *nodes_rest) = mine, nodes
    return (method, rest) == (nodes_method, nodes_rest) and (
        target == nodes_target or
        re.fullmatch(rb"(?i)https?://[^/?]*" + re.escape(target), nodes_target) is not None)


def values(request, name):
    return [value for key, value in zip(request[4::2], request[5::2]) if key.lower() == name]


# A request that only one of both accepts, the request before it, the bytes of the connection, and
# the methods that Node knows.
Difference = collections.namedtuple("Difference", "request before case methods")

# What only hooklined accepts, and why it may.
ACCEPTED = {
    "a method that Node does not know; it changes no framing":
        lambda d: d.request[0] not in d.methods,
    "bytes beyond ASCII in a target; it is one path to everybody":
        lambda d: max(d.request[1], default=0) >= 0x80,
    "an extension of a chunk that is none; it is ignored up to the end of its line":
        lambda d: re.search(rb"\n[0-9A-Fa-f]+[ \t]*;", d.case),
    "framing or Connection in a trailer; it is ignored":
        lambda d: re.search(rb"(?i)\n0+(;.*)?\r\n([^\r\n]+\r\n)*"
                            rb"(content-length|transfer-encoding|connection):", d.case),
}
# What Node has not read, and does not wait for either.
DROPPED = {
    "a request with Upgrade, or behind one; Node drops bytes there":
        lambda d: any(request and values(request, b"upgrade") for request in (d.request, d.before)),
}

# What only Node accepts: for the count.
REFUSED = {
    "CONNECT": lambda d: d.request[0] == b"CONNECT",
    "a fragment": lambda d: b"#" in d.request[1],
    "no or two Hosts": lambda d: len(values(d.request, b"host")) != 1,
    "an invalid Host": lambda d: not re.fullmatch(
        rb"(([\w\-.~!$&'()*+,;=%]+|\[[\w:.]+\])(:\d*)?)?", values(d.request, b"host")[0]),
    "an expectation": lambda d: values(d.request, b"expect"),
    "an invalid target": lambda d: not re.match(
        rb"/|(?i:https?)://([\w.]+|\[[\w:.]+\])(:\d*)?([/?]|$)", d.request[1]),
    "another coding than chunked": lambda d: [
        one.lower() for one in values(d.request, b"transfer-encoding")] not in ([], [b"chunked"]),
    "a tab around a length or coding": lambda d: re.search(
        rb"(?i)\n(content-length|transfer-encoding):.*\t", d.case),
    "blanks, empty lines and others": lambda d: True,
}


def reason(reasons, difference):
    return next((name for name, applies in reasons.items() if applies(difference)), None)


def compare(cases):
    """Returns the counts of agreements and differences, and the differences that may not be."""
    counts, wrong = collections.Counter(), collections.defaultdict(list)
    readings, methods = by_node(cases)
    for case, mine, nodes in zip(cases, by_reader(cases), readings, strict=True):
        n = min(len(mine.requests), len(nodes.requests))
        longer = mine if len(mine.requests) > n else nodes
        before, request = ([None, *longer.requests, None])[n:n + 2]
        difference = Difference(request, before, case, methods)
        if not all(map(is_same, mine.requests, nodes.requests)):
            kind = "understood in two ways"
        elif request is None:
            kind = f"both: {n} requests"
        elif longer is mine:
            why = reason(DROPPED if nodes.state == "open" else ACCEPTED, difference)
            kind = f"only hooklined accepts: {why}" if why else "accepted"
        elif mine.state == "refused":
            kind = f"only Node accepts: {reason(REFUSED, difference)}"
        else:
            kind = "only Node accepts: a request behind the last one" if mine.state == "closed" \
                else "waited for"
        counts[kind] += 1
        if ":" not in kind:
            wrong[kind].append((case, mine, nodes))
    return counts, wrong


def all_cases():
    cases = by_hand() + list(from_corpus())
    bases = [case for case, mine in zip(cases, by_reader(cases)) if mine.state != "refused"]
    chance = random.Random(SEED)
    return cases + [mutate(chance, bases) for _ in range(MUTATIONS)]


def test_against_node():
    if why := interop.missing(node=True):
        skip("hooklined and Node understand the same requests", why)
        return
    counts, wrong = compare(all_cases())
    for kind, count in sorted(counts.items()):
        print(f"{count:6} {kind}")
    check("pairs of requests are accepted by hooklined and Node", counts["both: 2 requests"] > 100, counts)
    check("what hooklined and Node both accept, both understand alike, to the last byte",
          not wrong["understood in two ways"], *wrong["understood in two ways"][:3])
    check("what only hooklined accepts has a reason", not wrong["accepted"], *wrong["accepted"][:3])
    check("Node finds no request in bytes of which hooklined waits for the end",
          not wrong["waited for"], *wrong["waited for"][:3])


def answers(connection, mine):
    """Returns the statuses of the requests and of a refusal, and whether the connection ended."""
    statuses = []
    for request in mine.requests:
        while (answer := connection.read(request[0].decode())) and answer.status == 100:
            pass
        statuses.append(answer and answer.status)
    if mine.state == "refused":  # without a body if the method is HEAD
        found = re.findall(rb"^HTTP/1.1 (\d+) ", connection.input.read(), re.M)
        statuses.append(int(found[-1]) if found else None)
        return statuses, True
    return statuses, mine.state == "open" or connection.ended()


def test_in_hooklined():
    daemon = Daemon(sources=[source("foil")])
    cases, wrong = all_cases(), []
    for case, mine in zip(cases, by_reader(cases), strict=True):
        with daemon.connect() as connection:
            connection.write(case + NEXT)
            statuses, ended = answers(connection, mine)
        if not ended or None in statuses or not all(200 <= status < 500 for status in statuses) or \
                (mine.state == "refused" and statuses[-1] not in (400, 413, 417, 431)):
            wrong.append((case, mine, statuses, ended))
    check("hooklined answers every request, refuses with 4xx, and closes then", not wrong, *wrong[:3])
    daemon.alive("the daemon lives and accepts the next delivery")
