#!/usr/bin/env python3
"""A registry that behaves as badly as it is told to. Loopback only; everything is kept in memory.

    faulty_registry.py --log FILE [--layout FOLDER=REPOSITORY]... [--faults FILE] [--config FILE]
                       [--tls-cert FILE --tls-key FILE [--client-ca FILE]]

Prints "listening MAIN OTHER": two addresses of one server. MAIN is the registry; OTHER is another origin that redirects and upload
locations may lead to, and where the token service is (http://OTHER/token). Each request is a line of JSON in FILE:

    {"server": "main", "method": "GET", "path": "/v2/app/blobs/sha256:..", "query": "", "status": 200, "sent": 512, "received": 0,
     "authorization": "Bearer", "range": null, "fault": "reset", ...}       sent, received: bytes of bodies

Told by HTTP at MAIN:
    POST /_control/faults   a fault, or a list of them (faults.py says what they are), behind those that are there
    DELETE /_control/faults forgets all
    POST /_control/config   members of Config to be changed
    GET /_control/log       waits until no request is under way and returns the log; DELETE empties it
    POST /_control/revoke   makes every token invalid
    POST /_control/forget   forgets all upload sessions
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import re
import secrets
import select
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faults

DOCUMENT_TYPES = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
}


class Config:
    auth = "none"             # none, basic, bearer
    user, password = "ada", "secret"
    anonymous = ["pull"]      # what a token without an account allows
    grant = ["pull", "push", "delete"]   # what one with an account allows, of what it asks for
    expires = 300             # a token's life in seconds
    promise = 300             # and what it says about that; null: nothing
    tokens_answer = None      # not a token but this: {"status": 503, "body": "..", "content_type": ".."}
    insufficient_scope = True # a token that lacks something is answered with a challenge, not with 403
    ping = 200                # of /v2/ when it needs no credentials
    mount = True              # cross-repository mounts are done; false: an upload session is opened instead
    referrers = True          # answers OCI-Subject and /referrers/
    page = 100                # tags in one page
    chunk_min = 0             # OCI-Chunk-Min-Length
    signed = False            # the query of an upload's Location must come back byte for byte


config = Config()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Repository:
    def __init__(self):
        self.blobs, self.documents, self.tags = {}, {}, {}    # digest: bytes; digest: (type, bytes); tag: digest


class Store:
    def __init__(self):
        self.lock = threading.RLock()
        self.repositories, self.uploads, self.tokens = {}, {}, {}

    def repository(self, name, make=False):
        with self.lock:
            return self.repositories.setdefault(name, Repository()) if make else self.repositories.get(name)

    def load_layout(self, folder, name):
        repository = self.repository(name, make=True)
        blob = lambda digest: open(os.path.join(folder, "blobs", *digest.split(":")), "rb").read()

        def take(descriptor):
            document = blob(descriptor["digest"])
            repository.documents[descriptor["digest"]] = (descriptor["mediaType"], document)
            value = json.loads(document)
            for child in value.get("manifests", []):
                take(child)
            for part in value.get("layers", []) + ([value["config"]] if "config" in value else []):
                repository.blobs[part["digest"]] = blob(part["digest"])

        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            for top in json.load(file)["manifests"]:
                take(top)
                tag = top.get("annotations", {}).get("org.opencontainers.image.ref.name", "latest").rpartition(":")[2]
                repository.tags[tag] = top["digest"]


store = Store()


class Log:
    """Lines of requests, and how many are under way."""

    def __init__(self, path):
        self.path, self.condition, self.busy, self.part = path, threading.Condition(), 0, 0
        open(path, "w", encoding="utf-8").close()

    def begin(self):
        with self.condition:
            self.busy += 1
            return self.part

    def end(self, entry, part):
        with self.condition:
            # A request that began before the log was emptied is none of the new log's.
            if part == self.part:
                with open(self.path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
            self.busy -= 1
            self.condition.notify_all()

    def read(self, patience=3):
        with self.condition:
            self.condition.wait_for(lambda: self.busy == 0, timeout=patience)
            with open(self.path, "rb") as file:
                return file.read()

    def clear(self):
        with self.condition:
            self.part += 1
            open(self.path, "w", encoding="utf-8").close()


class Answer:
    def __init__(self, status, headers=None, body=b"", content_type=None):
        self.status, self.headers, self.body = status, dict(headers or {}), body
        if content_type:
            self.headers["Content-Type"] = content_type


def refusal(status, code, message, headers=None):
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status, headers, body, "application/json")


def drain(connection):
    """Ends our side and reads until the client ends its own, for a while."""
    try:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        while connection.recv(65536):
            pass
    except OSError:
        pass


class Gone(Exception):
    """The connection has been dropped, on purpose or by the client."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    timeout = 600

    def log_message(self, *_):
        pass

    # ---- one request -------------------------------------------------------------------------------------------------------------

    def handle_one_request(self):
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            url = urllib.parse.urlsplit(self.path)
            self.url_path, self.url_query = url.path, url.query
            if url.path.startswith("/_control/"):
                self.control()
            else:
                self.serve()
        except (OSError, ValueError):
            self.close_connection = True

    def control(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what, answer = self.url_path[len("/_control/"):], b"{}"
        if what == "faults":
            if self.command == "DELETE":
                faults.clear()
            else:
                try:
                    faults.add(json.loads(body))
                except ValueError as error:
                    return self.send_answer(Answer(400, {}, str(error).encode()), {}, {})
        elif what == "config":
            for name, value in json.loads(body).items():
                if not hasattr(Config, name):
                    return self.send_answer(Answer(400, {}, f"no {name} in Config".encode()), {}, {})
                setattr(config, name, value)
        elif what == "log":
            if self.command == "DELETE":
                self.server.log.read()
                self.server.log.clear()
            else:
                answer = self.server.log.read()
        elif what == "revoke":
            store.tokens.clear()
        elif what == "forget":
            store.uploads.clear()
        else:
            return self.send_answer(Answer(404), {}, {})
        self.send_answer(Answer(200, {}, answer), {}, {})

    def serve(self):
        part = self.server.log.begin()
        authorization = self.headers.get("Authorization")
        entry = {"server": self.server.name, "method": self.command, "path": self.url_path, "query": self.url_query, "status": 0, "sent": 0,
                 "received": 0, "had_authorization": authorization is not None,
                 "authorization": authorization.split(" ")[0] if authorization else None, "range": self.headers.get("Range"),
                 "content_range": self.headers.get("Content-Range"), "accept": self.headers.get("Accept"),
                 "host": self.headers.get("Host"), "agent": self.headers.get("User-Agent"), "expect": self.headers.get("Expect"),
                 "chunked": self.chunked(), "connection": self.client_address[1], "time": round(time.time(), 3)}
        fault = faults.matching(self.server.name, self.command, self.path)
        entry["fault"] = fault.get("name")
        self.entry, self.fault, self.body_left = entry, fault, None
        try:
            if fault.get("delay"):
                time.sleep(fault["delay"])
            if fault.get("drop") and fault.get("at", 0) < 0:
                self.drop(fault["drop"])
            if fault.get("revoke_tokens"):
                store.tokens.clear()
            if fault.get("forget_sessions"):
                store.uploads.clear()
            answer = self.answer_of_fault(fault) or self.answer()
            self.send_answer(faults.bend(answer, fault, self), fault, entry)
        except Gone:
            self.close_connection = True
        except OSError:
            entry["fault"] = entry["fault"] or "client went away"
            self.close_connection = True
        finally:
            self.server.log.end(entry, part)

    def answer_of_fault(self, fault):
        """What the fault says instead of the registry."""
        if "redirect" in fault:
            self.read_all()
            to = {"other": self.server.origin_of["other"], "main": self.server.origin_of["main"]}.get(fault["redirect"])
            target = (to + "/elsewhere" + self.path) if to else fault["redirect"]
            return Answer(fault.get("status", 307), {"Location": target})
        if "status" not in fault:
            return None
        # The answer comes while the body is still being sent.
        if "early_at" in fault:
            self.read_part(fault["early_at"])
            self.close_connection = True
        else:
            self.read_all()
        answer = refusal(fault["status"], fault.get("code", "FAULT"), fault.get("message", "told to fail"))
        if fault["status"] == 401 and not fault.get("no_challenge"):
            answer.headers["WWW-Authenticate"] = self.challenge(fault.get("error", ""))
        return answer

    # ---- bodies of requests ------------------------------------------------------------------------------------------------------

    def chunked(self):
        return "chunked" in (self.headers.get("Transfer-Encoding") or "").lower()

    def pieces(self):
        """The request's body as it comes, bent as the fault says."""
        fault, seen = self.fault, 0
        for piece in self.raw_pieces():
            seen += len(piece)
            self.entry["received"] = seen
            yield piece
            if fault.get("upload_throttle"):
                time.sleep(len(piece) / fault["upload_throttle"])
            if "upload_drop" in fault and seen >= fault.get("upload_at", 0):
                self.drop(fault["upload_drop"])
        if "upload_drop" in fault:
            self.drop(fault["upload_drop"])

    def raw_pieces(self):
        step = 16384
        if not self.chunked():
            left = int(self.headers.get("Content-Length") or 0)
            while left:
                piece = self.rfile.read1(min(left, step))
                if not piece:
                    raise Gone
                left -= len(piece)
                yield piece
            return
        while True:
            line = self.rfile.readline(100)
            if not line:
                raise Gone
            left = int(line.split(b";")[0], 16)
            while left:
                piece = self.rfile.read1(min(left, step))
                if not piece:
                    raise Gone
                left -= len(piece)
                yield piece
            self.rfile.readline(100)
            if line.split(b";")[0].strip() == b"0":
                return

    def read_all(self):
        self.expectation()
        return b"".join(self.pieces())

    def read_part(self, limit):
        seen = 0
        if limit:
            self.expectation()
            for piece in self.pieces():
                seen += len(piece)
                if seen >= limit:
                    return

    def expectation(self):
        if (self.headers.get("Expect") or "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def handle_expect_100(self):
        return True

    # ---- answers -----------------------------------------------------------------------------------------------------------------

    def drop(self, how):
        """Closes the connection: "reset" sends RST, "close" ends it in order."""
        self.entry["fault"] = self.entry["fault"] or how
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            try:
                self.connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        os.close(self.connection.detach())
        raise Gone

    def drop_behind(self, sent, how):
        # A reset throws away what the client has not read yet: it gets the time for that.
        if sent and how == "reset":
            time.sleep(0.1)
        self.drop(how)

    def send_answer(self, answer, fault, entry):
        entry["status"] = answer.status
        endless = fault.get("endless")
        headers = {"Date": self.date_time_string(), "Docker-Distribution-Api-Version": "registry/2.0", **answer.headers}
        unframed = fault.get("until_close")
        chunked = bool(endless or fault.get("chunked"))
        if unframed:
            self.close_connection = True
        elif chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif answer.status != 204:
            headers.setdefault("Content-Length", str(len(answer.body)))
        if self.close_connection:
            headers["Connection"] = "close"
        # Headers of a fault with the value null go.
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('Odd',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.wfile.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n")
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.send_body(answer.body, fault, entry, chunked, endless)
        if "early_at" in fault:
            self.linger()

    def send_body(self, body, fault, entry, chunked, endless):
        drop_at = fault.get("at", 0) if fault.get("drop") else None
        throttle, stall_at = fault.get("throttle"), fault.get("stall_at")
        step = max(1, min(65536, int(throttle / 20) if throttle else 65536))
        sent, view = 0, memoryview(body)
        if stall_at == 0:
            self.stall(fault.get("stall", 60))
        while sent < len(body) or (endless and sent < (endless if endless is not True else 1 << 40)):
            piece = view[sent:sent + step] if sent < len(body) else b" " * step
            for limit in (drop_at, stall_at):
                if limit is not None and sent < limit:
                    piece = piece[:limit - sent]
            if drop_at is not None and sent >= drop_at:
                self.drop_behind(sent, fault["drop"])
            if chunked:
                self.wfile.write(b"%x\r\n" % len(piece) + bytes(piece) + b"\r\n")
            else:
                self.wfile.write(piece)
            sent += len(piece)
            entry["sent"] = sent
            if throttle:
                time.sleep(len(piece) / throttle)
            if stall_at is not None and sent == stall_at:
                self.stall(fault.get("stall", 60))
        if drop_at is not None and sent >= drop_at:
            self.drop_behind(sent, fault["drop"])
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def stall(self, seconds):
        """Silence, unless the client goes away meanwhile."""
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        if poll.poll(seconds * 1000):
            raise Gone

    def linger(self):
        """Lets the client read the answer before the unread rest of its body makes the kernel reset the connection."""
        drain(self.connection)

    # ---- the protocol ------------------------------------------------------------------------------------------------------------

    def origin(self):
        return self.server.origin_of[self.server.name]

    def answer(self):
        path = self.url_path
        if self.server.name == "other" and path == "/token":
            return self.token()
        # Signed storage: whoever has the URL may read, and credentials are none of its business.
        if path.startswith("/elsewhere/"):
            path = path[len("/elsewhere"):]
        else:
            refused = self.unauthorized(path)
            if refused:
                self.read_all()
                return refused
        if path in ("/v2", "/v2/"):
            return Answer(config.ping, {}, b"{}", "application/json")
        for pattern, serve in ((r"/v2/(.+)/manifests/([^/]+)", self.document), (r"/v2/(.+)/blobs/uploads/([^/]*)", self.upload),
                               (r"/v2/(.+)/blobs/([^/]+)", self.blob), (r"/v2/(.+)/tags/list", self.tags),
                               (r"/v2/(.+)/referrers/([^/]+)", self.referrers)):
            match = re.fullmatch(pattern, path)
            if match:
                return serve(*match.groups())
        self.read_all()
        return refusal(404, "UNSUPPORTED", "no such page")

    def scope(self, path):
        match = re.match(r"/v2/(.+)/(manifests|blobs|tags|referrers)/", path)
        if not match:
            return None
        actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(self.command, "push")
        # Asking an upload session is part of the push.
        return match.group(1), "push" if "/blobs/uploads/" in path else actions

    def challenge(self, error="", path=None):
        if config.auth == "basic":
            return 'Basic realm="faulty"'
        words = [f'realm="{self.server.scheme}://{self.server.addresses["other"]}/token"', 'service="faulty"']
        wanted = self.scope(path or self.url_path)
        if wanted:
            words.append(f'scope="repository:{wanted[0]}:{"pull,push" if wanted[1] == "push" else wanted[1]}"')
        if error:
            words.append(f'error="{error}"')
        return "Bearer " + ",".join(words)

    def unauthorized(self, path):
        header = self.headers.get("Authorization", "")
        wanted = self.scope(path)
        deny = lambda error="": refusal(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": self.challenge(error, path)})
        if config.auth == "none":
            return None
        if config.auth == "basic":
            good = "Basic " + base64.b64encode(f"{config.user}:{config.password}".encode()).decode()
            return None if header == good else deny()
        token = store.tokens.get(header[7:]) if header.startswith("Bearer ") else None
        if not token:
            return deny("invalid_token" if header else "")
        if token["until"] < time.time():
            return deny("invalid_token")
        if wanted and wanted[1] not in token["scopes"].get(wanted[0], ()):
            if config.insufficient_scope:
                return deny("insufficient_scope")
            return refusal(403, "DENIED", "requested access to the resource is denied")
        return None

    def token(self):
        body = urllib.parse.parse_qs(self.read_all().decode()) if self.command == "POST" else {}
        if config.tokens_answer:
            given = config.tokens_answer
            return Answer(given.get("status", 200), {}, given.get("body", "").encode(), given.get("content_type", "application/json"))
        query = {**urllib.parse.parse_qs(self.url_query), **body}
        header = self.headers.get("Authorization", "")
        user = None
        if header.startswith("Basic "):
            user, _, password = base64.b64decode(header[6:]).decode("utf-8", "replace").partition(":")
            if (user, password) != (config.user, config.password):
                return refusal(401, "UNAUTHORIZED", "incorrect username or password")
        elif query.get("grant_type") == ["refresh_token"]:
            if query.get("refresh_token") != ["refresh-" + config.user]:
                return refusal(401, "UNAUTHORIZED", "unknown refresh token")
            user = config.user
        scopes = {}
        for scope in " ".join(query.get("scope", [])).split():
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if kind == "repository":
                allowed = config.grant if user else config.anonymous
                scopes.setdefault(name, set()).update(a for a in actions.split(",") if a in allowed)
        token = secrets.token_urlsafe(24)
        store.tokens[token] = {"scopes": scopes, "until": time.time() + config.expires}
        self.entry["scopes"] = {name: sorted(actions) for name, actions in scopes.items()}
        answer = {"token": token, "access_token": token}
        if config.promise is not None:
            answer["expires_in"] = config.promise
        return Answer(200, {}, json.dumps(answer).encode(), "application/json")

    def document(self, name, reference):
        if self.command == "PUT":
            return self.put_document(name, reference)
        self.read_all()
        repository = store.repository(name)
        if not repository:
            return refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
        digest = reference if reference.startswith("sha") else repository.tags.get(reference)
        if digest not in repository.documents:
            return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if self.command == "DELETE":
            with store.lock:
                del repository.documents[digest]
                repository.tags = {tag: to for tag, to in repository.tags.items() if to != digest}
            return Answer(202)
        media_type, body = repository.documents[digest]
        return Answer(200, {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}, body, media_type)

    def put_document(self, name, reference):
        body = self.read_all()
        digest, media_type = digest_of(body), (self.headers.get("Content-Type") or "").split(";")[0]
        if reference.startswith("sha256:") and reference != digest:
            return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = {}
            if "lenient" not in self.url_query:
                return refusal(400, "MANIFEST_INVALID", "manifest invalid")
        repository = store.repository(name, make=True)
        if "lenient" not in self.url_query:
            for part in value.get("layers", []) + ([value["config"]] if "config" in value else []):
                if part["digest"] not in repository.blobs:
                    return refusal(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry: " + part["digest"])
            for part in value.get("manifests", []):
                if part["digest"] not in repository.documents:
                    return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown: " + part["digest"])
        with store.lock:
            repository.documents[digest] = (media_type, body)
            if not reference.startswith("sha256:"):
                repository.tags[reference] = digest
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        if isinstance(value, dict) and "subject" in value and config.referrers:
            headers["OCI-Subject"] = value["subject"]["digest"]
        return Answer(201, headers)

    def blob(self, name, digest):
        self.read_all()
        repository = store.repository(name)
        data = repository.blobs.get(digest) if repository else None
        if data is None:
            return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
        headers = {"Docker-Content-Digest": digest, "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not wanted or self.fault.get("ignore_range") or self.command == "HEAD":
            if self.fault.get("ignore_range"):
                del headers["Accept-Ranges"]
            return Answer(200, headers, data, "application/octet-stream")
        first = int(wanted.group(1))
        last = min(int(wanted.group(2) or len(data)), len(data) - 1)
        if first >= len(data) or self.fault.get("refuse_range"):
            return Answer(416, {"Content-Range": f"bytes */{len(data)}"})
        shift = self.fault.get("shift_range", 0)     # bytes from somewhere else than asked for, and says so
        first, last = max(0, first - shift), max(0, last - shift)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return Answer(206, headers, data[first:last + 1], "application/octet-stream")

    def upload(self, name, session):
        query = urllib.parse.parse_qs(self.url_query)
        if not session:
            body = self.read_all()
            return self.begin_upload(name, query, body) if self.command == "POST" else refusal(405, "UNSUPPORTED", "not here")
        upload = store.uploads.get(session)
        forged = config.signed and upload and not self.url_query.startswith(self.session_query(upload))
        if upload is None or upload["name"] != name or query.get("state") != [upload["state"]] or forged:
            self.read_all()
            return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if self.command == "DELETE":
            store.uploads.pop(session, None)
            return Answer(204)
        if self.command == "GET":
            return Answer(204, self.upload_headers(name, session))
        if self.chunked() and self.fault.get("refuse_chunked"):
            self.read_all()
            return refusal(411, "SIZE_INVALID", "a length is required")
        start = re.match(r"(\d+)-", self.headers.get("Content-Range") or "")
        if start and int(start.group(1)) != len(upload["data"]):
            self.read_all()
            return Answer(416, self.upload_headers(name, session))
        before = len(upload["data"])
        self.expectation()
        try:
            for piece in self.pieces():
                upload["data"] += piece
        except (Gone, OSError):
            if self.fault.get("forget_partial"):
                del upload["data"][before:]
            raise
        if self.command == "PATCH":
            return Answer(202, self.upload_headers(name, session))
        return self.end_upload(name, session, upload, query.get("digest", [""])[0])

    def begin_upload(self, name, query, body):
        repository = store.repository(name, make=True)
        digest = query.get("mount", [""])[0]
        if digest:
            source = store.repository(query.get("from", [""])[0])
            if config.mount and source and digest in source.blobs:
                repository.blobs[digest] = source.blobs[digest]
                return Answer(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})
        session = secrets.token_hex(8)
        upload = {"name": name, "data": bytearray(body), "state": "a+b/c==" + secrets.token_hex(4)}
        store.uploads[session] = upload
        if "digest" in query and body:
            return self.end_upload(name, session, upload, query["digest"][0])
        return Answer(202, {**self.upload_headers(name, session), **({"OCI-Chunk-Min-Length": config.chunk_min} if config.chunk_min else {})})

    def session_query(self, upload):
        """Of the kind that changes when somebody parses it and writes it anew: order, escapes, their case."""
        return "z=%2F%2B&state=" + urllib.parse.quote(upload["state"], safe="") + "&a=%7e"

    def upload_headers(self, name, session):
        upload = store.uploads[session]
        path = f"/v2/{name}/blobs/uploads/{session}"
        form = self.fault.get("location", "path")
        # What answers elsewhere goes on elsewhere.
        place = ("/elsewhere" if self.url_path.startswith("/elsewhere/") else "") + path
        # Seen from the request's own URL, both ways.
        relative = session if self.url_path.endswith("/" + session) or self.url_path.endswith("/") else "uploads/" + session
        location = {"path": place, "relative": relative, "absolute": self.origin() + place,
                    "other": self.server.origin_of["other"] + "/elsewhere" + path}[form]
        end = max(0, len(upload["data"]) - 1)
        return {"Location": location + "?" + self.session_query(upload), "Range": f"0-{end}", "Docker-Upload-UUID": session}

    def end_upload(self, name, session, upload, digest):
        data = bytes(upload["data"])
        store.uploads.pop(session, None)
        if digest_of(data) != digest:
            return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        store.repository(name, make=True).blobs[digest] = data
        return Answer(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    def tags(self, name):
        self.read_all()
        repository = store.repository(name)
        if not repository:
            return refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
        query = urllib.parse.parse_qs(self.url_query)
        last, page = query.get("last", [""])[0], min(int(query.get("n", [config.page])[0]), config.page)
        names = sorted(tag for tag in repository.tags if tag > last)
        headers = {}
        if len(names) > page:
            names = names[:page]
            headers["Link"] = f'</v2/{name}/tags/list?last={names[-1]}&n={page}>; rel="next"'
        return Answer(200, headers, json.dumps({"name": name, "tags": names}).encode(), "application/json")

    def referrers(self, name, digest):
        self.read_all()
        repository = store.repository(name)
        if not config.referrers or not repository:
            return refusal(404, "NOT_FOUND", "no such page")
        found = []
        for own, (media_type, body) in repository.documents.items():
            value = json.loads(body)
            if value.get("subject", {}).get("digest") == digest:
                found.append({"mediaType": media_type, "digest": own, "size": len(body),
                              "artifactType": value.get("artifactType") or value.get("config", {}).get("mediaType")})
        index = {"schemaVersion": 2, "mediaType": DOCUMENT_TYPES["index"], "manifests": found}
        return Answer(200, {}, json.dumps(index).encode(), DOCUMENT_TYPES["index"])


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls = None

    def finish_request(self, request, client_address):
        if self.tls:
            request.settimeout(20)
            request = self.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            try:
                request.do_handshake()
            except OSError:
                # The alert says why; closing over unread bytes would make the kernel throw it away.
                drain(request)
                request.close()
                return
        try:
            super().finish_request(request, client_address)
        finally:
            request.close()

    def handle_error(self, *_):
        pass    # a client that does not like our certificate, or goes away


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--layout", action="append", default=[])
    parser.add_argument("--faults")
    parser.add_argument("--config")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--client-ca")
    options = parser.parse_args()
    log = Log(options.log)
    for given in options.layout:
        folder, _, name = given.rpartition("=")
        store.load_layout(folder, name)
    if options.faults:
        with open(options.faults, encoding="utf-8") as file:
            faults.add(json.load(file))
    if options.config:
        with open(options.config, encoding="utf-8") as file:
            for name, value in json.load(file).items():
                setattr(config, name, value)
    context, scheme = None, "http"
    if options.tls_cert:
        context, scheme = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "https"
        context.load_cert_chain(options.tls_cert, options.tls_key)
        if options.client_ca:
            context.load_verify_locations(options.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    servers = {name: Server(("127.0.0.1", 0), Handler) for name in ("main", "other")}
    addresses = {name: "127.0.0.1:%d" % server.server_address[1] for name, server in servers.items()}
    for name, server in servers.items():
        server.name, server.log, server.tls, server.scheme, server.addresses = name, log, context, scheme, addresses
        server.origin_of = {other: f"{scheme}://{address}" for other, address in addresses.items()}
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", addresses["main"], addresses["other"], flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
