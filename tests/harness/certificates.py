# SPDX-License-Identifier: MIT
"""Certificate authorities, certificates and keys for the tests, and TLS connections."""
import socket
import ssl
import subprocess

from harness.sink import PATIENCE, Connection, Folders


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, **more).stdout


class Authority:
    """A test CA; its certificates and keys are files in a folder of its own."""
    def __init__(self, name="Test CA", by=None, dates=None):
        self.folder, self.count = Folders.new(), 0
        if by:
            self.file, self.key = by.issue(
                name, dates=dates, extensions="basicConstraints = critical,CA:TRUE")
            return
        self.key, self.file = f"{self.folder}/ca.key", f"{self.folder}/ca.pem"
        self._make_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "30",
                "-out", self.file)

    @staticmethod
    def _make_key(path, kind="ec"):
        """Creates a key; `kind` is ec, rsa, dsa, or the name of a curve."""
        if kind == "dsa":
            openssl("dsaparam", "-genkey", "-noout", "-out", path, "2048")
            return
        options = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if kind == "rsa" else \
            ("EC", "-pkeyopt", "ec_paramgen_curve:" + ("P-256" if kind == "ec" else kind))
        openssl("genpkey", "-algorithm", *options, "-out", path)

    def issue(self, name="localhost", *, kind="ec", dates=None, extensions=""):
        """Returns the files of a new certificate and its key; `dates` as in openssl-ca(1)."""
        self.count += 1
        base = f"{self.folder}/{self.count}"
        self._make_key(base + ".key", kind)
        openssl("req", "-new", "-key", base + ".key", "-subj", f"/CN={name}", "-out", base + ".csr")
        with open(base + ".cnf", "w", encoding="ascii") as file:
            file.write(f"{extensions}\nsubjectAltName = DNS:{name}, IP:127.0.0.1\n"
                       f"[ca]\ndefault_ca = x\n[x]\ndatabase = {base}.db\nserial = {base}.sn\n"
                       f"new_certs_dir = {self.folder}\ndefault_md = sha256\npolicy = any\n"
                       "[any]\ncommonName = supplied\n")
        with open(base + ".db", "w", encoding="ascii"):
            pass
        with open(base + ".sn", "w", encoding="ascii") as file:
            file.write(f"{self.count + 1000:04d}\n")
        when = ("-startdate", dates[0], "-enddate", dates[1]) if dates else ("-days", "10")
        openssl("ca", "-batch", "-config", base + ".cnf", "-extfile", base + ".cnf", "-cert",
                self.file, "-keyfile", self.key, "-in", base + ".csr", "-out", base + ".pem",
                "-notext", *when)
        return base + ".pem", base + ".key"

    @staticmethod
    def end_of(certificate):
        """Returns the end of validity, as ssl.cert_time_to_seconds() reads it."""
        shown = openssl("x509", "-in", certificate, "-noout", "-enddate").decode()
        return shown.strip().removeprefix("notAfter=")

    def tls(self, name="localhost", **more):
        """Returns the `tls` mapping of a configuration."""
        certificate, key = self.issue(name, **more)
        return {"certificate": certificate, "key": key}

    def client(self, *, certificate=None, low=None, high=None, alpn=None, ciphers=None):
        """Returns the context of a client that trusts this CA."""
        context = ssl.create_default_context(cafile=self.file)
        # The client allows everything, so that a refusal comes from the server.
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        context.minimum_version = low or ssl.TLSVersion.MINIMUM_SUPPORTED
        if high:
            context.maximum_version = high
        if certificate:
            context.load_cert_chain(*certificate)
        if alpn:
            context.set_alpn_protocols(alpn)
        return context


class TlsConnection(Connection):
    """A TLS connection; `before` is sent before the handshake."""
    def __init__(self, address, context, timeout=PATIENCE, before=b""):
        raw = socket.socket(socket.AF_UNIX) if isinstance(address, str) else \
            socket.create_connection(address, timeout)
        raw.settimeout(timeout)
        if isinstance(address, str):
            raw.connect(address)
        else:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.sendall(before)
        try:
            self.sock = context.wrap_socket(raw, server_hostname="localhost")
        except BaseException:
            raw.close()
            raise
        self.input = self.sock.makefile("rb")
