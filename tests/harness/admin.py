# SPDX-License-Identifier: MIT
"""Client of hooklined's admin API, reader of its event stream, strict parser of its metrics."""
import collections
import json
import os
import re

from harness import sink


def socket_path():
    return os.path.join(sink.Folders.new(), "admin.sock")


class Admin:
    """Client of one daemon's admin API. Over TCP the daemon checks the Host header."""
    def __init__(self, address, host="localhost"):
        self.address, self.host = address, host

    def ask(self, path, method="GET", headers=(), body=b"", host=None):
        with sink.Connection(self.address) as connection:
            connection.write(self.request(path, method, headers, body, host))
            answer = connection.read(method)
            if answer is None:
                raise AssertionError(f"{method} {path}: no answer")
            return answer

    def request(self, path, method="GET", headers=(), body=b"", host=None):
        host = self.host if host is None else host
        lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host else []),
                 *(f"{name}: {value}" for name, value in headers)]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def post(self, path, **more):
        return self.ask(path, "POST", **more)

    def list(self, query=""):
        """Returns all deliveries that match a query, page by page."""
        found, before = [], ""
        while before is not None:
            joined = "&".join(part for part in (query, before) if part)
            page = self.ask("/deliveries" + (f"?{joined}" if joined else "")).json
            found += page["deliveries"]
            before = None if page["next"] is None else f"before={page['next']}"
        return found

    def one(self, seq):
        return self.ask(f"/deliveries/{seq}").json

    def states(self, seq):
        return {d["name"]: d["state"] for d in self.one(seq)["destinations"]}

    def metrics(self):
        return parse_metrics(self.ask("/metrics").body.decode())

    def watch(self, query="", headers=()):
        return Stream(self, query, headers)


class Stream:
    """GET /events, read event by event."""
    def __init__(self, admin, query="", headers=()):
        self.connection = sink.Connection(admin.address)
        self.connection.write(admin.request("/events" + query, headers=headers))
        self.data = b""
        self.ended = False
        head = self._until(b"\r\n\r\n", self.connection.input.readline).decode()
        self.status = int(head.split(" ")[1])
        self.head = head

    @staticmethod
    def _until(end, read):
        data = b""
        while not data.endswith(end):
            part = read()
            if not part:
                raise AssertionError(f"the stream ended after {data!r}")
            data += part
        return data

    def _read_chunk(self):
        size = int(self.connection.input.readline(), 16)
        data = self.connection.input.read(size)
        assert self.connection.input.read(2) == b"\r\n"
        self.ended = size == 0
        return data

    def next(self):
        """Returns the next event or comment; None at the end."""
        while b"\n\n" not in self.data and not self.ended:
            self.data += self._read_chunk()
        if b"\n\n" not in self.data:
            return None
        event, self.data = self.data.split(b"\n\n", 1)
        sink.Watch.see("event", event)
        return event.decode()

    def line(self):
        """Returns the next line of the log."""
        while (event := self.next()) is not None:
            if event.startswith("data: "):
                return json.loads(event[6:])
        return None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- Prometheus text format, and a linter like promtool's

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.]+|[+-]Inf|NaN)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
# Units that promtool rejects because they are not base units, and names of metric types.
WRONG_WORDS = set("milliseconds microseconds nanoseconds ms us ns minutes hours days weeks kilobytes "
                  "megabytes kb mb kib mib bits counter gauge histogram summary".split())

Family = collections.namedtuple("Family", "name type help samples")


def parse_labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"no label: {text[at:]!r}"
        assert match[1] not in labels, f"a label twice: {text}"
        assert match[3] == "," or match.end() == len(text), text
        labels[match[1]] = re.sub(r'\\(["\\n])', lambda m: {"n": "\n"}.get(m[1], m[1]), match[2])
        at = match.end()
    assert not text.endswith(","), text
    return labels


def parse_metrics(text):
    """Returns {name: Family}; raises AssertionError for malformed text."""
    families, current, seen = {}, None, set()
    assert text.endswith("\n"), "the last line has no end"
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, text_of_help = line.split(" ", 3)
            assert NAME.match(name) and name not in families, f"HELP twice: {line}"
            current = families[name] = Family(name, [], text_of_help, [])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert current and current.name == name and not current.type, f"TYPE: {line}"
            assert kind in ("counter", "gauge", "histogram"), line
            current.type.append(kind)
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            labels = parse_labels(match[2] or "")
            key = (match[1], tuple(sorted(labels.items())))
            assert key not in seen, f"a sample twice: {line}"
            seen.add(key)
            suffix = match[1].removeprefix(current.name)
            good = ("_bucket", "_sum", "_count") if current.type == ["histogram"] else ("",)
            assert match[1].startswith(current.name) and suffix in good, f"a stray sample: {line}"
            current.samples.append((suffix, labels, float(match[3])))
    return families


def lint(families):
    """Yields promtool's complaints, one sentence each."""
    for name, family in families.items():
        kind = family.type[0] if family.type else "none"
        if not family.help.strip():
            yield f"{name}: no help"
        if kind == "none":
            yield f"{name}: no type"
        if not name.startswith("hookline_"):
            yield f"{name}: not ours"
        if (kind == "counter") != name.endswith("_total"):
            yield f"{name}: _total is for counters, and all of them"
        if kind != "histogram" and name.endswith(("_count", "_sum", "_bucket")):
            yield f"{name}: the end of a histogram's name"
        if name != name.lower() or WRONG_WORDS & set(name.split("_")):
            yield f"{name}: a unit or a word that does not belong into a name"
        for _, labels, value in family.samples:
            if "le" in labels and kind != "histogram":
                yield f"{name}: le is for histograms"
            if kind == "counter" and value < 0:
                yield f"{name}: a counter below 0"
        if kind == "histogram":
            yield from lint_histogram(family)


def lint_histogram(family):
    series = collections.defaultdict(list)
    for suffix, labels, value in family.samples:
        le = labels.get("le")
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        series[key].append((suffix, le, value))
    for key, samples in series.items():
        buckets = [(float(le), value) for suffix, le, value in samples if suffix == "_bucket"]
        counts = [value for suffix, _, value in samples if suffix == "_count"]
        if buckets != sorted(buckets) or [v for _, v in buckets] != sorted(v for _, v in buckets):
            yield f"{family.name}{key}: the buckets do not grow"
        if not buckets or buckets[-1][0] != float("inf"):
            yield f"{family.name}{key}: no bucket +Inf"
        elif counts != [buckets[-1][1]]:
            yield f"{family.name}{key}: count is not the last bucket"
        if len([1 for suffix, _, _ in samples if suffix == "_sum"]) != 1:
            yield f"{family.name}{key}: one sum expected"


def value(families, name, **labels):
    """Returns the value of the only sample with exactly these labels."""
    found = [v for suffix, have, v in families[name].samples if suffix == "" and have == labels]
    assert len(found) == 1, f"{name}{labels}: {families[name].samples}"
    return found[0]
