"""Certificates of any name, signed by one local authority: the site's name is not known before somebody asks for it."""

import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local_aws import certificates


class Authority:
    """An authority with its certificates in one folder; both are new with each start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key, self._certificate = certificates.new_authority()
        self._lock, self._contexts = threading.Lock(), {}
        certificates.write(self.file, self._certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        """What a client must trust."""
        return self.folder / "ca.pem"

    def context(self, name: str) -> ssl.SSLContext:
        """What a server with this name answers a handshake with."""
        with self._lock:
            if name not in self._contexts:
                self._contexts[name] = self._new(name)
            return self._contexts[name]

    def _new(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = certificates.signed(
            "local AWS site", [x509.DNSName(name)], key.public_key(), self._key, self._certificate
        )
        path = self.folder / "site.pem"
        chain = certificates.private_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)
        # The standard library reads certificates from files only.
        certificates.write(path, chain, 0o600)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        path.unlink()
        return context
