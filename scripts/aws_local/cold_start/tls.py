"""TLS in front of the emulator, which speaks none: a first invocation in AWS reads root certificates and shakes hands."""

import asyncio
import contextlib
import datetime
import ipaddress
import multiprocessing
import pathlib
import socket
import ssl
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..place import HOME

CHUNK = 65_536
CERTIFICATE, KEY, ROOTS = HOME / "tls.pem", HOME / "tls-key.pem", HOME / "tls-roots.pem"


@contextlib.contextmanager
def in_front_of(endpoint):
    """Gives the variables with which a function finds it and trusts it."""
    make_certificate()
    # The roots of the machine and ours: as many have to be read as anywhere.
    of_machine = ssl.get_default_verify_paths().cafile
    ROOTS.write_text((pathlib.Path(of_machine).read_text() if of_machine else "") + CERTIFICATE.read_text())
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    # A process of its own, so that it does not take the interpreter from the one that looks at the clock.
    process = multiprocessing.get_context("fork").Process(target=serve, args=(listener, endpoint), daemon=True)
    process.start()
    try:
        yield {"AWS_ENDPOINT_URL": address, "SSL_CERT_FILE": str(ROOTS)}
    finally:
        process.kill()
        process.join()


def make_certificate():
    """For 127.0.0.1, for a day, and of no use elsewhere: the key stays in the folder of the emulator."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "aws-local")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    CERTIFICATE.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    KEY.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))


def serve(listener, endpoint):
    asyncio.run(forward(listener, urllib.parse.urlsplit(endpoint)))


async def forward(listener, to):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)

    async def connection(reader, writer):
        # Not done for a socket that was made outside asyncio; without it, the end of an answer waits 40 ms.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream = await asyncio.open_connection(to.hostname, to.port)
        # A function is ended amid its connections.
        await asyncio.gather(pipe(reader, upstream[1]), pipe(upstream[0], writer), return_exceptions=True)

    server = await asyncio.start_server(connection, sock=listener, ssl=context)
    await server.serve_forever()


async def pipe(reader, writer):
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
