# SPDX-License-Identifier: MIT
"""An application behind hooklined that records each request, then answers it.

`recorder.py FILE [SEED [STATUS...]]` runs as a process of its own, so that it survives kills of the
daemon. It prints its port and appends each request to FILE as a line of JSON before it answers.
With a seed it delays answers at random, and sometimes answers with one of the statuses, until
SIGUSR1.
"""
import asyncio
import base64
import collections
import json
import os
import random
import signal
import subprocess
import sys

Request = collections.namedtuple("Request", "path headers body")


class Requests(asyncio.Protocol):
    def __init__(self, file, rng, failures):
        self.file, self.rng, self.failures = file, rng, failures
        self.data = bytearray()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        fails = self.rng and self.failures and self.rng.random() < 0.05
        status = self.rng.choice(self.failures) if fails else 200
        if self.take_request(status):
            delay = self.rng.expovariate(200) if self.rng else 0
            asyncio.get_running_loop().call_later(delay, self.answer, status)

    def answer(self, status):
        # As hooklined answers, for a sender that gets this answer.
        body = b'{"status": "accepted"}'
        self.transport.write(b"HTTP/1.1 %d Answer\r\nContent-Length: %d\r\n\r\n%s" %
                             (status, len(body), body))

    def take_request(self, status):
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self.data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        size = end + 4 + int(headers.get("content-length", 0))
        if len(self.data) < size:
            return False
        record = {"path": first.split(" ")[1], "headers": headers, "status": status,
                  "body": base64.b64encode(self.data[end + 4:size]).decode()}
        os.write(self.file, json.dumps(record).encode() + b"\n")
        del self.data[:size]
        return True


class Recorder:
    """A recorder process."""
    def __init__(self, seed="", failures=(503,)):
        from harness import sink  # the recorder process does not need it
        self.path = os.path.join(sink.Folders.new(), "requests")
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), self.path, str(seed),
             *map(str, failures)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=sink.die_with_parent)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/hooks"
        self.seen, self.offset = [], 0

    def requests(self):
        """Returns all requests so far that it answered, or would have answered, with 200."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                record = json.loads(line)
                if record["status"] == 200:
                    self.seen.append(Request(record["path"], record["headers"],
                                             base64.b64decode(record["body"])))
        return self.seen

    def recover(self):
        """Answers every request from now on with 200."""
        self.process.send_signal(signal.SIGUSR1)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


async def serve(path, seed, *failures):
    rng = random.Random(seed) if seed else None
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    loop = asyncio.get_running_loop()
    statuses = [int(status) for status in failures]
    loop.add_signal_handler(signal.SIGUSR1, statuses.clear)
    server = await loop.create_server(lambda: Requests(file, rng, statuses), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
