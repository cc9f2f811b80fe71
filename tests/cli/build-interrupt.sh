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

# In the middle of a large COPY, at several moments: at once, and nothing is left. (env: background jobs ignore SIGINT.)
mkdir many
for folder in {1..40}; do
  mkdir many/$folder
  for file in {1..100}; do head -c 20000 /dev/zero > many/$folder/$file; done
done
printf 'FROM scratch\nCOPY . /many\n' > many/Dockerfile
for delay in 0.03 0.08 0.2 0.4; do
  env --default-signal=INT "$MICA" build --no-cache --progress=plain -t many many > .stdout 2> .stderr &
  pid=$!
  sleep $delay
  begin=${EPOCHREALTIME/./}
  kill -INT "$pid" 2> /dev/null || true
  status=0
  wait "$pid" || status=$?
  [[ $status == 130 || $status == 0 ]] || { show; fail "status $status after SIGINT in a COPY"; }
  [[ $((${EPOCHREALTIME/./} - begin)) -lt 4000000 ]] || fail "a COPY took long to stop"
  equal "mounts" 0 "$(grep -cF " $MICA_ROOT/" /proc/self/mountinfo || true)"
  store_is_clean
done

# ^C on a terminal.
if command -v script > /dev/null; then
  marker=$((RANDOM + 100000))
  printf 'FROM base\nRUN --network=none sleep %s\n' $marker > Dockerfile
  { for _ in $(seq 100); do ! pgrep -f "^sleep $marker" > /dev/null || break; sleep 0.1; done; printf '\003'; sleep 1; } |
    TERM=xterm timeout 60 script -qec "'$MICA' build -t app ." /dev/null > drawn && fail "the build should have been interrupted"
  grep -q interrupted drawn || fail "no word of the interrupt: $(cat -v drawn)"
  equal "steps that go on" "" "$(pgrep -f "^sleep $marker" || true)"
  store_is_clean
fi
