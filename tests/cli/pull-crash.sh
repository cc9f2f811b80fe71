# A pull that is killed, or finds the disk full, at any point that the store names leaves a whole store, and the next pull works.
# timeout: 400
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
seed small:1 40 300
small=$FAULTY/small:1

for kind in kill enospc; do
  n=1
  while :; do
    [[ $n -lt 200 ]] || fail "$kind: no end of fault points"
    rm -rf "$MICA_ROOT"
    status=0 started=$SECONDS
    MICA_FAULT=$kind:$n "$MICA" pull "$small" > .out 2> .err || status=$?
    [[ $((SECONDS - started)) -lt 20 ]] || fail "$kind: took $((SECONDS - started)) s at point $n"
    [[ $status != 0 ]] || break
    if [[ $kind == kill ]]; then
      equal "the status at point $n" 137 "$status"
    else
      [[ $status -lt 128 ]] || fail "died of signal $((status - 128)) at point $n: $(cat .err)"
      grep -qi 'no space left' .err || fail "no reason in the message at point $n: $(cat .err)"
    fi
    "$MICA" images -q > .images || fail "no list of images at point $n"
    while read -r id; do expect_ok "$MICA" save -o .saved "$id"; done < .images
    expect_ok "$MICA" fsck
    expect_ok "$MICA" pull "$small"
    there "$small"
    n=$((n + 1))
  done
  [[ $n -gt 5 ]] || fail "$kind: only $((n - 1)) fault points"
done
