"""Judges a Countersign bundle with securesystemslib (DSSE) and in-toto-attestation, knowing none of our code.

python judge_bundle.py <bundle> <public key>
"""

import base64
import copy
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def verify(document, key):
    """The payload of an envelope that the key signed. from_dict writes into what it is given, hence the copy."""
    envelope = Envelope.from_dict(copy.deepcopy(document))
    envelope.verify([key], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    return envelope.payload


def changed(document):
    """The envelope with its payload, type and signature changed, one at a time."""
    payload = json.loads(base64.b64decode(document["payload"]))
    payload["predicate"]["kind"] = "reject"
    yield {**document, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
    yield {**document, "payloadType": "application/json"}
    signature = document["signatures"][0]
    bits = bytearray(base64.b64decode(signature["sig"]))
    bits[7] ^= 1
    yield {**document, "signatures": [{**signature, "sig": base64.b64encode(bits).decode()}]}


def check_subjects(bundle, path, subjects):
    """Every subject that the bundle carries has the digest that was signed."""
    approver = path.with_name(path.name.replace(".dsse.json", ".approver.json"))
    known = {"evidence.json": bundle / "evidence.json", "policy.json": bundle / "policy.json", "approver.json": approver}
    checked = 0
    for subject in subjects:
        file = known.get(subject["name"], bundle / "artifacts" / subject["name"])
        if file.exists():
            assert hashlib.sha256(file.read_bytes()).hexdigest() == subject["digest"]["sha256"], subject["name"]
            checked += 1
    carried = sum(1 for file in (bundle / "artifacts").rglob("*") if file.is_file())
    assert checked == carried + len(known), (checked, carried)


def main():
    bundle, public_key = map(Path, sys.argv[1:])
    key = SSlibKey.from_crypto(load_pem_public_key(public_key.read_bytes()))
    held = refused = 0
    for path in sorted((bundle / "decisions").glob("*.dsse.json")):
        document = json.loads(path.read_text())
        statement = json.loads(verify(document, key))
        Statement.copy_from_pb(ParseDict(statement, statement_pb2.Statement())).validate()
        check_subjects(bundle, path, statement["subject"])
        held += 1
        for other in changed(document):
            try:
                verify(other, key)
            except VerificationError:
                refused += 1
    print(f"{held} envelopes hold, {refused} changed ones are refused")


main()
