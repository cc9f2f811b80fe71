# Pulls that are killed, interrupted, slow, side by side or out of space: what is there is kept and gone on with, each blob is fetched once,
# and the store stays whole.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
seed app:1 64 6000 700
image=$FAULTY/app:1
mapfile -t layers < <(layers_of app:1)
big=${layers[1]}
size=$(manifest_of app:1 | jq '.layers[1].size')
# Begins a pull that stands still after 4 MB of the big layer: sets pull to its process.
begin_pull() {
  local tries
  fresh
  fault "{\"path\": \"$big\", \"stall_at\": 4000000, \"stall\": 60}"
  # Background jobs of a script ignore SIGINT.
  env --default-signal=INT "$MICA" pull "$image" > .out 2> .err &
  pull=$!
  for ((tries = 0; tries < 200; tries++)); do
    [[ $(stat -c %s "$MICA_ROOT/partial/${big:7}" 2> /dev/null || echo 0) -lt 3900000 ]] || return 0
    sleep 0.05
  done
  fail "the download does not begin"
}
killed() {
  kill -9 "$pull"
  wait "$pull" 2> /dev/null || true
}

# Killed in the middle of a layer: the next pull fetches the rest.
begin_pull
killed
expect_ok "$MICA" images -aq
stdout_is ""
expect_ok "$MICA" fsck
no_faults
forget_requests
have=$(stat -c %s "$MICA_ROOT/partial/${big:7}")
expect_ok "$MICA" pull "$image"
there "$image"
equal "bytes fetched after the kill" $((size - have)) "$(bytes_sent "$big")"
equal "how they were asked for" "bytes=$have-" "$(request_log "select(.path | endswith(\"$big\")) | .range")"
equal "partial downloads left" "" "$(ls "$MICA_ROOT/partial")"
# What is there of it may be wrong by then, or longer than the layer: it is fetched anew.
for wrong in 1000000 $((size + 10)); do
  fresh
  mkdir -p "$MICA_ROOT/partial"
  head -c "$wrong" /dev/urandom > "$MICA_ROOT/partial/${big:7}"
  expect_ok "$MICA" pull "$image"
  there "$image"
done
# Collecting garbage leaves it to the next pull.
begin_pull
killed
expect_ok "$MICA" image prune -f
no_faults
forget_requests
expect_ok "$MICA" pull "$image"
[[ $(bytes_sent "$big") -lt 3000000 ]] || fail "prune threw an unfinished download away"
there "$image"

# Interrupted: ends at once, leaves no lock, and what had come stays.
for signal in INT TERM; do
  begin_pull
  started=${EPOCHREALTIME/./}
  kill -$signal "$pull"
  status=0
  wait "$pull" || status=$?
  took=$(((${EPOCHREALTIME/./} - started) / 1000))
  [[ $status != 0 && $status != 137 ]] || fail "status $status after SIG$signal"
  [[ $took -lt 3000 ]] || fail "took $took ms to stop at SIG$signal"
  expect_ok "$MICA" images -aq
  stdout_is ""
  store_is_clean
  no_faults
  forget_requests
  expect_ok "$MICA" pull "$image"
  [[ $(bytes_sent "$big") -lt 3000000 ]] || fail "SIG$signal: fetched $(bytes_sent "$big") of $size bytes again"
done

# Slow is not dead; silent is, after a while, and then the rest is asked for.
fresh
fault "{\"path\": \"$big\", \"throttle\": 3000000}"
expect_ok "$MICA" pull "$image"
equal "requests for a slow layer" 1 "$(requests GET "$big")"
fresh
fault "{\"path\": \"$big\", \"stall_at\": 4000000, \"stall\": 60}"
started=$SECONDS
expect_ok "$MICA" pull "$image"
took=$((SECONDS - started))
[[ $took -ge 20 && $took -lt 50 ]] || fail "noticed a silent connection after $took s"
stderr_has "trying again"
there "$image"

# Two at once, and a third for another tag of the same: each blob comes once.
fresh
manifest_of app:1 > .manifest
curl -sS --noproxy '*' -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @.manifest "http://$FAULTY/v2/app/manifests/2"
forget_requests
fault '{"path": "/blobs/", "throttle": 6000000, "count": -1}'
pids=()
for name in app:1 app:1 app:2; do
  "$MICA" pull "$FAULTY/$name" > ".out-${#pids[@]}" 2> ".err-${#pids[@]}" &
  pids+=($!)
done
for n in 0 1 2; do wait "${pids[$n]}" || { cat ".err-$n"; fail "pull $n of three at once"; }; done
for layer in "${layers[@]}"; do equal "times that ${layer:7:12} was fetched" 1 "$(requests GET "$layer")"; done
there "$image"
there "$FAULTY/app:2"
# One that waits for another that is killed takes over, behind what that has.
begin_pull
"$MICA" pull "$FAULTY/app:2" > .out-2 2> .err-2 &
second=$!
sleep 0.5
killed
wait "$second" || { cat .err-2; fail "the pull that took over"; }
[[ $(bytes_sent "$big") -lt $((size + 500000)) ]] || fail "took over by fetching it all again: $(bytes_sent "$big") bytes"
there "$FAULTY/app:2"

# A disk that is full: the message says so, nothing is half there, and with room it works.
fresh
mkdir full
mount -t tmpfs -o size=8m tmpfs full
trap 'umount full; stop_registries' EXIT
expect_fail 1 "$MICA" --root "$PWD/full" pull "$image"
stderr_has "o space left"
expect_ok "$MICA" --root "$PWD/full" images -aq
stdout_is ""
expect_ok "$MICA" --root "$PWD/full" fsck
mount -o remount,size=100m full
expect_ok "$MICA" --root "$PWD/full" pull "$image"
expect_ok "$MICA" --root "$PWD/full" fsck
umount full
trap stop_registries EXIT
# A limit on the size of files.
fresh
limited() { (ulimit -f 2000 && trap '' XFSZ && exec "$MICA" pull "$image"); }
expect_fail 1 limited
expect_ok "$MICA" images -aq
stdout_is ""
store_is_clean
