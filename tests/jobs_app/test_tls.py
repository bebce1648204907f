"""The connection goes to a judged number; the certificate must still fit the name."""

import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from guarded_calls import pinned
from jobs_app import providers
from jobs_app.providers import ProviderUnavailable
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider

pytestmark = pytest.mark.django_db


def self_signed(name: str, folder: Path) -> Path:
    """A file with a key and a certificate for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    plain = serialization.NoEncryption()
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(pem, traditional, plain) + certificate.public_bytes(pem)
    )
    return path


def always_here(host, port, *args, **kwargs):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def fake(request, settings, monkeypatch, tmp_path) -> Iterator[FakeProvider]:
    """A server at models.example, with a certificate for the name in the parameter."""
    pem = self_signed(request.param, tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    client_side = ssl.create_default_context(cafile=str(pem))
    monkeypatch.setattr(pinned, "_tls", lambda: client_side)
    monkeypatch.setattr(socket, "getaddrinfo", always_here)
    provider = FakeProvider()
    provider.wrap_in_tls(server_side)
    with provider as running:
        settings.PROVIDER_ALLOWED_HOSTS = [f"models.example:{running.port}"]
        yield running


def models(fake: FakeProvider) -> list[str]:
    base_url = f"https://models.example:{fake.port}/v1"
    provider = make_provider(base_url=base_url, api_key=API_KEY)
    with providers.connect(provider, max_seconds=5) as client:
        return client.models()


@pytest.mark.parametrize("fake", ["models.example"], indirect=True)
def test_the_name_is_kept_although_the_number_is_called(fake):
    assert "base-model" in models(fake)
    assert fake.requests[0].headers["host"] == f"models.example:{fake.port}"


@pytest.mark.parametrize("fake", ["other.example"], indirect=True)
def test_a_certificate_for_another_name_is_refused_before_the_key_is_sent(fake):
    with pytest.raises(ProviderUnavailable):
        models(fake)
    assert fake.requests == []
