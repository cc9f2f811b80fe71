# Sourced by the tests that stop mica at every point that the store names (MICA_FAULT, see src/sys/fault.h), by SIGKILL and by a full
# disk: the store stays whole, no half image is seen, and the next command works.
#
#   at_every_point ACTION FRESH WORKS   runs ACTION with a fault at the first, second, ... point until it passes none; before each
#                                       run FRESH, after it WORKS

no_half_image() {
  "$MICA" images -q > .images 2> .stderr || { cat .stderr; fail "no list of images"; }
  while read -r id; do expect_ok "$MICA" save -o .saved "$id"; done < .images
}
# Points pass by in threads as well: the order is the same within a thread only, the count is what matters.
at_every_point() {
  local action=$1 fresh=$2 works=$3 kind n
  for kind in kill enospc; do
    for ((n = 1; ; n++)); do
      [[ $n -lt 300 ]] || fail "$action: no end of fault points"
      $fresh
      rm -rf out.oci
      status=0
      MICA_FAULT=$kind:$n $action > .out 2> .err || status=$?
      [[ $status != 0 ]] || break
      if [[ $kind == kill ]]; then
        equal "$action: the status at point $n" 137 "$status"
      else
        [[ $status -lt 128 ]] || fail "$action died of signal $((status - 128)) at point $n"
        grep -qi 'no space left' .err || fail "$action: no reason in the message at point $n: $(cat .err)"
        grep -q '^mica: ' .err || fail "$action: no message of ours at point $n: $(cat .err)"
      fi
      [[ ! -e out.oci ]] || tar tf out.oci > /dev/null || fail "$action: half an archive at point $n"
      no_half_image
      $works
    done
    [[ $n -gt 3 ]] || fail "$action passed only $((n - 1)) points of $kind"
  done
}
