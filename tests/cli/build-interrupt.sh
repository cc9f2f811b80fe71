#!/bin/bash
# A build that is told to stop stops its steps, tells which, and ends with 128 + the signal.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
printf 'FROM base\nRUN echo started; sleep 60\n' > Dockerfile
"$MICA" build --progress=plain -t app . > .stdout 2> .stderr &
pid=$!
for _ in $(seq 100); do grep -q "started$" .stderr && break; sleep 0.1; done
begun=$SECONDS
# Not INT: the shell starts background commands with that ignored.
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
equal "status" 143 "$status"
[[ $((SECONDS - begun)) -lt 15 ]] || fail "it took $((SECONDS - begun)) s to stop"
grep -q '^#3 CANCELED$' .stderr || { show; fail "the step is not marked"; }
expect_fail 1 "$MICA" inspect app
store_is_clean
