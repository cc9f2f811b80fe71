#!/usr/bin/env python3
"""Makes an OCI layout of images that nobody has to build:  sample_images.py FOLDER

  multi      an index of linux/amd64 and linux/arm64 (which share a layer of 6 MB) and an attestation of the first
  single     the amd64 image alone
  artifact   a manifest of types of its own, with an empty config and a blob
  a signature of `multi` and one of its amd64 image: documents with a subject, without a name
"""
import gzip, hashlib, io, json, os, random, sys, tarfile

folder = sys.argv[1]
os.makedirs(f"{folder}/blobs/sha256")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def put(data, media_type, **more):
    name = hashlib.sha256(data).hexdigest()
    with open(f"{folder}/blobs/sha256/{name}", "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + name, "size": len(data), **more}


def put_json(value, media_type, **more):
    # Spaces and line ends that no writer of ours would choose: who writes it again changes the digest.
    return put(json.dumps(value, indent=3).encode() + b"\n", media_type, **more)


def layer(name, size):
    source = random.Random(name)
    content = b"".join(source.randbytes(min(1_000_000, size - done)) for done in range(0, size, 1_000_000))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = size
        tar.addfile(entry, io.BytesIO(content))
    diff_id = "sha256:" + hashlib.sha256(plain.getvalue()).hexdigest()
    return put(gzip.compress(plain.getvalue(), 1, mtime=0), LAYER), diff_id


def image(architecture, layers):
    config = {"architecture": architecture, "os": "linux", "config": {"Cmd": ["sh"]}, "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]}}
    return put_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": put_json(config, CONFIG), "layers": [d for d, _ in layers]}, MANIFEST)


def signature(subject, text):
    empty = put(b"{}", "application/vnd.oci.empty.v1+json")
    return put_json({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.signature", "config": empty,
                     "layers": [put(text, "application/vnd.example.signature")], "subject": subject}, MANIFEST, artifactType="application/vnd.example.signature")


def named(descriptor, name):
    return {**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}}


shared = layer("shared", 6_000_000)
amd64 = image("amd64", [shared, layer("amd64", 20_000)])
arm64 = image("arm64", [shared, layer("arm64", 30_000)])
attestation = put_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": put(b'{"rootfs":{}}', CONFIG), "layers": [put(b'{"a":1}', "application/vnd.in-toto+json")]}, MANIFEST)
multi = put_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
    {**amd64, "platform": {"architecture": "amd64", "os": "linux"}},
    {**arm64, "platform": {"architecture": "arm64", "os": "linux"}},
    {**attestation, "platform": {"architecture": "unknown", "os": "unknown"}}]}, INDEX)
artifact = put_json({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.thing", "config": put(b"{}", "application/vnd.oci.empty.v1+json"),
                     "layers": [put(b"anything at all", "application/vnd.example.thing")], "unknown": [1, 2]}, MANIFEST)
with open(f"{folder}/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [named(multi, "multi"), named(amd64, "single"), named(artifact, "artifact"), signature(multi, b"signed"), signature(amd64, b"signed too")]}, file)
with open(f"{folder}/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion": "1.0.0"}')
