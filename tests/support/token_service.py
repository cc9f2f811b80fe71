#!/usr/bin/env python3
"""A token service for docker-registry's `auth.token` (distribution's docs: spec/auth/token.md, oauth.md): RS256 by the openssl program.

First line of output: "listening URL"; then a line a request:
  METHOD user=NAME|- scope=SCOPE[ SCOPE...]|- STATUS [grant=...] [offline]
The one user may do everything; anybody may pull below public/. Signed with --key, whose --certificate the registry trusts.
"""
import argparse
import base64
import http.server
import json
import secrets
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--key", required=True)
parser.add_argument("--certificate", required=True)
parser.add_argument("--user", required=True)
parser.add_argument("--password", required=True)
parser.add_argument("--issuer", default="test-issuer")
parser.add_argument("--service", default="test-registry")
parser.add_argument("--expires", type=int, default=300, help="life of a token in seconds")
parser.add_argument("--promise", type=int, help="expires_in as it is said, when that is not --expires; 0: not said")
parser.add_argument("--field", default="token", choices=["token", "access_token"], help="of the answer to GET")
parser.add_argument("--no-post", action="store_true", help="404 for POST")
parser.add_argument("--refuse-scopes", default="", help="comma-separated actions that are never granted")
parser.add_argument("--tls-cert")
parser.add_argument("--tls-key")
options = parser.parse_args()

refresh_tokens = {}   # token: user
log_lock = threading.Lock()


def say(text):
    with log_lock:
        print(text, flush=True)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate_chain():
    text = open(options.certificate).read()
    return ["".join(part.split("-----END")[0].split()) for part in text.split("-----BEGIN CERTIFICATE-----")[1:]]


CHAIN = certificate_chain()


def granted(scope, user):
    """The access that a scope gets: {"type", "name", "actions"}."""
    kind, rest = scope.split(":", 1)
    name, actions = rest.rsplit(":", 1)
    wanted = actions.split(",")
    refused = options.refuse_scopes.split(",")
    if user is None:
        wanted = [action for action in wanted if action == "pull" and name.startswith("public/")]
    return {"type": kind, "name": name, "actions": [action for action in wanted if action not in refused]}


def make_token(user, scopes):
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": CHAIN}
    claims = {
        "iss": options.issuer, "sub": user or "", "aud": options.service, "iat": now, "nbf": now - 10,
        "exp": now + options.expires, "jti": secrets.token_hex(8), "access": [granted(scope, user) for scope in scopes],
    }
    signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", options.key], input=signed.encode(), stdout=subprocess.PIPE, check=True).stdout
    return signed + "." + b64(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, user, scopes, more=""):
        data = json.dumps(body).encode()
        say(f"{self.command} user={user or '-'} scope={' '.join(scopes) or '-'} {status}{more}")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="tokens"')
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, user, scopes, more="", status=401):
        self.answer(status, {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]}, user, scopes, more)

    def give(self, user, scopes, offline, more=""):
        # POST is OAuth2, which knows only one name.
        body = {"access_token" if self.command == "POST" else options.field: make_token(user, scopes)}
        promise = options.expires if options.promise is None else options.promise
        if promise:
            body["expires_in"] = promise
        if offline and user:
            refresh = secrets.token_hex(16)
            refresh_tokens[refresh] = user
            body["refresh_token"] = refresh
        self.answer(200, body, user, scopes, more + (" offline" if offline else ""))

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = [scope for given in query.get("scope", []) for scope in given.split()]
        user, header = None, self.headers.get("Authorization", "")
        if header.startswith("Basic "):
            user, _, password = base64.b64decode(header[6:]).decode("utf-8", "replace").partition(":")
            if (user, password) != (options.user, options.password):
                return self.refuse(user, scopes)
        self.give(user, scopes, query.get("offline_token", [""])[0] == "true")

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):   # skopeo sends it so
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_POST(self):
        form = urllib.parse.parse_qs(self.body().decode())
        first = lambda name: form.get(name, [""])[0]
        scopes = first("scope").split()
        grant = first("grant_type")
        more = f" grant={grant or '-'}"
        if options.no_post:
            return self.refuse(None, scopes, more, 404)
        if grant == "password" and (first("username"), first("password")) == (options.user, options.password):
            return self.give(options.user, scopes, first("access_type") == "offline", more)
        if grant == "refresh_token" and first("refresh_token") in refresh_tokens:
            return self.give(refresh_tokens[first("refresh_token")], scopes, False, more)
        self.refuse(first("username") or None, scopes, more)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
scheme = "http"
if options.tls_cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https"
say(f"listening {scheme}://127.0.0.1:{server.server_address[1]}/token")
try:
    server.serve_forever()
except KeyboardInterrupt:
    sys.exit(0)
