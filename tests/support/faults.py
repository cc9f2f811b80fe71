"""The faults of faulty_registry.py. A fault is an object: which requests it is for, how often, and what happens to them.

For which, the first that matches is used up (all may be left out):
    method, path    regular expressions: method whole, path (with its query) anywhere
    server          "main" or "other"
    skip            so many that match are let through first
    count           so many are spoilt, 1 when left out, -1 for ever
    name            in the log

What happens, of the answer:
    status, code, message, headers, body, content_type     instead of the registry's own, or (without status) over them; null removes
    retry_after, retry_after_date                           Retry-After, in seconds: as a number, or as a date
    redirect        "other", "main" (the same path below /elsewhere there), or a URL
    early_at        the answer (status) comes after so many bytes of the request's body
    delay           seconds before anything happens
    drop, at        "reset" or "close" after so many bytes of the body; -1: instead of any answer
    throttle        bytes a second;   stall_at, stall: nothing for so many seconds after so many bytes
    truncate, extend, corrupt     bytes cut off the end, bytes added, the offset of a byte that is flipped; Content-Length agrees
    append          a text put behind the body
    endless         so many bytes (true: no end), chunked;   chunked, until_close: a body without a length
    ignore_range, refuse_range, shift_range
of the request:
    upload_drop, upload_at        "reset" or "close" after so many bytes of the request's body
    upload_throttle               bytes a second
of uploads:
    location        "path", "relative", "absolute", "other": the form of Location
    refuse_chunked  411;   forget_partial: what a broken request had brought is lost;   forget_sessions: all sessions are
of tokens:
    revoke_tokens   no token is good any more;   no_challenge: 401 without;   error: "insufficient_scope" in the challenge
"""
import re
import threading
import time
import email.utils

_lock, _faults = threading.Lock(), []
_KNOWN = set("""method path server skip count name status code message headers body content_type retry_after retry_after_date redirect early_at
    delay drop at throttle stall_at stall truncate extend corrupt append endless chunked until_close ignore_range refuse_range shift_range
    upload_drop upload_at upload_throttle location refuse_chunked forget_partial forget_sessions revoke_tokens no_challenge error""".split())


def add(given):
    given = given if isinstance(given, list) else [given]
    for fault in given:
        unknown = set(fault) - _KNOWN
        if unknown:
            raise ValueError(f"no such words in faults: {sorted(unknown)}")
        if not 200 <= fault.get("status", 200) <= 599:
            raise ValueError(f"no such status: {fault['status']}")
    with _lock:
        _faults.extend({"count": 1, "skip": 0, "name": "fault", **fault} for fault in given)


def clear():
    with _lock:
        _faults.clear()


def matching(server, method, path):
    """The fault that this request gets, or an empty one."""
    with _lock:
        for fault in _faults:
            if fault["count"] == 0 or fault.get("server", server) != server:
                continue
            if not re.fullmatch(fault.get("method", ".*"), method) or not re.search(fault.get("path", ""), path):
                continue
            if fault["skip"] > 0:
                fault["skip"] -= 1
                continue
            fault["count"] -= 1
            return dict(fault)
    return {}


def bend(answer, fault, handler):
    """Does to the answer what changes its text."""
    if "body" in fault:
        answer.body = fault["body"].encode()
        answer.headers.pop("Docker-Content-Digest", None)   # whoever says this is no registry
    if "append" in fault:
        answer.body += fault["append"].encode()
    if fault.get("truncate"):
        answer.body = answer.body[:-fault["truncate"]]
    if fault.get("extend"):
        answer.body = answer.body + b"x" * fault["extend"]
    if "corrupt" in fault and answer.body:
        at = fault["corrupt"] % len(answer.body)
        answer.body = answer.body[:at] + bytes([answer.body[at] ^ 0x40]) + answer.body[at + 1:]
    if "content_type" in fault:
        answer.headers["Content-Type"] = fault["content_type"]
    if "retry_after" in fault:
        answer.headers["Retry-After"] = str(fault["retry_after"])
    if "retry_after_date" in fault:
        answer.headers["Retry-After"] = email.utils.formatdate(time.time() + fault["retry_after_date"], usegmt=True)
    for name, value in fault.get("headers", {}).items():
        for own in [own for own in answer.headers if own.lower() == name.lower()]:
            del answer.headers[own]
        answer.headers[name] = value
    return answer
