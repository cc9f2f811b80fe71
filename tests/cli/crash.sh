# Killed or interrupted in the middle of a step: the store stays whole, nothing is left behind, and the next build works.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
busybox_image busybox:1
base=$PWD/base
cp -a "$MICA_ROOT" "$base"
mkdir context
echo one > context/one
cat > context/Dockerfile << 'END'
FROM busybox:1
COPY one /one
WORKDIR /w
RUN --network=none --mount=type=cache,target=/c echo x > two; echo >> /c/log
END
fresh() { rm -rf "$MICA_ROOT" && cp -a "$base" "$MICA_ROOT"; }

# Killed in the middle of a RUN step: the next command cleans up; nothing of the step goes on.
fresh
mkdir sleeper
marker=$((RANDOM + 100000))
cat > sleeper/Dockerfile << END
FROM busybox:1
RUN --network=none --mount=type=cache,target=/c echo x > /c/started; sleep $marker
END
sleepers() { pgrep -f "^sleep $marker" || true; }
wait_for_start() { for ((i = 0; i < 200; i++)); do [[ ! $(sleepers) ]] || return 0; sleep 0.05; done; fail "the step did not start: $(cat .err)"; }
wait_for_end() { for ((i = 0; i < 100; i++)); do [[ $(sleepers) ]] || return 0; sleep 0.05; done; fail "the step goes on: $(ps -o pid,ppid,args -p "$(sleepers | paste -sd,)")"; }
mounts_below() { grep -cF " $MICA_ROOT/" /proc/self/mountinfo || true; }

setsid "$MICA" build --progress=plain -t never:1 sleeper > .out 2> .err &
pid=$!
wait_for_start
kill -9 $pid
wait $pid 2> /dev/null || status=$?
equal "the status of a killed build" 137 "$status"
expect_ok build -t after:1 context
wait_for_end
equal "mounts after a killed build" 0 "$(mounts_below)"
store_is_clean
expect_fail "$MICA" inspect never:1

# Interrupted and terminated: at once, with the status a shell expects, and with nothing left.
for signal in INT TERM; do
  # A shell's background jobs ignore SIGINT; env gives the default back.
  env --default-signal=INT "$MICA" build --progress=plain -t never:1 sleeper > .out 2> .err &
  pid=$!
  wait_for_start
  begin=${EPOCHREALTIME/./}
  kill -$signal $pid
  status=0
  wait $pid || status=$?
  [[ $((${EPOCHREALTIME/./} - begin)) -lt 5000000 ]] || fail "SIG$signal took long"
  equal "the status after SIG$signal" $((128 + $(kill -l $signal))) "$status"
  equal "steps after SIG$signal" "" "$(sleepers)"
  equal "mounts after SIG$signal" 0 "$(mounts_below)"
  store_is_clean
done

env --default-signal=INT "$MICA" run --rm --network=none busybox:1 sleep $marker > .out 2> .err &
pid=$!
wait_for_start
kill -9 $pid
wait $pid 2> /dev/null || true
expect_ok "$MICA" run --rm --network=none busybox:1 true
# A container has a monitor of its own and outlives the command that started it, as with Docker.
[[ $(sleepers) ]] || fail "the container ended with the command that started it"
expect_ok "$MICA" ps -q
expect_ok "$MICA" rm -f "$(cat .stdout)"
wait_for_end
equal "mounts after a killed run" 0 "$(mounts_below)"
store_is_clean
