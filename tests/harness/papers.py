# SPDX-License-Identifier: MIT
"""Files for the tests of verify, sign and send: secrets, headers, bodies. The tool's output is
searched for secrets and for signatures made here."""
import glob
import json
import os

from harness import sink
from harness.cli import Run
from harness.sink import Watch

VECTORS = os.path.join(sink.SOURCE, "tests", "vectors")
NOW = 1800000000


class Papers:
    """A folder with one file for each content."""

    def __init__(self):
        self.folder = sink.Folders.new()
        self.count = 0

    def path(self, name=None):
        self.count += 1
        return os.path.join(self.folder, name or str(self.count))

    def file(self, data, mode=0o600):
        return sink.write_file(self.path(), data, mode)

    def secrets(self, *secrets):
        options = []
        for secret in secrets:
            if len(secret) >= 12:
                Watch.words.add(secret.encode())
            options += ["--secret", "@" + self.file(secret.encode() + b"\n")]
        return options

    def scheme(self, scheme, secret=None):
        return ["--scheme", scheme, *self.secrets(secret or sink.SECRETS[scheme])]

    def headers(self, headers, end="\n"):
        text = b"".join(sink.to_bytes(name) + b": " + sink.to_bytes(value) + end.encode()
                        for name, value in headers)
        return ["--headers", self.file(text)]

    def body(self, body):
        return ["--body", self.file(body)]


def watched(*arguments, **options):
    """Runs the tool and checks that its output has no secret and no valid signature."""
    run = Run(*arguments, **options)
    Watch.see(f"hookline {arguments[0]}", (run.out + run.err).encode())
    return run


def vector_files():
    for path in sorted(glob.glob(VECTORS + "/*.json")):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), json.load(file)


def headers_of(text):
    """Parses the output of `hookline sign`."""
    return [tuple(line.split(": ", 1)) for line in text.splitlines()]
