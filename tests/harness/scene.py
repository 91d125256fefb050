# SPDX-License-Identifier: MIT
"""A complete set-up for ping: hooklined, an application behind it, and the emulator."""
import json

from harness import admin
from harness import cli
from harness import emulator
from harness import sink
from harness import upstream

SOURCES = ("foil", "tripwire", "shodai", "trulayer", "stripe", "github")
KINDS = ("foil", "shodai", "trulayer")


class Scene:
    """A running set-up; `answer` controls the application, False means no application."""
    def __init__(self, *arguments, answer=None, sources=SOURCES, **config):
        self.app = None if answer is False else upstream.Upstream(answer)
        if self.app:
            config.setdefault("destinations", [{"name": "app", "url": self.app.url}])
        self.socket = admin.socket_path()
        self.sink = sink.Daemon(sources=[sink.source(name) for name in sources],
                                admin={"address": "unix:" + self.socket}, **config)
        self.admin = admin.Admin(self.socket)
        host, port = self.sink.address
        self.emulator = emulator.Emulator("--for", self.sink.folder + "/hooklined.yaml",
                                          "--sink-url", f"http://{host}:{port}", *arguments)
        self.endpoints = {e["source"]: e for e in self.emulator.start["endpoints"]}

    def arguments(self, source):
        """Returns the emulator's suggested ping command without the program name."""
        return self.endpoints[source]["ping"][1:]

    def ping(self, source, *more, **options):
        return cli.Run(*self.arguments(source), *more, folder=self.emulator.folder, **options)

    def told(self, source, *more, **options):
        """Runs ping with --json; returns the run, and its parsed output."""
        got = self.ping(source, "--json", *more, **options)
        return got, json.loads(got.out)

    def trouble(self, provider, kind):
        got = self.emulator.ask("PUT", "/emulator/trouble", body={"provider": provider,
                                                                  "kind": kind})
        assert got.status // 100 == 2, got

    def close(self):
        self.emulator.stop()
        self.sink.stop()
        if self.app:
            self.app.close()
