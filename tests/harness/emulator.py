# SPDX-License-Identifier: MIT
"""The emulator of the providers, and clients for its APIs."""
import json
import re
import signal
import subprocess

from harness import cli
from harness import schema
from harness import sink
from harness import upstream
from harness.sink import check, equal, wait_for


class Emulator:
    """`hookline emulate --json` with its own keys; the constructor returns once it listens."""

    def __init__(self, *arguments, folder=None):
        self.folder = folder or sink.Folders.new()
        self.out, self.err = f"{self.folder}/emulator.out", f"{self.folder}/emulator.err"
        self.secrets = set()  # no output may contain them
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*sink.WRAPPER, cli.TOOL, "emulate", "--listen", "127.0.0.1:0", "--keys",
                 f"{self.folder}/keys", "--json", *map(str, arguments)], cwd=self.folder,
                env=sink.environment(None, self.folder), stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, preexec_fn=sink.die_with_parent)
        sink.Daemon.running.append(self)
        self.start = wait_for(self._first_line, "the emulator's first line")
        self.base, self.organization = self.start["base_url"], self.start["organization"]
        host, port = re.fullmatch(r"http://(.*):(\d+)/?", self.base).groups()
        self.address = (host, int(port))

    def _first_line(self):
        lines = self.output().split("\n")
        if len(lines) < 2 and self.process.poll() is not None:
            raise AssertionError("the emulator did not start: " + self.messages())
        return json.loads(lines[0]) if len(lines) > 1 else None

    def output(self):
        with open(self.out, encoding="utf-8", errors="replace") as file:
            return file.read()

    def messages(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self):
        return "the emulator said:\n" + self.output()[-1500:] + self.messages()[-1500:]

    def key(self, name):
        """Returns the key called "foil", "foil.unscoped", ..."""
        with open(f"{self.folder}/keys/{name}", encoding="utf-8") as file:
            text = file.read().strip()
        self.secrets.add(text)
        return text

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(sink.PATIENCE)
        if code != 0:
            check("the emulator exits with 0", False, f"exit code {code}", self.tail())
        self.kill()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self not in sink.Daemon.running:
            return
        sink.Daemon.running.remove(self)
        said = self.output() + self.messages()
        for secret in self.secrets:
            if secret in said:
                sink.Watch.leaks.append(f"the emulator said a key or a secret: {said[-2000:]}")

    def ask(self, method, path, headers=(), body=b""):
        """Sends one request and returns its answer."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers = [*headers, ("Content-Type", "application/json")]
        data = sink.request(path, list(headers), body, method=method)
        with sink.Connection(self.address) as connection:
            # Clients name the emulator localhost; /emulator/ refuses other hosts.
            connection.write(data.replace(b"Host: sink.example", b"Host: localhost", 1))
            answer = connection.read(method)
            assert answer is not None, "the connection was closed without an answer"
            return answer


class Client:
    """A provider's API, used by a customer."""

    def __init__(self, emulator, name, header="Authorization", bearer="Bearer "):
        self.emulator = emulator
        self.name = name
        self.header, self.bearer = header, bearer

    def credentials(self, key=None):
        """Returns the header for a named key or a literal one; "" means no header."""
        if key == "":
            return []
        name = key or self.name
        text = self.emulator.key(name) if re.fullmatch(r"[a-z]+(\.[a-z]+)?", name) else name
        return [(self.header, self.bearer + text)]

    def ask(self, method, path, body=b"", key=None, headers=()):
        return self.emulator.ask(method, path, [*self.credentials(key), *headers], body)


def conforms(sentence, answer, status, facts):
    """Checks the answer's status and schema. Returns its JSON, or {}."""
    try:
        value = answer.json
        found = list(schema.problems(facts, value))
    except ValueError:
        value, found = {}, ["it is no JSON"]
    if answer.header("Content-Type") != "application/json":
        found.append(f"Content-Type: {answer.header('Content-Type')}")
    check(sentence, answer.status == status and not found, *found, answer)
    return value


def receiver(status=200, body=b'{"received":true}', headers=()):
    """Returns an application that records requests and always gives the same answer."""
    return upstream.Upstream(lambda request, sock: upstream.response(status, body, headers))


def body_of(request):
    return json.loads(request.body)


def signature_is(sentence, request, header, expected):
    equal(sentence, upstream.header(request, header), expected, request)
