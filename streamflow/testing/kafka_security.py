"""What a secured test broker is made of: a certificate of its own, users with passwords, and grants that must be given.

    security = BrokerSecurity.make(folder, users=["processor", "client"])
    with KafkaBroker(settings=security.broker_settings(), client_settings=security.client("broker")) as broker:
        Client.connect(broker.bootstrap, namespace="n", **security.client("client"))

TLS on the clients' listener with the host's name verified, SASL PLAIN or SCRAM-SHA-512 over it, Kafka's own authorizer, and nothing
allowed that was not granted. ``broker`` may do everything, and logs in by PLAIN in any case: passwords for SCRAM are kept by the running
broker, which `make_users` gives them to. Not here: which grants a role needs (`streamflow.topology.grants`).
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from confluent_kafka import admin

from streamflow.testing.kafka_distribution import KafkaUnavailable, kafka_distribution

ADMIN: Final = "broker"
_STORE_PASSWORD: Final = "for-tests-only"
Mechanism = Literal["PLAIN", "SCRAM-SHA-512"]
_ADMIN: Final[Any] = admin
_ITERATIONS: Final = 4_096
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True, slots=True)
class BrokerSecurity:
    """One broker's key and certificate, and the passwords of its users."""

    key_store: Path
    certificate: Path
    """In PEM; clients trust it and no other."""
    passwords: Mapping[str, str]
    mechanism: Mechanism = "PLAIN"
    """How everybody but ``broker`` logs in."""

    @classmethod
    def make(cls, folder: Path, *, users: Iterable[str], mechanism: Mechanism = "PLAIN") -> Self:
        """A fresh key in ``folder``, and a random password for each user.

        Raises:
            KafkaUnavailable: Java's `keytool` is missing, or would not.
        """
        folder.mkdir(parents=True, exist_ok=True)
        key_store, certificate = folder / "broker.p12", folder / "broker.pem"
        common = ["-alias", "broker", "-keystore", str(key_store), "-storetype", "PKCS12"]
        common += ["-storepass", _STORE_PASSWORD]
        _keytool(
            *("-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "2"),
            *("-dname", "CN=streamflow test broker", "-ext", "bc:c"),
            *("-ext", "san=ip:127.0.0.1,dns:localhost", *common),
        )
        _keytool("-exportcert", "-rfc", "-file", str(certificate), *common)
        return cls(
            key_store,
            certificate,
            {user: secrets.token_urlsafe(18) for user in (ADMIN, *users)},
            mechanism,
        )

    def broker_settings(self) -> dict[str, str]:
        """Broker properties for `KafkaBroker`."""
        plain = [ADMIN] if self.mechanism != "PLAIN" else list(self.passwords)
        users = " ".join(f'user_{name}="{self.passwords[name]}"' for name in plain)
        login = f'{_PLAIN} required username="{ADMIN}" password="{self.passwords[ADMIN]}" {users};'
        return {
            "listener.security.protocol.map": (
                "PLAINTEXT:SASL_SSL,PROXIED:SASL_SSL,CONTROLLER:PLAINTEXT"
            ),
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.plaintext.plain.sasl.jaas.config": login,
            "listener.name.plaintext.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": str(self.key_store),
            "ssl.keystore.password": _STORE_PASSWORD,
            "ssl.key.password": _STORE_PASSWORD,
            # The broker itself is a client of that listener.
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificate),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            # Nobody but the broker reaches the controller's listener, which knows no names here.
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        }

    def make_users(self, bootstrap: str) -> None:
        """Gives the running broker what it needs to know of SCRAM passwords; nothing to do for PLAIN."""
        if self.mechanism == "PLAIN":
            return
        client = _ADMIN.AdminClient({**self.client(ADMIN), "bootstrap.servers": bootstrap})
        how = _ADMIN.ScramCredentialInfo(_ADMIN.ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        wanted = [
            _ADMIN.UserScramCredentialUpsertion(user, how, password.encode())
            for user, password in self.passwords.items()
            if user != ADMIN
        ]
        for answer in client.alter_user_scram_credentials(wanted).values():
            answer.result()

    def client(self, user: str) -> dict[str, str]:
        """librdkafka's options for one user, as they are given to `Client.connect`."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN" if user == ADMIN else self.mechanism,
            "sasl.username": user,
            "sasl.password": self.passwords[user],
            "ssl.ca.location": str(self.certificate),
            "ssl.endpoint.identification.algorithm": "https",
        }


def _keytool(*arguments: str) -> None:
    java = Path(kafka_distribution().java)
    tool = shutil.which("keytool", path=str(java.resolve().parent)) or shutil.which("keytool")
    if tool is None:
        raise KafkaUnavailable(
            f"Expected Java's keytool beside {java}, found none. Install default-jre-headless."
        )
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KafkaUnavailable(
            f"Expected keytool to make a certificate, found:\n{done.stdout}{done.stderr}"
        )
