# A base image: the same packages give the same one at any time, and an interrupted mmdebstrap is gone with all that it started.
# A stand-in takes mmdebstrap's place: the real one needs a mirror.
source "$(dirname "$0")/../support/cli.sh"
needs_root "owners"
needs_program tar
mkdir bin
export MARKER=$((RANDOM + 100000))
cat > bin/mmdebstrap << 'END'
#!/bin/bash
# As the real one does it: hooks see the root filesystem as $1, what is made now has today's times, helpers run beside.
set -eu
hooks=() words=()
for word in "$@"; do
  case $word in
    --customize-hook=*) hooks+=("${word#*=}") ;;
    --*) ;;
    *) words+=("$word") ;;
  esac
done
if [[ ${words[0]} == slow ]]; then
  mktemp > made
  sleep "$MARKER" &
  setsid sleep "$MARKER"
fi
root=$(mktemp -d)
mkdir -p "$root/etc" "$root/usr"
echo "of a package" > "$root/usr/file"
touch -d @1600000000 "$root/usr/file"
printf 'root:*:%s:0:99999:7:::\nold:*:12:0:99999:7:::\n' $((${SOURCE_DATE_EPOCH:-$(date +%s)} / 86400)) > "$root/etc/shadow"
echo "this machine" > "$root/etc/hostname"
for hook in "${hooks[@]}"; do sh -c "$hook" exec "$root"; done
tar -C "$root" --numeric-owner --owner=0 --group=0 -cf "${words[1]}" .
END
chmod +x bin/mmdebstrap
PATH=$PWD/bin:$PATH
mkdir tmp
export TMPDIR=$PWD/tmp

expect_ok "$MICA" base --suite some b:1
sleep 1.1
expect_ok "$MICA" --root "$PWD/other" base --suite some b:1
equal "the image of another time" "$(image_id b:1)" "$("$MICA" --root "$PWD/other" inspect -f '{{.Id}}' b:1)"
equal "its time" "2020-09-13T12:26:40Z" "$("$MICA" inspect -f '{{.Created}}' b:1)"
expect_ok "$MICA" save -o saved.tar b:1
printf 'FROM b:1\n' > Dockerfile
expect_ok build -o type=tar,dest=tree.tar .
equal "accounts" $'root:*:18518:0:99999:7:::\nold:*:12:0:99999:7:::' "$(tar xOf tree.tar etc/shadow)"
equal "files of this machine" "" "$(tar tf tree.tar | grep hostname || true)"
SOURCE_DATE_EPOCH=1700000000 expect_ok "$MICA" base --suite some b:2
equal "the time asked for" "2023-11-14T22:13:20Z" "$("$MICA" inspect -f '{{.Created}}' b:2)"

env --default-signal=INT "$MICA" base --suite slow b:3 > .stdout 2> .stderr &
pid=$!
for _ in $(seq 100); do [[ $(pgrep -cf "^sleep $MARKER") != 2 ]] || break; sleep 0.05; done
[[ -s made ]] || fail "mmdebstrap did not start"
kill -INT $pid
status=0
wait $pid || status=$?
equal "the status after an interrupt" 130 "$status"
equal "what mmdebstrap had started" "" "$(pgrep -f "^sleep $MARKER" || true)"
[[ ! -e $(cat made) ]] || fail "left behind: $(cat made)"
equal "temporary files" "" "$(ls tmp)"
expect_fail "$MICA" inspect b:3
store_is_clean
