# Images made to do harm: nothing outside the store changes, what is refused leaves nothing behind, and what is only odd works.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
victim=$PWD/victim
mkdir "$victim"
echo "the secret" > "$victim/secret"
"$support/hostile_images.py" --victim "$victim" "$FAULTY" > names || fail "making the images"
unharmed() {  # after NAME
  equal "what $1 did to files outside" "secret the secret" "$(ls "$victim" | xargs) $(cat "$victim/secret")"
  local found
  found=$(find . "$MICA_ROOT/.." / /tmp -maxdepth 1 -name 'escaped*' 2> /dev/null || true)
  [[ -z $found ]] || fail "$1 escaped to $found"
  found=$(find "$MICA_ROOT" -name escaped ! -path "$MICA_ROOT/layers/*" ! -path "$MICA_ROOT/ingest/*" 2> /dev/null || true)
  [[ -z $found ]] || fail "$1 reached $found"
}
# With so many KiB of memory at most.
frugal() { (ulimit -v "$1" && exec "${@:2}"); }

# Contained or refused, as long as nothing is reached: symbolic links are data, absolute names begin at the image's own root.
may_work=" absolute symlink symlink-dotdot symlink-chain symlink-file hardlink-symlink whiteout-symlink whiteout-opaque-symlink dotdot-inside manifest-twice empty-name "
while read -r name; do
  fresh
  image=$FAULTY/hostile:$name
  run frugal 4000000 timeout 60 "$MICA" pull "$image"
  unharmed "$name"
  if [[ $name == ok-* ]]; then
    [[ $status == 0 ]] || { show; fail "$name is right, if odd"; }
    there "$image"
  elif [[ $status == 0 ]]; then
    [[ $may_work == *" $name "* ]] || { show; fail "$name was taken"; }
    there "$image"
    unharmed "$name, saved"
  else
    [[ $status == 1 ]] || { show; fail "$name: status $status"; }
    [[ -s .stderr && $(wc -c < .stderr) -lt 4000 ]] || { show; fail "$name: no message, or a long one"; }
    [[ $(grep -c . .stderr) -le 6 ]] || { show; fail "$name: a message of many lines"; }
    nothing_of "$image"
    unharmed "$name, refused"
  fi
  [[ $(requests '.*') -lt 60 ]] || fail "$name: $(requests '.*') requests"
done < names

# What the odd ones hold.
fresh
expect_ok "$MICA" pull "$FAULTY/hostile:ok-index"
equal "the platform taken" amd64 "$("$MICA" inspect -f '{{.Architecture}}' "$FAULTY/hostile:ok-index")"

# Words.
fresh
refused() {  # NAME WORDS...
  local word
  expect_fail 1 "$MICA" pull "$FAULTY/hostile:$1"
  for word in "${@:2}"; do stderr_has "$word"; done
}
refused schema1 "schema 1" "no longer supported"
refused platform "no matching manifest for linux/amd64" "linux/riscv64" "linux/arm/v7" "--platform"
refused layer-type "application/vnd.example.thing"
refused config-type "application/vnd.example.config"
refused diffid "expected" "actual"
refused diffid-few "2 layers"
refused manifest-both "layers and manifests"
refused digest-md5 "md5"
refused index-missing "manifest unknown"
refused layer-missing "blob unknown"
refused index-deep "nested"
expect_fail 1 "$MICA" pull --platform linux/mips64 "$FAULTY/hostile:ok-index"
stderr_has "no matching manifest for linux/mips64"
stderr_has "linux/s390x"
stderr_lacks "unknown/unknown"

# A few bytes that unpack to more than the disk holds: an error about space, in little memory.
"$support/hostile_images.py" --victim "$victim" "$FAULTY" bomb > /dev/null
fresh
mkdir small
mount -t tmpfs -o size=64m tmpfs small
trap 'umount small; stop_registries' EXIT
expect_fail 1 frugal 2000000 "$MICA" --root "$PWD/small" pull "$FAULTY/hostile:bomb"
stderr_has "o space left"
expect_ok "$MICA" --root "$PWD/small" fsck
[[ $(du -sm small | cut -f1) -lt 20 ]] || fail "$(du -sm small | cut -f1) MB left of an image that was refused"
umount small
trap stop_registries EXIT
