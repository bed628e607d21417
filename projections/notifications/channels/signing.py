"""Signatures of webhooks, as the Standard Webhooks specification 1.0.0 has them.

`webhook-signature` holds one `v1,BASE64` for each key, separated by spaces: the HMAC-SHA256 of
`{id}.{timestamp}.{body}`. A receiver accepts the message if any of them is its key's, so a key is
replaced without a gap: send with both, switch the receiver, drop the old one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 512  # The specification's 512 maximum is read as bytes, the wider reading.


def signing_key(secret: str) -> bytes:
    """The key of a secret: `whsec_` and base64, or any text, whose bytes are the key.

    Raises
    ------
    ValueError
        The secret is no key; the message says what to do and doesn't repeat the secret.
    """
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            msg = f"a secret begins with {PREFIX} but is not base64 behind it"
            raise ValueError(msg) from None
    else:
        key = secret.encode()
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        msg = (
            f"a secret has {len(key)} bytes; give {MIN_KEY_BYTES} to {MAX_KEY_BYTES} random ones, "
            f"such as {PREFIX} followed by the output of `openssl rand -base64 32`"
        )
        raise ValueError(msg)
    return key


def signed_headers(
    keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a message sent at `timestamp` (epoch seconds)."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(d).decode()}" for d in digests),
    }
