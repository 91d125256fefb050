# SPDX-License-Identifier: MIT
"""What systemd does for a service, without systemd: a socket that is told how the service fares,
and sockets that are passed to it."""
import collections
import json
import os
import socket
import sys
import time

from harness.sink import PATIENCE, Folders, source, write_file

Message = collections.namedtuple("Message", "at fields")  # when, and what, line by line


class Supervisor:
    """The one who is told."""
    def __init__(self, watchdog_us=None, path=None):
        self.path = path or os.path.join(Folders.new(), "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path.replace("@", "\0", 1) if path else self.path)
        self.messages = []
        self.waited = 0  # for so many of them
        self.watchdog_us = watchdog_us

    def environment(self, **more):
        watchdog = {"WATCHDOG_USEC": str(self.watchdog_us)} if self.watchdog_us else {}
        return {"NOTIFY_SOCKET": self.path, **watchdog, **more}

    def listen(self, seconds):
        """For so long, and to the last message that is there by then: what was told."""
        end, found = time.monotonic() + seconds, []
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0))
            try:
                text = self.socket.recv(4096).decode()
            except (TimeoutError, BlockingIOError):
                break
            found.append(Message(time.monotonic(), tuple(text.split("\n"))))
            self.messages.append(found[-1])
        return found

    def wait_for(self, field, patience=PATIENCE):
        """The next message with a field that begins so, after the one that was waited for before."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            for i in range(self.waited, len(self.messages)):
                if any(f.startswith(field) for f in self.messages[i].fields):
                    self.waited = i + 1
                    return self.messages[i]
            self.listen(0.01)
        raise AssertionError(f"waited {patience} s in vain for {field}; told: {self.told()}")

    def forget(self):
        self.listen(0)
        self.messages, self.waited = [], 0

    def told(self):
        """All fields, in their order, without those that the watchdog asks for."""
        return [f for m in self.messages for f in m.fields if f != "WATCHDOG=1"]

    def close(self):
        self.socket.close()


# Who is passed sockets finds them from 3 on, and its own process id in the environment.
LAUNCHER = """
import os, sys
descriptors = [int(text) for text in sys.argv[1].split(",")]
for i, descriptor in enumerate(descriptors):
    os.dup2(descriptor, 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
"""


def passing(*named):
    """Options of Daemon that pass it sockets, each with its name or None for the lack of one; and
    variables of its environment."""
    high = []
    for _, sock in named:
        descriptor = os.dup(sock.fileno())
        while descriptor < 3 + len(named):
            descriptor = os.dup(descriptor)
        high.append(descriptor)
    env = {"LISTEN_FDS": str(len(named))}
    if any(name is not None for name, _ in named):
        env["LISTEN_FDNAMES"] = ":".join(name or "" for name, _ in named)
    launcher = [sys.executable, "-c", LAUNCHER, ",".join(str(d) for d in high)]
    return {"launcher": launcher, "descriptors": tuple(high)}, env


def listening_socket(address=("127.0.0.1", 0), backlog=4096):
    """Of a host and a port, or of a path."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    sock.bind(address)
    sock.listen(backlog)
    return sock


def config_file(**config):
    """Without an address to listen at, unless there is one in it."""
    folder = Folders.new()
    config.setdefault("sources", [source("foil")])
    return ["--config", write_file(f"{folder}/hooklined.yaml", json.dumps(config))]
