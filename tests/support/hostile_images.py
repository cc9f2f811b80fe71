#!/usr/bin/env python3
"""Images that nobody well-meaning makes, put into a registry as HOST:PORT/hostile:NAME.

    hostile_images.py --victim FOLDER HOST:PORT [NAME...]

FOLDER is a folder of this machine that layers try to reach; it holds a file "secret". Without names, all but the bomb; prints the names.
Manifests go in with ?lenient, which asks faulty_registry.py not to look at them.
"""
import argparse
import gzip
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
import zlib

OCI = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG, LAYER = OCI + "manifest.v1+json", OCI + "index.v1+json", OCI + "config.v1+json", OCI + "layer.v1.tar"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def entry(name, data=b"", **more):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), 1577836800, 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def folder(name):
    return entry(name, type=tarfile.DIRTYPE, mode=0o755)


def symlink(name, target):
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hardlink(name, target):
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def header(**fields):
    """One ustar header with fields as they are given, its checksum right."""
    info, _ = entry("file")
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    places = {"name": (0, 100), "size": (124, 12), "type": (156, 1), "link": (157, 100)}
    for name, value in fields.items():
        at, length = places[name]
        block[at:at + length] = value.ljust(length, b"\0")[:length]
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(records):
    body = b""
    for key, value in records:
        line = b" " + key + b"=" + value + b"\n"
        length = len(line) + len(str(len(line)))
        length = len(line) + len(str(length))
        body += str(length).encode() + line
    return header(name=b"pax", type=b"x", size=b"%011o\0" % len(body)) + body + b"\0" * (-len(body) % 512)


def zipped(data):
    return gzip.compress(data, 6, mtime=0)


class Registry:
    def __init__(self, address):
        self.base = f"http://{address}/v2/hostile"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, method, url, data, content_type):
        request = urllib.request.Request(url, data, {"Content-Type": content_type}, method=method)
        with self.opener.open(request) as answer:
            answer.read()

    def blob(self, data, media_type):
        self.send("POST", f"{self.base}/blobs/uploads/?digest={digest_of(data)}", data, "application/octet-stream")
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def document(self, data, reference=None, media_type=MANIFEST):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        self.send("PUT", f"{self.base}/manifests/{reference or digest_of(data)}?lenient", data, media_type)
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def index(self, entries, reference=None):
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, reference, INDEX)

    def manifest(self, layers, diff_ids):
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
                  "history": [{"created_by": "hostile"} for _ in diff_ids]}
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(json.dumps(config).encode(), CONFIG), "layers": layers}

    def image(self, *tars, tag=None, compressed=None):
        """A right image of the given uncompressed layers."""
        layers = [self.blob(data, LAYER + "+gzip") for data in (compressed or [zipped(data) for data in tars])]
        return self.document(self.manifest(layers, [digest_of(data) for data in tars]), tag)


def layers_of_harm(victim):
    """Layers as tars; each is above a good one in an image of its own."""
    file, end = entry("file", b"data\n"), b"\0" * 1024
    reach = "../" * 12 + victim.lstrip("/")
    yield "dotdot", tar(file, entry("../../../escaped", b"x"))
    yield "dotdot-deep", tar(file, entry(reach + "/escaped", b"x"))
    yield "dotdot-inside", tar(folder("a"), entry("a/../../../escaped", b"x"))
    yield "absolute", tar(file, entry(victim + "/escaped", b"x"))
    yield "symlink", tar(symlink("link", victim), entry("link/escaped", b"x"))
    yield "symlink-dotdot", tar(symlink("link", reach), entry("link/escaped", b"x"))
    yield "symlink-chain", tar(symlink("a", "b"), symlink("b", victim), entry("a/escaped", b"x"), entry("a/secret", b"overwritten"))
    yield "symlink-file", tar(symlink("link", victim + "/secret"), entry("link", b"overwritten"))
    yield "hardlink-dotdot", tar(file, hardlink("link", reach + "/secret"), entry("link", b"overwritten"))
    yield "hardlink-absolute", tar(file, hardlink("link", victim + "/secret"))
    yield "hardlink-symlink", tar(symlink("a", victim + "/secret"), hardlink("b", "a"), entry("b", b"overwritten"))
    yield "hardlink-through", tar(symlink("a", victim), hardlink("b", "a/secret"))
    yield "hardlink-missing", tar(hardlink("b", "nowhere"))
    yield "whiteout-dotdot", tar(file, entry(reach + "/.wh.secret"))
    yield "whiteout-symlink", tar(symlink("link", victim), entry("link/.wh.secret"))
    yield "whiteout-opaque-symlink", tar(symlink("link", victim), entry("link/.wh..wh..opq"))
    yield "whiteout-bare", tar(file, entry(".wh."))
    yield "whiteout-dot", tar(file, entry(".wh.."))
    yield "whiteout-dots", tar(file, entry("a/.wh..."))
    yield "pax-path", pax([(b"path", b"../../../escaped")]) + header(size=b"00000000001\0") + b"x".ljust(512, b"\0") + end
    yield "pax-link", pax([(b"linkpath", (reach + "/secret").encode())]) + header(type=b"1") + end
    yield "pax-size", pax([(b"size", b"9" * 30)]) + header(size=b"00000000001\0") + b"x".ljust(512, b"\0") + end
    yield "pax-negative", pax([(b"size", b"-1")]) + header() + end
    yield "pax-nul", pax([(b"path", b"a\0b")]) + header() + end
    yield "pax-endless", header(name=b"pax", type=b"x", size=b"77777777777\0") + end
    yield "size-negative", header(size=b"\xff" * 12) + end
    yield "size-huge", header(size=b"\x80" + b"\x7f" * 11) + end
    yield "size-octal", header(size=b"not octal\0") + end
    yield "checksum", header()[:148] + b"0000001\0" + header()[156:] + end
    yield "cut", tar(entry("file", b"y" * 5000))[:2048]
    yield "no-tar", b"this is no archive at all\n" * 200
    yield "empty-name", header(name=b"") + end


def images(registry, victim):
    base = tar(folder("etc"), entry("etc/motd", b"hello\n"))
    packed, id_ = zipped(base), digest_of(base)
    good = lambda: registry.blob(packed, LAYER + "+gzip")
    fine = lambda **more: {**registry.manifest([good()], [id_]), **more}
    on = lambda os, architecture, **more: {"platform": {"os": os, "architecture": architecture, **more}}
    put = registry.document

    for name, data in layers_of_harm(victim):
        yield name, lambda name=name, data=data: registry.image(base, data, tag=name)

    # Odd, but right: these must work.
    half = len(base) // 2
    members = zipped(base[:half]) + zipped(b"") + zipped(base[half:])
    yield "ok-gzip-members", lambda: registry.image(base, tag="ok-gzip-members", compressed=[members])
    yield "ok-padding", lambda: registry.image(base + b"\0" * 51200, tag="ok-padding")
    yield "ok-behind-end", lambda: registry.image(base + b"behind the end" * 100, tag="ok-behind-end")
    yield "ok-no-end", lambda: registry.image(tar(entry("file", b"z" * 512))[:1024], tag="ok-no-end")
    yield "ok-plain", lambda: put(registry.manifest([registry.blob(base, LAYER)], [id_]), "ok-plain")
    yield "ok-plain-called-gzip", lambda: put(registry.manifest([registry.blob(base, LAYER + "+gzip")], [id_]), "ok-plain-called-gzip")
    yield "ok-trailing", lambda: registry.image(base, tag="ok-trailing", compressed=[packed + b"\0" * 700])
    yield "ok-twice", lambda: registry.image(tar(entry("file", b"first"), entry("file", b"second")), tag="ok-twice")
    yield "ok-same-layer-twice", lambda: put(registry.manifest([good(), good()], [id_] * 2), "ok-same-layer-twice")
    yield "ok-no-layers", lambda: put(registry.manifest([], []), "ok-no-layers")
    yield "ok-unknown-fields", lambda: put(fine(newInSomeYear={"deep": [1, 2.5, None]}), "ok-unknown-fields")
    yield "ok-index", lambda: registry.index([{**put(fine()), **on("unknown", "unknown")}, {**put(fine()), **on("linux", "amd64")},
                                              {**registry.image(tar(entry("arm"))), **on("linux", "s390x")}], "ok-index")
    yield "ok-nested-index", lambda: registry.index([registry.index([{**put(fine()), **on("linux", "amd64")}])], "ok-nested-index")

    # Documents that do not fit.
    yield "diffid", lambda: put(registry.manifest([good()], [digest_of(b"something else")]), "diffid")
    yield "diffid-few", lambda: put(registry.manifest([good(), good()], [id_]), "diffid-few")
    yield "diffid-many", lambda: put(registry.manifest([good()], [id_] * 2), "diffid-many")
    yield "diffid-odd", lambda: put(registry.manifest([good()], ["sha256:../../../etc/passwd"]), "diffid-odd")
    missing = {"mediaType": LAYER + "+gzip", "digest": digest_of(b"nothing"), "size": 7}
    yield "layer-missing", lambda: put(registry.manifest([good(), missing], [id_, digest_of(b"")]), "layer-missing")
    for name, size in (("size-small", len(packed) - 1), ("size-large", len(packed) + 1), ("size-minus", -5), ("size-float", 1.5), ("size-2-70", 1 << 70)):
        yield name, lambda name=name, size=size: put(fine(layers=[{**good(), "size": size}]), name)
    for name, digest in (("digest-path", "sha256:../../../../../../escaped"), ("digest-md5", "md5:" + "0" * 32), ("digest-short", "sha256:abc"),
                         ("digest-upper", "sha256:" + "A" * 64)):
        yield name, lambda name=name, digest=digest: put(fine(layers=[{**good(), "digest": digest}]), name)
    yield "gzip-cut", lambda: registry.image(base, tag="gzip-cut", compressed=[packed[:-20]])
    yield "gzip-crc", lambda: registry.image(base, tag="gzip-crc", compressed=[packed[:-8] + b"\0\0\0\0" + packed[-4:]])
    yield "layer-type", lambda: put(fine(layers=[registry.blob(packed, "application/vnd.example.thing")]), "layer-type")
    yield "config-type", lambda: put(fine(config=registry.blob(b"{}", "application/vnd.example.config")), "config-type")
    yield "config-html", lambda: put(fine(config=registry.blob(b"<html></html>", CONFIG)), "config-html")
    yield "config-deep", lambda: put(fine(config=registry.blob(b"[" * 200000, CONFIG)), "config-deep")
    yield "manifest-deep", lambda: put(b'{"schemaVersion":2,"x":' + b"[" * 200000 + b"]" * 200000 + b"}", "manifest-deep")
    yield "manifest-both", lambda: put(fine(manifests=[]), "manifest-both")
    yield "manifest-shape", lambda: put({"schemaVersion": 2, "mediaType": MANIFEST, "config": 5, "layers": "none"}, "manifest-shape")
    yield "manifest-array", lambda: put([1, 2, 3], "manifest-array")
    yield "manifest-twice", lambda: put(json.dumps(fine()).replace('"layers"', '"layers": [], "layers"', 1).encode(), "manifest-twice")
    yield "schema1", lambda: put({"schemaVersion": 1, "name": "hostile", "tag": "schema1", "architecture": "amd64", "fsLayers": [{"blobSum": digest_of(packed)}],
                                  "history": [{"v1Compatibility": "{}"}]}, "schema1", "application/vnd.docker.distribution.manifest.v1+prettyjws")
    yield "platform", lambda: registry.index([{**put(fine()), **on("linux", "riscv64")}, {**put(fine()), **on("linux", "arm", variant="v7")}], "platform")
    yield "index-empty", lambda: registry.index([], "index-empty")
    yield "index-missing", lambda: registry.index([{"mediaType": MANIFEST, "digest": digest_of(b"gone"), "size": 4, **on("linux", "amd64")}], "index-missing")

    def deep_index():
        inner = {**put(fine()), **on("linux", "amd64")}
        for _ in range(40):
            inner = registry.index([inner])
        registry.index([inner], "index-deep")
    yield "index-deep", deep_index

    def bomb():
        # 2 GiB of one letter in one file (zeros could be a hole): 2 MB to fetch.
        size, piece = 2 << 30, b"y" * (1 << 20)
        head = header(name=b"letters", size=b"%011o\0" % size)
        hash_, packer = hashlib.sha256(head), zlib.compressobj(9, zlib.DEFLATED, 31)
        out = [packer.compress(head)]
        for _ in range(size >> 20):
            hash_.update(piece)
            out.append(packer.compress(piece))
        hash_.update(b"\0" * 1024)
        out.append(packer.compress(b"\0" * 1024) + packer.flush())
        blob = registry.blob(b"".join(out), LAYER + "+gzip")
        put(registry.manifest([good(), blob], [id_, "sha256:" + hash_.hexdigest()]), "bomb")
    yield "bomb", bomb


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--victim", required=True)
    parser.add_argument("registry")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    known = dict(images(Registry(options.registry), options.victim))
    for name in options.names or [name for name in known if name != "bomb"]:
        if name not in known:
            sys.exit(f"no such image: {name}")
        known[name]()
        print(name)


if __name__ == "__main__":
    main()
