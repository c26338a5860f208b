"""One private certificate authority for a test session (EC P-256)."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ["im.test", "conference.im.test", "upload.im.test", "localhost"]


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """Writes `ca.pem` to `folder` and issues certificates for the names of the beds."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Chancery test authority")
        self._certificate = self._build(self._name, self._key.public_key(), ca=True)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self.ca.chmod(0o644)

    def _build(self, subject, public_key, ca: bool):
        now = datetime.datetime.utcnow()
        names = [x509.DNSName(name) for name in NAMES] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=90))
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, name: str):
        """(chain, key) as PEM files, readable by the servers' own users."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate = self._build(_name("im.test"), key.public_key(), ca=False)
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(_pem(key))
        chain.chmod(0o644)
        key_file.chmod(0o644)
        return chain, key_file
