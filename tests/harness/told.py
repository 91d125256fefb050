# SPDX-License-Identifier: MIT
"""A daemon that reloads its configuration on SIGHUP."""
import json
import os
import signal

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.sink import SECRETS, Daemon, sign, source, wait_for, write_file
from harness.upstream import response

SAID = "configuration read again"
KEPT = "reload failed, the old configuration stays in force: "
OLD, NEW = SECRETS["foil"], "whsec_foil_NEW_0123456789abcdef01234567"
sink.Watch.words.add(NEW.encode())


class Told:
    """A daemon with a configuration that changes."""
    def __init__(self, config, **more):
        self.config = config
        self.admin = Admin(socket_path())
        config.setdefault("admin", {"address": f"unix:{self.admin.address}"})
        self.daemon = Daemon(config, **more)
        self.path = f"{self.daemon.folder}/hooklined.yaml"

    def write(self, config=None):
        config = {"listen": [{"address": "127.0.0.1:0"}], "threads": 1, **(config or self.config)}
        config["limits"] = {**sink.UNHURRIED, **config.get("limits", {})}
        write_file(self.path + ".new", json.dumps(config, ensure_ascii=False))
        os.replace(self.path + ".new", self.path)

    def hup(self):
        """Sends SIGHUP and returns the new log messages."""
        before = len(self.daemon.messages())

        def said():
            new = self.daemon.messages()[before:]
            return new if new.endswith("\n") and (SAID in new or KEPT in new) else ""

        self.daemon.tell(signal.SIGHUP)
        return wait_for(said, "an answer to SIGHUP")

    def reload(self, **change):
        self.config.update(change)
        self.config = {key: value for key, value in self.config.items() if value is not None}
        self.write()
        said = self.hup()
        if SAID not in said:
            raise AssertionError(said)
        return said


def destination(upstream, name="app", **more):
    return {"name": name, "url": upstream.url, "timeout_seconds": sink.LONG, **more}


def slow(upstream):
    """Lets the application delay its answers until release()."""
    def answer(_request, _sock):
        upstream.hang()
        return response()

    upstream.released.clear()
    upstream.answer = answer


def body_of(number, kind="webhook.test"):
    return json.dumps({"id": f"evt_{number}", "object": "webhook_event", "type": kind}).encode()


def deliver(daemon, number, path="/foil", secret=None, kind="webhook.test"):
    body = body_of(number, kind)
    return daemon.send(path, sign("foil", body, secret=secret), body)


def query(daemon, sql):
    with sink.open_store(daemon.store) as db:
        return db.execute(sql).fetchall()


def labelled(*secrets):
    made = source("foil", secrets=[secret for secret, _ in secrets])
    for item, (_, label) in zip(made["secrets"], secrets):
        if label:
            item["label"] = label
    return made


def used(told, label):
    return value(told.admin.metrics(), "hookline_secret_used_total", source="foil", secret=label)
