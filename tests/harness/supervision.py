# SPDX-License-Identifier: MIT
"""A stand-in for systemd: a notification socket, and socket activation."""
import collections
import json
import os
import socket
import sys
import time

from harness.sink import PATIENCE, Folders, source, write_file

Message = collections.namedtuple("Message", "at fields")  # arrival time, lines of text


class Supervisor:
    """Receiver of sd_notify messages."""
    def __init__(self, watchdog_us=None, path=None):
        self.path = path or os.path.join(Folders.new(), "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path.replace("@", "\0", 1) if path else self.path)
        self.messages = []
        self.waited = 0  # messages already consumed by wait_for()
        self.watchdog_us = watchdog_us

    def environment(self, **more):
        watchdog = {"WATCHDOG_USEC": str(self.watchdog_us)} if self.watchdog_us else {}
        return {"NOTIFY_SOCKET": self.path, **watchdog, **more}

    def listen(self, seconds):
        """Receives messages for some seconds and returns them, including all that are queued by
        then."""
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
        """Returns the next message with a field that begins so, after the last one waited for."""
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
        """Returns all fields in order, without those of the watchdog."""
        return [f for m in self.messages for f in m.fields if f != "WATCHDOG=1"]

    def close(self):
        self.socket.close()


# Socket activation passes descriptors from 3 on, and the daemon's process id in LISTEN_PID.
LAUNCHER = """
import os, sys
descriptors = [int(text) for text in sys.argv[1].split(",")]
for i, descriptor in enumerate(descriptors):
    os.dup2(descriptor, 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
"""


def passing(*named):
    """Returns Daemon options that pass sockets, each with a name or None, and the environment
    variables for them."""
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
    """Returns a socket that listens on a host and port, or on a path."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    sock.bind(address)
    sock.listen(backlog)
    return sock


def config_file(**config):
    """Returns arguments with a configuration file, which has no listen address by default."""
    folder = Folders.new()
    config.setdefault("sources", [source("foil")])
    return ["--config", write_file(f"{folder}/hooklined.yaml", json.dumps(config))]
