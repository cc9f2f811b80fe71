#!/usr/bin/env python3
"""A forward proxy on loopback: absolute URLs and CONNECT. Every host name leads to --target (HOST:PORT), so that tests can ask for hosts
that do not exist; without it, to where it says.

    forward_proxy.py --log FILE [--target HOST:PORT] [--user USER:PASSWORD] [--refuse STATUS]

Prints "listening HOST:PORT". Each request is a line "METHOD TARGET STATUS" in FILE. --user: others get 407. --refuse: everybody gets it.
"""
import argparse
import base64
import select
import socket
import socketserver
import threading
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--log", required=True)
parser.add_argument("--target")
parser.add_argument("--user")
parser.add_argument("--refuse", type=int)
options = parser.parse_args()
lock = threading.Lock()
open(options.log, "w", encoding="utf-8").close()


def log(method, target, status):
    with lock, open(options.log, "a", encoding="utf-8") as file:
        file.write(f"{method} {target} {status}\n")


def connect(host, port):
    if options.target:
        host, _, port = options.target.rpartition(":")
    return socket.create_connection((host, int(port)), 10)


def pump(a, b):
    """Bytes both ways until both have ended."""
    open_ends = {a: b, b: a}
    while open_ends:
        for ready in select.select(list(open_ends), [], [])[0]:
            try:
                data = ready.recv(65536)
                if data:
                    open_ends_to = b if ready is a else a
                    open_ends_to.sendall(data)
                    continue
            except OSError:
                return
            try:
                open_ends.pop(ready).shutdown(socket.SHUT_WR)
            except OSError:
                return


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(65537).decode("latin-1")
        if not line.strip():
            return
        method, target, _ = line.split(" ", 2)
        headers = []
        while (header := self.rfile.readline(65537)) not in (b"\r\n", b"\n", b""):
            headers.append(header.decode("latin-1"))
        value = {name.strip().lower(): text.strip() for name, _, text in (header.partition(":") for header in headers)}
        wanted = options.user and "Basic " + base64.b64encode(options.user.encode()).decode()
        status = options.refuse or (407 if wanted and value.get("proxy-authorization") != wanted else 200)
        if status != 200:
            log(method, target, status)
            more = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if status == 407 else ""
            self.wfile.write(f"HTTP/1.1 {status} No\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return
        url = urllib.parse.urlsplit(target if "://" in target else "//" + target)
        try:
            upstream = connect(url.hostname, url.port or 80)
        except OSError:
            log(method, target, 502)
            self.wfile.write(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        log(method, target, 200)
        with upstream:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                # One request a connection: what follows would need its own line in the log.
                path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
                kept = [h for h in headers if not h.lower().startswith(("proxy-", "connection:"))]
                upstream.sendall((f"{method} {path} HTTP/1.1\r\n" + "".join(kept) + "Connection: close\r\n\r\n").encode("latin-1"))
            # What rfile has read ahead would be lost for the pump.
            self.connection.setblocking(False)
            try:
                ahead = self.rfile.read1(65536) if hasattr(self.rfile, "read1") else b""
            except OSError:
                ahead = b""
            self.connection.setblocking(True)
            if ahead:
                upstream.sendall(ahead)
            pump(self.connection, upstream)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


server = Server(("127.0.0.1", 0), Handler)
print("listening 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
