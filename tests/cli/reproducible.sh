# With SOURCE_DATE_EPOCH, the same input gives the same bytes: wherever, whenever and in whatever store it is built.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
needs_program jq sqlite3
export SOURCE_DATE_EPOCH=1600000000
busybox_image busybox:1

mkdir first
echo a > first/a
cat > first/Dockerfile << 'END'
FROM busybox:1
ARG SOURCE_DATE_EPOCH
WORKDIR /w
COPY a .
RUN --network=none date > /dev/null; mkdir -p made/deep; echo $SOURCE_DATE_EPOCH > made/epoch; ln made/epoch made/hard; ln -s epoch made/soft; touch -d '2001-02-03 00:00:00' made/old
ADD a /added/
LABEL x=y
END
cp -r first elsewhere
touch -d '2024-01-01' elsewhere/a

make() {  # NAME FOLDER ROOT
  expect_ok "$MICA" --root "$3" import -c 'CMD ["sh"]' "$BUSYBOX_TAR" busybox:1
  expect_ok "$MICA" --root "$3" build --progress=plain -t app:1 -o type=image -o "type=oci,dest=$1.oci" -o "type=docker,dest=$1.docker" -o "type=tar,dest=$1.tar" --iidfile "$1.id" "$2"
}
make one first "$PWD/root1"
sleep 1.1
make two elsewhere "$PWD/root2"
for kind in id oci docker tar; do cmp "one.$kind" "two.$kind" || fail "$kind differs from store to store"; done
expect_ok "$MICA" --root "$PWD/root2" build --progress=plain --no-cache -o type=oci,dest=three.oci --iidfile three.id -t app:1 first
cmp one.id three.id || fail "the id differs without the cache"
cmp one.oci three.oci || fail "the archive differs without the cache"
expect_ok "$MICA" --root "$PWD/root2" --snapshotter copy build --progress=plain --no-cache -o type=oci,dest=four.oci -t app:1 elsewhere
cmp one.oci four.oci || fail "the archive differs by snapshotter"
cp -r first umasked
(umask 077; cp first/a umasked/a; chmod 644 umasked/a; "$MICA" --root "$PWD/root2" build -q --no-cache -o type=oci,dest=five.oci -t app:1 umasked > /dev/null) || fail "a build under another umask"
cmp one.oci five.oci || fail "the archive differs by umask"

# Times: those of the image and its history, and no file of its own layers is newer.
expect_ok "$MICA" --root "$PWD/root1" inspect -f '{{.Created}}' app:1
stdout_is 2020-09-13T12:26:40Z
mkdir unpacked
tar xf one.oci -C unpacked
manifest=$(jq -r '.manifests[0].digest' unpacked/index.json | cut -d: -f2)
config=$(jq -r .config.digest "unpacked/blobs/sha256/$manifest" | cut -d: -f2)
equal "times of the history" '"2020-09-13T12:26:40Z"' "$(jq -c '[.history[].created] | unique | .[]' "unpacked/blobs/sha256/$config")"
mkdir tree
tar xf one.tar -C tree
equal "files newer than the epoch" "" "$(find tree -mindepth 1 -newermt @1600000000 -printf '%P ')"
equal "the time of an old file" 981158400 "$(TZ=UTC stat -c %Y tree/w/made/old)"
equal "the time of a new file" 1600000000 "$(stat -c %Y tree/w/made/epoch)"
equal "the argument a step sees" 1600000000 "$(cat tree/w/made/epoch)"
# Layers by themselves.
jq -r '.layers[].digest' "unpacked/blobs/sha256/$manifest" | cut -d: -f2 | while read -r layer; do
  tar tvf "unpacked/blobs/sha256/$layer" --full-time --utc > listing
  newest=$(awk '{ print $4 "T" $5 }' listing | sort | tail -1)
  [[ ! $newest > 2020-09-13T12:26:40 ]] || fail "a layer has an entry of $newest"
done

# The flag and the build argument say the same as the variable; another time gives another image.
unset SOURCE_DATE_EPOCH
expect_ok "$MICA" --root "$PWD/root2" build --progress=plain --timestamp 1600000000 -t flag:1 first
expect_ok "$MICA" --root "$PWD/root2" build --progress=plain --build-arg SOURCE_DATE_EPOCH=1600000000 -t argument:1 first
equal "the image of the build argument" "$(cat one.id)" "$("$MICA" --root "$PWD/root2" inspect -f '{{.Id}}' argument:1)"
equal "the image of --timestamp" "$(cat one.id)" "$("$MICA" --root "$PWD/root2" inspect -f '{{.Id}}' flag:1)"
expect_ok "$MICA" --root "$PWD/root2" build --progress=plain --timestamp 1500000000 -t flag:2 first
[[ $("$MICA" --root "$PWD/root2" inspect -f '{{.Id}}' flag:2) != "$(cat one.id)" ]] || fail "another time, the same image"
expect_fail "$MICA" --root "$PWD/root2" build --progress=plain --timestamp yesterday first
SOURCE_DATE_EPOCH=x expect_fail "$MICA" --root "$PWD/root2" build --progress=plain first
stderr_has SOURCE_DATE_EPOCH
expect_ok "$MICA" --root "$PWD/root2" fsck
