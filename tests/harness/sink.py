# SPDX-License-Identifier: MIT
"""A hooklined for one test, requests to it, and its senders' signatures.

Signatures are computed here from the senders' documentation, without libhookline. The daemon runs
under $HOOKLINED_WRAPPER, such as "valgrind -q --error-exitcode=99", if set.
"""
import base64
import collections
import contextlib
import ctypes
import glob
import hashlib
import hmac
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

from harness.sentences import check, equal, short, skip  # re-exported for the tests

SOURCE = os.environ.get("top_srcdir") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("top_builddir") or os.path.join(SOURCE, "build")
WRAPPER = shlex.split(os.environ.get("HOOKLINED_WRAPPER", ""))
PATIENCE = 60  # seconds to wait for a condition, even on a busy machine
LONG = 10 * PATIENCE  # seconds; longer than any wait, so a timeout of this length never fires
NOBODY = 65534
# Limits for tests of other subjects: a stall longer than a default deadline would change the
# outcome, rightly.
UNHURRIED = {f"{what}_seconds": LONG for what in ("header", "body", "idle")}

SECRETS = {
    "foil": "whsec_foil_0123456789abcdef0123456789",
    "tripwire": "whsec_tripwire_0123456789abcdef01234",
    "shodai": "shodai-secret-0123456789abcdef012345",
    "trulayer": "trulayer-secret-0123456789abcdef0123",
    "standard": "whsec_" + base64.b64encode(b"standard-secret-0123456789abcdef").decode(),
    "svix": "whsec_" + base64.b64encode(b"svix-secret-0123456789abcdefghij").decode(),
    "stripe": "whsec_stripe_0123456789abcdef01234567",
    "github": "github secret with blanks inside of it",
    "slack": "8f742231b10e8888abcd99yyyzzz85a5-slack",
}

# Child processes inherit ignored signals, which nohup(1) and background shells cause.
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)


def wait_for(condition, what="it", patience=PATIENCE):
    """Waits for the condition and returns its first true value."""
    end = time.monotonic() + patience
    while True:
        last = time.monotonic() > end  # before the check: a stall may outlast the deadline
        if value := condition():
            return value
        if last:
            raise AssertionError(f"waited {patience} s in vain for {what}")
        time.sleep(0.005)


def open_store(path):
    """Opens the store; retries while another process opens, closes or recovers it."""
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                                              timeout=PATIENCE))


class Watch:
    """Searches output for secrets and signatures, and records each leak."""
    words = set(secret.encode() for secret in SECRETS.values())
    leaks = []
    signatures = True  # off in tests with too many signatures to search for
    module = words_at_first = None

    @classmethod
    def begin(cls, module):
        """Forgets signatures of other test modules."""
        if cls.words_at_first is None:
            cls.words_at_first = frozenset(cls.words)  # all modules are imported by now
        if cls.module is not module:
            cls.words = set(cls.words_at_first)
            cls.module, cls.signatures = module, True

    @classmethod
    def see(cls, where, data):
        for word in tuple(cls.words):  # other threads sign at the same time
            if word in data:
                cls.leaks.append(f"{where}: {data[:2000]!r} holds {word!r}")


class Folders:
    made = []

    @classmethod
    def new(cls):
        folder = tempfile.mkdtemp(prefix="hooklined-")
        cls.made.append(folder)
        return folder

    @classmethod
    def remove(cls, keep=0):
        while len(cls.made) > keep:
            shutil.rmtree(cls.made.pop(), ignore_errors=True)


class Leftovers:
    """Remembers the daemons, processes and folders at the start of a test; cleans up later ones at
    its end. A daemon must exit with 0, a process is killed."""
    def __init__(self):
        self.daemons, self.processes = set(Daemon.running), children()
        self.folders = len(Folders.made)

    def remove_later_ones(self):
        for daemon in list(Daemon.running):
            if daemon not in self.daemons:
                daemon.stop()
        for pid in children() - self.processes:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        Folders.remove(self.folders)

    @staticmethod
    def remove_all():
        for daemon in list(Daemon.running):
            daemon.kill()
        Folders.remove()


def children():
    """Returns the child processes of this process."""
    found = set()
    for path in glob.glob("/proc/self/task/*/children"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            found |= {int(pid) for pid in file.read().split()}
    return found


def write_file(path, data, mode=0o600):
    if isinstance(data, str):
        data = data.encode()
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    return path


# ---- the daemon

libc = ctypes.CDLL(None)
prctl = libc.prctl  # looked up before fork(), because another thread may hold the loader's lock


def die_with_parent():
    PR_SET_PDEATHSIG = 1
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def find_program():
    """Returns the program, not libtool's script, because a wrapper would run the script's shell."""
    real = f"{BUILD}/.libs/hooklined"
    return real if os.path.exists(real) else f"{BUILD}/hooklined"


def environment(extra, state):
    env = {**os.environ, "LD_LIBRARY_PATH": f"{BUILD}/.libs", "STATE_DIRECTORY": state,
           **(extra or {})}
    env.setdefault("ASAN_OPTIONS", "verify_asan_link_order=0")
    env.setdefault("LSAN_OPTIONS",
                   f"suppressions={SOURCE}/tests/lsan.supp:print_suppressions=0")
    return env


def nobody_can_run(program):
    """Tells if user nobody can run the program; a private folder prevents that."""
    try:
        return subprocess.run([*WRAPPER, program, "--version"], user=NOBODY, group=NOBODY,
                              extra_groups=[], env=environment(None, "/"), cwd="/",
                              capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def run(*arguments, env=None, timeout=PATIENCE, setup=None):
    """Runs hooklined to its end; returns (exit code, standard output, standard error)."""
    def before():
        die_with_parent()
        if setup:
            setup()

    done = subprocess.run([*WRAPPER, find_program(), *arguments],
                          env=environment(env, Folders.new()),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          preexec_fn=before, check=False)
    Watch.see("standard output", done.stdout)
    Watch.see("standard error", done.stderr)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


CLOCK_FROM_FILE = f"{BUILD}/tests/preload/.libs/clock_from_file.so"


class Clock:
    """A frozen clock: the wall clock, or the one that `variable` selects."""
    def __init__(self, seconds, variable="CLOCK_FILE"):
        self.variable = variable
        self.path = os.path.join(Folders.new(), "clock")
        self.set(seconds)

    def set(self, seconds):
        self.seconds = seconds
        write_file(self.path + ".new", str(int(seconds)))
        os.replace(self.path + ".new", self.path)

    def environment(self):
        return {"LD_PRELOAD": CLOCK_FROM_FILE, self.variable: self.path}


class Stopwatch(Clock):
    """The daemon's monotonic clock, for its deadlines. Time passes only when the test lets it,
    however long a process stalls. The clock is far ahead of the system's, so that a kernel wait for
    one of its moments does not return at once in a busy loop."""
    def __init__(self):
        super().__init__(int(time.monotonic()) + 1000000, "MONOTONIC_CLOCK_FILE")

    def step(self, seconds, deliver):
        """Advances the clock between two deliveries. The first makes the loop read all earlier
        data; the second makes it check each connection. An answer that waits for the store comes
        one turn of the loop after its request."""
        deliver()
        self.set(self.seconds + seconds)
        deliver()


def with_clock(env, clock):
    """Returns an environment with this clock, in addition to a clock already there."""
    env = dict(env or {})
    preloaded = env.get("LD_PRELOAD", "").split(":")
    env["LD_PRELOAD"] = ":".join(dict.fromkeys(filter(None, [*preloaded, CLOCK_FROM_FILE])))
    return {clock.variable: clock.path, **env}


def source(name, scheme=None, secrets=None, **more):
    """Returns a source for a configuration; its secrets are written to files."""
    folder = Folders.new()
    files = []
    for i, secret in enumerate(secrets or [SECRETS[scheme or name]]):
        files.append({"file": write_file(f"{folder}/{i}", secret + "\n")})
    kind = {} if "description" in more else {"scheme": scheme or name}
    return {"name": name, **kind, "secrets": files, **more}


class Daemon:
    running = []

    def __init__(self, config=None, *, sources=None, arguments=None, env=None, stdout=None,
                 stderr=None, setup=None, folder=None, ready=True, launcher=(), descriptors=(),
                 real_time=False, **more):
        """Starts a daemon with a configuration as data, or with sources and further sections, or
        with arguments; `folder` of an earlier daemon reuses its store. Waits until it listens,
        unless `ready` is false. The launcher is a command that execs the daemon and passes
        descriptors.

        The monotonic clock is frozen: no deadline passes and no retry starts, however slow the
        machine is. clock.set() and clock.step() advance it; real_time=True selects the system's
        clock, for tests that wait for timed actions of the daemon."""
        self.folder = folder or Folders.new()
        self.store = f"{self.folder}/hookline.db"
        self.out, self.err = f"{self.folder}/stdout", f"{self.folder}/stderr"
        if arguments is None:
            config = dict(config or {}, **({"sources": sources} if sources else {}), **more)
            config.setdefault("listen", [{"address": "127.0.0.1:0"}])
            config.setdefault("threads", 1)
            config["limits"] = {**UNHURRIED, **config.get("limits", {})}
            # JSON is a subset of YAML.
            arguments = ["--config", write_file(f"{self.folder}/hooklined.yaml",
                                                json.dumps(config, ensure_ascii=False))]
        self.log = (config or {}).get("log", {}).get("file", self.out)
        self.clock = None
        if not real_time and "MONOTONIC_CLOCK_FILE" not in (env or {}):
            self.clock = Stopwatch()
            env = with_clock(env, self.clock)

        def before():
            die_with_parent()
            if setup:
                setup()

        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*launcher, *WRAPPER, find_program(), *arguments],
                env=environment(env, self.folder), preexec_fn=before, pass_fds=descriptors,
                stdin=subprocess.DEVNULL, stdout=out if stdout is None else stdout,
                stderr=err if stderr is None else stderr)
        Daemon.running.append(self)
        if ready:
            self.address = self.addresses(1)[0]

    def addresses(self, count):
        """Waits for `count` log lines of listening addresses and returns the addresses."""
        return wait_for(lambda: len(found := self._listening()) >= count and found,
                        f"{count} times \"listening on\"")

    def _listening(self):
        found = re.findall(r"^hooklined: listening on (.*):(\d+)\n", self.messages(), re.M)
        if not found and self.process.poll() is not None:
            raise AssertionError("hooklined did not start: " + self.messages())
        return [(host.strip("[]"), int(port)) for host, port in found]

    def messages(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self):
        return "hooklined said:\n" + self.messages()[-1500:]

    def raw_log(self):
        with open(self.log, "rb") as file:
            return file.read()

    def lines(self, **wanted):
        """Returns log lines as data, filtered by members. Each line must be JSON."""
        lines = [json.loads(line) for line in self.raw_log().split(b"\n")[:-1]]
        return [line for line in lines if wanted.items() <= line.items()]

    def send(self, *arguments, **options):
        return send(self.address, *arguments, **options)

    def deliver(self, scheme, body=None, *, path=None, now=None, **options):
        """Sends a valid test delivery."""
        body = sample_body(scheme, now=now) if body is None else body
        headers = sign(scheme, body, now=now)
        return self.send(path or "/" + scheme, headers, body, **options)

    def connect(self, timeout=PATIENCE):
        return Connection(self.address, timeout)

    def alive(self, sentence, scheme="foil"):
        answer = self.deliver(scheme)
        return check(sentence, self.process.poll() is None and answer.status == 200,
                     f"status {answer.status}", self.tail())

    def tell(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Returns the exit code. The clock advances meanwhile, so that deadlines expire."""
        end, passing = time.monotonic() + patience, contextlib.suppress(subprocess.TimeoutExpired)
        while self.clock and self.process.poll() is None and time.monotonic() < end:
            with passing:
                self.process.wait(0.2)
                break
            self.clock.set(self.clock.seconds + 0.2)
        code = self.process.wait(max(end - time.monotonic(), 0))
        self._watch()
        return code

    def _watch(self):
        if self in Daemon.running:
            Daemon.running.remove(self)
            Watch.see("standard error", self.messages().encode())
            with contextlib.suppress(OSError):
                Watch.see("log", self.raw_log() if os.path.isfile(self.log) else b"")

    def stop(self, number=signal.SIGTERM):
        """Stops the daemon; its exit code is not 0 if a sanitizer found an error."""
        if self.process.poll() is None:
            self.tell(number)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            code = "none: it had to be killed"
        if code != 0:
            check("hooklined exits with 0", False, f"exit code {code}", self.tail())
        self.kill()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._watch()


# ---- HTTP

class Answer(collections.namedtuple("Answer", "status phrase headers body")):
    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("error", {}).get("code")

    @property
    def receipt(self):
        """Returns the receipt of a hooklined answer, as in its body and its log line."""
        return self.json["receipt"]

    def header(self, name):
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())


class Connection:
    """A connection to a host and port, or to the path of a Unix socket."""
    def __init__(self, address, timeout=PATIENCE):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(address)
        else:
            self.sock = socket.create_connection(address, timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.sock.makefile("rb")

    def write(self, data):
        self.sock.sendall(data)

    def read(self, method="POST"):
        """Returns the next answer; None at the end of the stream."""
        line = self.input.readline()
        if not line:
            return None
        _, status, phrase = line.decode("latin-1").rstrip("\r\n").split(" ", 2)
        headers = []
        while (line := self.input.readline().decode("latin-1").rstrip("\r\n")):
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))
        length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
        body = self.input.read(0 if method == "HEAD" or status == "100" else length)
        if len(body) < length and method != "HEAD":
            raise AssertionError(f"{len(body)} bytes of {length} of an answer")
        answer = Answer(int(status), phrase, headers, body)
        Watch.see("answer", repr(answer).encode() + body)
        return answer

    def ended(self):
        """Waits for the end of the stream; tells if no data came before it."""
        try:
            return self.input.read() == b""
        except ConnectionResetError:
            return True

    def is_ended(self):
        """Tells if the peer has already closed the stream."""
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)
        return bool(poll.poll(0))

    def close(self):
        self.input.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def head_of(path, headers, method="POST"):
    lines = [to_bytes(method) + b" " + to_bytes(path) + b" HTTP/1.1", b"Host: sink.example"]
    lines += [to_bytes(name) + b": " + to_bytes(value) for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunks_of(body, size):
    for i in range(0, len(body), size):
        part = body[i:i + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def request(path, headers=(), body=b"", *, method="POST", chunk=None):
    """Returns the bytes of a request; chunked if `chunk` gives a size."""
    body = to_bytes(body)
    if chunk:
        return head_of(path, [*headers, ("Transfer-Encoding", "chunked")], method) + \
            b"".join(chunks_of(body, chunk))
    length = [("Content-Length", str(len(body)))] if body or method in ("POST", "PUT") else []
    return head_of(path, [*headers, *length], method) + body


def send(address, path, headers=(), body=b"", *, method="POST", chunk=None):
    """Sends one request on a new connection and returns its answer."""
    with Connection(address) as connection:
        connection.write(request(path, headers, body, method=method, chunk=chunk))
        answer = connection.read(method)
        if answer is None:
            raise AssertionError("the connection was closed without an answer")
        return answer


# ---- the senders

def mac_of(key, content, encode=None):
    """Returns the signature and adds it to the words that no output may contain."""
    mac = hmac.new(key, content, hashlib.sha256).digest()
    if Watch.signatures:
        for text in (mac.hex(), mac.hex().upper(), base64.b64encode(mac).decode()):
            Watch.words.add(text.encode())
    return encode(mac) if encode else mac.hex()


def base64_text(mac):
    return base64.b64encode(mac).decode()


def sample_body(scheme, id="evt_1", now=None):
    """Returns the body of the sender's test delivery."""
    now = int(time.time()) if now is None else now
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    body = {
        "foil": {"id": id, "object": "webhook_event", "type": "webhook.test", "created": iso,
                 "data": {}},
        "shodai": {"id": id, "type": "webhook.test", "createdAt": iso, "data": {}},
        "trulayer": {"type": "ping", "sent_at": iso, "data": {}},
        "standard": {"type": "ping", "timestamp": iso, "data": {}},
        "stripe": {"id": id, "type": "ping", "created": now},
        "github": {"zen": "Keep it logically awesome.", "hook_id": 1},
        "slack": {"event_id": id, "type": "event_callback", "event_time": now},
    }
    body["tripwire"], body["svix"] = body["foil"], body["standard"]
    return json.dumps(body[scheme]).encode()


def sign(scheme, body, *, secret=None, now=None, id="evt_1"):
    """Returns the headers that the sender sends with the body."""
    secret = SECRETS[scheme] if secret is None else secret
    now = str(int(time.time()) if now is None else now)
    body, key = to_bytes(body), to_bytes(secret)
    if scheme in ("foil", "tripwire"):
        name = {"foil": "X-Foil", "tripwire": "X-Tripwire"}[scheme]
        return [(name + "-Timestamp", now),
                (name + "-Signature", mac_of(key, now.encode() + b"." + body))]
    if scheme == "shodai":
        return [("X-Shodai-Webhook-Id", id), ("X-Shodai-Webhook-Timestamp", now),
                ("X-Shodai-Webhook-Signature",
                 "sha256=" + mac_of(key, now.encode() + b"." + body))]
    if scheme == "trulayer":
        return [("X-TruLayer-Signature", "sha256=" + mac_of(key, body))]
    if scheme in ("standard", "svix"):
        name = {"standard": "webhook", "svix": "svix"}[scheme]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = b".".join((to_bytes(id), now.encode(), body))
        return [(name + "-id", id), (name + "-timestamp", now),
                (name + "-signature", "v1," + mac_of(key, content, base64_text))]
    if scheme == "stripe":
        return [("Stripe-Signature", f"t={now},v1=" + mac_of(key, now.encode() + b"." + body))]
    if scheme == "github":
        return [("X-Hub-Signature-256", "sha256=" + mac_of(key, body))]
    if scheme == "slack":
        content = b":".join((b"v0", now.encode(), body))
        return [("X-Slack-Request-Timestamp", now),
                ("X-Slack-Signature", "v0=" + mac_of(key, content))]
    raise ValueError(scheme)
