"""A security key without hardware, and an ssh-agent that holds it.

The key signs as OpenSSH's PROTOCOL.u2f says. The agent knows what ssh-keygen asks of one: which
keys it has, and a signature by one of them.
"""

import hashlib
import socket
import struct
import threading

from cryptography.hazmat.primitives.asymmetric import ed25519

KIND = b"sk-ssh-ed25519@openssh.com"
NAMESPACE = b"capsule.capsulefs"
TOUCHED = 1
VERIFIED = 4
FAILURE, LIST, LISTED, SIGN, SIGNED = 5, 11, 12, 13, 14


def string(data):
    """A string of SSH's wire form."""
    return struct.pack(">I", len(data)) + data


def split(data):
    """The strings at the beginning of `data`, as far as whole ones are there."""
    found = []
    while len(data) >= 4:
        length = 4 + struct.unpack(">I", data[:4])[0]
        if length > len(data):
            break
        found.append(data[4:length])
        data = data[length:]
    return found


class SecurityKey:
    """An Ed25519 key as a security key holds it."""

    def __init__(self, application=b"ssh:"):
        self._private = ed25519.Ed25519PrivateKey.generate()
        self._point = self._private.public_key().public_bytes_raw()
        self.application = application

    @property
    def blob(self):
        """The public half in SSH's wire form."""
        return string(KIND) + string(self._point) + string(self.application)

    def sign(self, data, flags=TOUCHED, counter=7, shown=None, more=b""):
        """A signature. `shown` are other flags and another counter than those that were signed."""
        extra = struct.pack(">BI", flags, counter)
        signed = hashlib.sha256(self.application).digest() + extra + hashlib.sha256(data).digest()
        if shown is not None:
            extra = struct.pack(">BI", *shown)
        return string(KIND) + string(self._private.sign(signed)) + extra + more

    def sign_statement(self, statement, **options):
        """The binary form of a signature for files, of PROTOCOL.sshsig."""
        middle = string(NAMESPACE) + string(b"") + string(b"sha512")
        signed = b"SSHSIG" + middle + string(hashlib.sha512(statement).digest())
        return (b"SSHSIG" + struct.pack(">I", 1) + string(self.blob) + middle
                + string(self.sign(signed, **options)))


class Agent:
    """An agent with one key, at `path`, for the length of a `with`."""

    def __init__(self, path, key, **options):
        self._key = key
        self._options = options
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client, client.makefile("rb") as requests:
                client.settimeout(20)
                while head := requests.read(4):
                    client.sendall(string(self._answer(requests.read(int.from_bytes(head, "big")))))

    def _answer(self, request):
        if request[0] == LIST:
            return struct.pack(">BI", LISTED, 1) + string(self._key.blob) + string(b"a test's key")
        if request[0] == SIGN:
            key, data = split(request[1:])[:2]
            if key == self._key.blob:
                return bytes([SIGNED]) + string(self._key.sign(data, **self._options))
        return bytes([FAILURE])
