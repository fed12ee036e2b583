#!/usr/bin/env python3
"""Test vectors for the derivation and the checksums, from an independent implementation (standard library only).

    scripts/derivation_vectors.py                  checks the committed vectors against this script
    scripts/derivation_vectors.py --print          prints the vectors of version 2
    scripts/derivation_vectors.py --print-secrets  prints the vectors of derived secrets

crates/secrets/src/crypto/derive.rs, crates/secrets/src/crypto/checksum.rs and crates/secrets/src/crypto/derivation_key.rs
specify the schemes. The committed lines never change: if a line no longer matches, Secrets of users would be re-sealed,
their pods restarted, or their derived secrets replaced.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import string
import sys

VECTORS = pathlib.Path(__file__).parent.parent / "testdata" / "sealing"
PREFIX = "sealwave-seal-key-v1:"
KEY = PREFIX + "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
OTHER_KEY = PREFIX + "R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk="


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt, secret, hashlib.sha512).digest()


def expand(pseudo_random_key: bytes, info: bytes, length: int) -> bytes:
    assert length <= 255 * 64
    output, block, number = b"", b"", 1
    while len(output) < length:
        block = hmac.new(pseudo_random_key, block + info + bytes([number]), hashlib.sha512).digest()
        output, number = output + block, number + 1
    return output[:length]


def length_prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def derive(case: dict, version: int) -> dict:
    secret = base64.b64decode(case["sealKey"].removeprefix(PREFIX))
    keys = extract(b"sealwave/seal/v1", secret)
    text = {name: case[name].encode() for name in ["scope", "namespace", "name", "itemKey", "project", "epoch"]}
    unresolved, plaintext = (bytes.fromhex(case[name]) for name in ["unresolvedHex", "plaintextHex"])
    binding = [text["project"]] + ([case["app"].encode()] if version == 2 else [])
    message = length_prefixed(
        f"sealwave.dev/seal/v{version}".encode(),
        bytes.fromhex(case["spkiSha256Hex"]),
        text["scope"],
        text["namespace"],
        text["name"],
        text["itemKey"],
        *binding,
        hashlib.sha256(unresolved).digest(),
        text["epoch"],
        plaintext,
    )
    output = hmac.new(expand(keys, b"derive", 64), message, hashlib.sha512).digest()
    identity = hmac.new(expand(keys, b"id", 64), b"seal-key-id", hashlib.sha512).digest()[:8]
    found = {"sealKeyId": identity.hex(), "sessionKeyHex": output[:32].hex(), "oaepSeedHex": output[32:].hex()}
    if version == 2:
        checksum_key = expand(extract(b"sealwave/checksum/v1", secret), b"checksum", 32)
        item = [text["namespace"], text["name"], text["itemKey"]]
        message = length_prefixed(b"secret item/v2", *binding, *item, unresolved, plaintext)
        found["checksumHex"] = hmac.new(checksum_key, message, hashlib.sha256).digest()[:16].hex()
    return found


def cases() -> list[dict]:
    base = {
        "sealKey": KEY,
        "spkiSha256Hex": "59326f5533cac23ec0b3e14feae57de6e04bc6ff1ef2731d9198d42e928200bb",
        "scope": "strict",
        "namespace": "shop",
        "name": "db",
        "itemKey": "password",
        "project": "shop",
        "app": "shop-prod",
        "unresolvedHex": b"not-a-real-password".hex(),
        "epoch": "",
        "plaintextHex": b"not-a-real-password".hex(),
    }
    changes = {
        "base": {},
        "other-key": {"sealKey": OTHER_KEY},
        "other-public-key": {"spkiSha256Hex": "00" * 32},
        "namespace-wide": {"scope": "namespace-wide"},
        "cluster-wide": {"scope": "cluster-wide", "namespace": ""},
        "other-namespace": {"namespace": "shop-2"},
        "other-name": {"name": "cache"},
        "other-item": {"itemKey": "user"},
        "other-project": {"project": "payments"},
        "other-app": {"app": "shop-dev"},
        "app-in-any-namespace": {"app": "team-a_shop-prod"},
        # The same characters as in `base`, split at another position.
        "shifted-project-and-app": {"project": "shopshop", "app": "-prod"},
        "no-app": {"project": "shopshop-prod", "app": ""},
        "text-around-a-placeholder": {
            "unresolvedHex": b"db://<file:db.yaml#user>:hunter2@db".hex(),
            "plaintextHex": b"db://shop:hunter2@db".hex(),
        },
        "epoch": {"epoch": "2026-12"},
        "empty": {"unresolvedHex": "", "plaintextHex": ""},
        "binary": {"unresolvedHex": bytes(range(256)).hex(), "plaintextHex": bytes(range(256)).hex()},
        "unicode": {"project": "l\u00e4den", "app": "\U0001f600"},
    }
    return [{"id": name, **base, **change} for name, change in changes.items()]


SECRET_PREFIX = "sealwave-derivation-key-v1:"
ALPHABETS = {
    "alnum": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "ascii": "".join(chr(code) for code in range(0x21, 0x7F)),
    "base64url": string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_",
    "hex": "0123456789abcdef",
}


def derive_secret(case: dict) -> str:
    key = base64.b64decode(case["derivationKey"].removeprefix(SECRET_PREFIX))
    names = ["project", "namespace", "app", "environment", "path", "alphabet", "length", "epoch"]
    info = length_prefixed(b"sealwave.dev/derive/v1", *(str(case[name]).encode() for name in names))
    alphabet = ALPHABETS[case["alphabet"]]
    stream = expand(extract(b"sealwave/derive/v1", key), info, 255 * 64)
    accepted = [byte for byte in stream if byte < 256 // len(alphabet) * len(alphabet)]
    assert len(accepted) >= case["length"]
    return "".join(alphabet[byte % len(alphabet)] for byte in accepted[: case["length"]])


def secret_cases() -> list[dict]:
    base = {
        "derivationKey": SECRET_PREFIX + KEY.removeprefix(PREFIX),
        "project": "shop",
        "namespace": "shop",
        "app": "shop-prod",
        "environment": "prod",
        "path": "db/password",
        "alphabet": "alnum",
        "length": 32,
        "epoch": 0,
    }
    changes = {
        "base": {},
        "other-key": {"derivationKey": SECRET_PREFIX + OTHER_KEY.removeprefix(PREFIX)},
        "other-project": {"project": "payments"},
        "other-namespace": {"namespace": "shop-2"},
        "other-app": {"app": "shop-dev"},
        "app-in-any-namespace": {"app": "team-a_shop-prod"},
        "other-environment": {"environment": "dev"},
        "other-path": {"path": "db/user"},
        "upper-case-path": {"path": "DB/password"},
        "empty-segment": {"path": "db//password"},
        # The same characters as in `base`, split at another position.
        "shifted-project-and-namespace": {"project": "shopshop", "namespace": ""},
        "shifted-environment-and-path": {"environment": "proddb", "path": "/password"},
        "unicode": {"project": "l\u00e4den", "app": "\U0001f600"},
        "epoch": {"epoch": 1},
        "large-epoch": {"epoch": 4294967295},
        "shortest": {"length": 8},
        "other-length": {"length": 33},
        "longest": {"length": 1024},
        "hex": {"alphabet": "hex"},
        "base64url": {"alphabet": "base64url"},
        "ascii": {"alphabet": "ascii"},
        "longest-ascii": {"alphabet": "ascii", "length": 1024},
    }
    return [{"id": name, **base, **change} for name, change in changes.items()]


def main() -> int:
    secrets = [json.dumps({**case, "value": derive_secret(case)}) for case in secret_cases()]
    if "--print-secrets" in sys.argv[1:]:
        print("\n".join(secrets))
        return 0
    lines = [json.dumps({**case, **derive(case, 2)}) for case in cases()]
    if "--print" in sys.argv[1:]:
        print("\n".join(lines))
        return 0
    committed = (VECTORS / "derivation-v2.jsonl").read_text().splitlines()
    old = [json.loads(line) for line in (VECTORS / "derivation.jsonl").read_text().splitlines()]
    wrong = [case["id"] for case in old if not derive(case, 1).items() <= case.items()]
    wrong += [json.loads(line)["id"] for line in set(lines) ^ set(committed)]
    derived = (VECTORS / "derived-secrets.jsonl").read_text().splitlines()
    wrong += [json.loads(line)["id"] for line in set(secrets) ^ set(derived)]
    counts = f"{len(old)} vectors of version 1, {len(committed)} of version 2, {len(derived)} of derived secrets"
    print(f"{counts}: {len(wrong)} differ", *wrong)
    return 1 if wrong or not old or not committed or not derived else 0


if __name__ == "__main__":
    sys.exit(main())
