# SPDX-License-Identifier: MIT
"""An application behind hooklined: a server that records requests, and answers or misbehaves on
demand."""
import collections
import socket
import ssl
import subprocess
import threading
import time

from harness import sink

Request = collections.namedtuple("Request", "method path headers body at")


def header(request, name):
    """Returns all values of a header."""
    return ", ".join(value for key, value in request.headers if key.lower() == name.lower())


def response(status=200, body=b"ok", headers=(), phrase="Phrase"):
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{n}: {v}" for n, v in headers),
             f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Upstream:
    """A server; `answer` gets a request and the connection, and returns the bytes to send, or None
    to close the connection. It runs on the connection's thread. `path`: a Unix socket."""
    def __init__(self, answer=None, tls=None, port=0, path=None):
        self.answer = answer or (lambda request, sock: response())
        self.tls = tls
        self.requests = []
        self.sockets = set()
        self.open = self.most_open = self.busy = self.most_busy = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        if path:
            self.listening, self.port = socket.socket(socket.AF_UNIX), 0
            self.listening.bind(path)
            self.listening.listen()
        else:
            self.listening = socket.create_server(("127.0.0.1", port), backlog=256)
            self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hooks"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self.lock:
            self.sockets.add(sock)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            if sock.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with sock, sock.makefile("rb") as data:
                while (request := self._read(data)):
                    if not self._respond(request, sock):
                        break
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open -= 1
                self.sockets.discard(sock)

    @staticmethod
    def _read(data):
        line = data.readline()
        if not line:
            return None
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = []
        while (line := data.readline().decode("latin-1").rstrip("\r\n")):
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))
        length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
        return Request(method, path, headers, data.read(length), time.monotonic())

    def _respond(self, request, sock):
        with self.lock:
            self.requests.append(request)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        try:
            answer = self.answer(request, sock)
        finally:
            with self.lock:
                self.busy -= 1
        if answer is not None:
            sock.sendall(answer)
        return answer is not None

    def hang(self, _request=None, _sock=None):
        """Blocks the answer until release()."""
        self.released.wait(600)

    def release(self):
        self.released.set()

    def seqs(self):
        with self.lock:
            return [int(header(r, "Hookline-Seq")) for r in self.requests]

    def wait(self, count, patience=sink.PATIENCE):
        sink.wait_for(lambda: len(self.requests) >= count,
                      f"{count} requests, there are {len(self.requests)}", patience)
        return self.requests

    def close(self):
        self.release()
        # A thread in accept() would keep the socket listening.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        with self.lock:
            for sock in self.sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def make_certificate(folder):
    """Creates a self-signed certificate for 127.0.0.1: (server context, certificate file)."""
    key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
