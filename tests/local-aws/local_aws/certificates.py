"""The local authority that signs the servers' certificates, and a second one that signs nothing and must be refused."""

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = datetime.timedelta(days=800)
RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files below one directory."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The authority that a client must trust."""
        return self.directory / "ca.pem"

    @property
    def wrong_authority(self) -> Path:
        """An authority of the same name with another key: what it vouches for is not these servers."""
        return self.directory / "wrong-ca.pem"

    @property
    def server(self) -> Path:
        """The servers' certificate, for localhost and 127.0.0.1."""
        return self.directory / "server.pem"

    @property
    def key(self) -> Path:
        """The server certificate's key."""
        return self.directory / "server.key"


def ensure(directory: Path) -> Certificates:
    """The certificates in `directory`; made there unless they are whole and still valid for a while."""
    found = Certificates(directory)
    if not _usable(found):
        directory.mkdir(parents=True, exist_ok=True)
        _make(found)
    return found


def _usable(found: Certificates) -> bool:
    # The server's certificate is written last: where it is, the rest is.
    if not found.server.is_file():
        return False
    end = x509.load_pem_x509_certificate(found.server.read_bytes()).not_valid_after_utc
    return end - RENEW_BEFORE > datetime.datetime.now(datetime.UTC)


def _make(found: Certificates) -> None:
    found.server.unlink(missing_ok=True)
    authority_key, authority = new_authority()
    write(found.authority, authority.public_bytes(serialization.Encoding.PEM))
    write(found.wrong_authority, new_authority()[1].public_bytes(serialization.Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = signed("local AWS server", names, key.public_key(), authority_key, authority)
    write(found.key, private_pem(key), 0o600)
    write(found.server, certificate.public_bytes(serialization.Encoding.PEM))


def signed(
    title: str,
    names: list[x509.GeneralName],
    public_key: ec.EllipticCurvePublicKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
) -> x509.Certificate:
    """A server's certificate for these names."""
    return (
        _builder(title, authority.subject, public_key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # The shards of a cache cluster are each other's clients.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key, to be kept from others."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """An authority with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local AWS test authority")])
    certificate = (
        _builder("local AWS test authority", name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A clock that runs a little late must not refuse a fresh certificate.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write the whole file at once; nobody reads half of it."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    new.chmod(mode)
    new.rename(path)
