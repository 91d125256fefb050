# SPDX-License-Identifier: MIT
"""Interoperability tests: third-party receivers as processes, and secrets in files. missing() names
a missing program.

Packages of package.json are in $HOOKLINE_NODE_MODULES, else in interop/node_modules of the build
directory, where `./bootstrap check` lets npm install them."""
import http.client
import json
import os
import shutil
import subprocess
import sys

from harness import cli
from harness import sink
from harness import upstream

HERE = os.path.join(os.path.abspath(sink.SOURCE), "tests", "interop")
MODULES = os.environ.get("HOOKLINE_NODE_MODULES") or os.path.join(
    os.path.abspath(sink.BUILD), "interop", "node_modules")


def missing(node=False, packages=()):
    """Returns the name of a missing requirement, or None."""
    if (node or packages) and shutil.which("node") is None:
        return "no node"
    # npm writes this file last.
    if packages and not os.path.exists(os.path.join(MODULES, ".package-lock.json")):
        return "no packages: ./bootstrap check has npm install them"
    for name in packages:
        if not os.path.isdir(os.path.join(MODULES, name)):
            return f"no package {name}: ./bootstrap check has npm install it"
    return None


class Secrets:
    """Secrets of some schemes, and further ones: all in one file for a receiver, and one file each
    for hookline."""
    def __init__(self, names, **more):
        self.folder = sink.Folders.new()
        values = {**{name: sink.SECRETS[name] for name in names}, **more}
        self.file = sink.write_file(os.path.join(self.folder, "secrets.json"), json.dumps(values))
        for name, value in values.items():
            sink.write_file(os.path.join(self.folder, name), value + "\n")

    def where(self, name):
        return "@" + os.path.join(self.folder, name)


class Receiver:
    """A program that prints its port; it is stopped at the end of the `with` block."""
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=sink.die_with_parent)
        self.port = int(self.process.stdout.readline() or 0)
        if self.port == 0:
            raise AssertionError(f"{command} did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def call(self, method, path, body=None, headers=()):
        """Returns the status and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=sink.PATIENCE)
        try:
            connection.request(method, "/" + path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None, headers=()):
        """Returns the status and the JSON of an answer."""
        status, answer = self.call(method, path, body, headers)
        return status, json.loads(answer)

    def received(self):
        return self.ask("GET", "received")[1]


def in_python(secrets):
    return Receiver(sys.executable, os.path.join(HERE, "receiver.py"), secrets.file)


def in_node(secrets):
    return Receiver("node", os.path.join(HERE, "receiver.mjs"), secrets.file)


def with_packages(secrets):
    return Receiver("node", os.path.join(HERE, "packages.mjs"), MODULES, secrets.file)


def with_applications(secrets):
    return Receiver("node", os.path.join(HERE, "applications.mjs"), MODULES, secrets.file)


class Proxy(upstream.Upstream):
    """A proxy in front of a receiver. POST /without/HEADER/PATH removes a header, POST /changed/PATH
    adds a blank to the body, POST /unchanged/PATH changes nothing."""
    def __init__(self, receiver):
        self.receiver = receiver
        super().__init__(self._relay)
        self.base = f"http://127.0.0.1:{self.port}"

    def _relay(self, request, _sock):
        change, *removed, path = request.path.strip("/").split("/")
        headers = {name: value for name, value in request.headers
                   if name.lower() not in ("content-length", *removed)}
        body = request.body + b" " if change == "changed" else request.body
        return upstream.response(self.receiver.call("POST", path, body, headers)[0])


def signed(scheme, secrets, body, *arguments):
    """Runs `hookline sign` on the body; returns the headers, and the run."""
    run = cli.Run("sign", "--scheme", scheme, "--secret", secrets.where(scheme), "--body", "-",
                  *arguments, stdin=body)
    return dict(line.split(": ", 1) for line in run.out.splitlines()), run
