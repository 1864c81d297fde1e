"""Encrypts each payload whole, its metadata included, and binds it to the name of its key."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streamflow.api.common.v1 import Payload
from streamflow.converter import PayloadCodec

ENCODING = b"binary/encrypted"
KEY_NAME = "encryption-key-id"
NONCE_BYTES = 12
"""What AES-GCM wants: random, and never the same twice under one key."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with one key and decrypts with any that it is given. Payloads that are not encrypted pass."""

    def __init__(self, keys: Mapping[str, bytes], key_name: str) -> None:
        """
        Args:
            keys: 32 bytes by name.
            key_name: The one that encrypts.
        """
        if key_name not in keys:
            raise ValueError(
                f"Expected one of the keys {sorted(keys)} to encrypt with, found {key_name!r}"
            )
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._key_name = key_name

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        name = self._key_name.encode()
        nonce = os.urandom(NONCE_BYTES)
        data = nonce + self._ciphers[self._key_name].encrypt(
            nonce, payload.SerializeToString(), name
        )
        return Payload(metadata={"encoding": ENCODING, KEY_NAME: name}, data=data)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_NAME, b"")
        cipher = self._ciphers.get(name.decode())
        if cipher is None:
            raise ValueError(
                f"Expected a payload encrypted with one of the keys {sorted(self._ciphers)}, found {name!r}"
            )
        nonce, data = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, data, name))
        except InvalidTag as error:
            raise ValueError(
                "Expected a payload as it was encrypted, found a changed one"
            ) from error
