#!/bin/bash
# At a terminal login asks; the password is not shown, and the terminal shows what is typed again afterwards, whatever happens.
source "$(dirname "$0")/../support/cli.sh"
source "$(dirname "$0")/../support/registry.sh"
needs_program python3
start_registry htpasswd
# type.py MODE COMMAND...: runs it at a terminal, answers its questions ("password" of the environment), or interrupts it at the second.
cat > type.py <<'PY'
import os, pty, signal, sys, termios, time
mode, command = sys.argv[1], sys.argv[2:]
answers = [(b"Username", os.environb[b"user"] + b"\n"), (b"Password: ", os.environb[b"password"] + b"\n")]
if mode == "usual": answers[0] = (b"Username (ada): ", b"\n")
if mode == "name": answers.pop(0)
leader, follower = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    os.close(leader)
    for fd in (0, 1, 2): os.dup2(follower, fd)
    os.execvp(command[0], command)
def echo(): return bool(termios.tcgetattr(follower)[3] & termios.ECHO)
seen = b""
def wait_for(text):
    global seen
    end = time.time() + 20
    while text not in seen:
        if time.time() > end: sys.exit(f"no {text!r} in {seen!r}")
        seen += os.read(leader, 4096)
for number, (question, answer) in enumerate(answers):
    wait_for(question)
    if question == b"Password: ":
        print("echo at the password:", echo())
        if mode == "interrupt":
            os.kill(pid, signal.SIGINT)
            break
    os.write(leader, answer)
_, status = os.waitpid(pid, 0)
print("echo at the end:", echo())
os.set_blocking(leader, False)
try:
    while True: seen += os.read(leader, 4096)
except OSError:
    pass
sys.stdout.flush()
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
PY
export user=$REGISTRY_USER password=$REGISTRY_PASSWORD
expect_ok python3 type.py plain "$MICA" login "$REGISTRY"
stdout_has "echo at the password: False"
stdout_has "echo at the end: True"
stdout_has "Login Succeeded"
stdout_lacks "$REGISTRY_PASSWORD"
expect_ok "$MICA" logout "$REGISTRY"
expect_ok python3 type.py name "$MICA" login -u ada "$REGISTRY"
stdout_has "Login Succeeded"

# Stored credentials that no longer count: asked again, with the name as the usual answer.
sed -i -E "s/\"auth\": \"[^\"]*\"/\"auth\": \"$(printf 'ada:old' | base64)\"/" "$HOME/.docker/config.json"
expect_ok python3 type.py usual "$MICA" login "$REGISTRY"
stdout_has "Stored credentials invalid or expired"
stdout_has "Username (ada): "
stdout_has "Login Succeeded"
expect_ok "$MICA" logout "$REGISTRY"

expect_fail 130 python3 type.py interrupt "$MICA" login "$REGISTRY"
stdout_has "echo at the password: False"
stdout_has "echo at the end: True"
stdout_has "mica: interrupted"
password=wrong expect_fail 1 python3 type.py plain "$MICA" login "$REGISTRY"
stdout_has "unauthorized"
stdout_has "echo at the end: True"
equal "nothing stored" '{}' "$(jq -c .auths "$HOME/.docker/config.json")"
