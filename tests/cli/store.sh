# What lists, names and removes images, in the columns and fields that docker has; and a store that is newer, damaged or read-only.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps and read-only mounts"
needs_program sqlite3 jq
columns() { head -1 .stdout | sed -E 's/ {2,}/|/g; s/\|$//'; }
keys() { head -1 .stdout | jq -r 'keys | join(" ")'; }

# A store that is not there is an empty one, and looking makes none.
expect_ok "$MICA" images
equal "columns of images" "REPOSITORY|TAG|IMAGE ID|CREATED|SIZE" "$(columns)"
[[ ! -e $MICA_ROOT/mica.db ]] || fail "looking made a store"

busybox_image bb:1
mkdir context
cat > context/Dockerfile << 'END'
FROM bb:1
ARG WORD
RUN --network=none echo $WORD > /word
LABEL word=$WORD
END
expect_ok build --build-arg WORD=first -t t:1 context
first=$(image_id t:1)
expect_ok build --build-arg WORD=second -t t:1 -t other/name:2 context
second=$(image_id t:1)

# Lists.
expect_ok "$MICA" images
equal "columns of images" "REPOSITORY|TAG|IMAGE ID|CREATED|SIZE" "$(columns)"
equal "rows of images" 4 "$(tail -n +2 .stdout | wc -l)"
expect_ok "$MICA" images --digests
equal "columns with digests" "REPOSITORY|TAG|DIGEST|IMAGE ID|CREATED|SIZE" "$(columns)"
expect_ok "$MICA" images --format json
equal "fields of images" "Containers CreatedAt CreatedSince Digest ID Repository SharedSize Size Tag UniqueSize VirtualSize" "$(keys)"
expect_ok "$MICA" images --format '{{.Repository}}:{{.Tag}} {{.ID}}' --no-trunc t
stdout_is "t:1 $second"
expect_ok "$MICA" images -q --no-trunc -f dangling=true
stdout_is "$first"
expect_ok "$MICA" images -q --no-trunc -f label=word=second
equal "ids, one by one" "$second" "$(sort -u .stdout)"
expect_ok "$MICA" images --format 'table {{.Tag}}\t{{.Size}}' 'other/*'
equal "columns of a table" "TAG|SIZE" "$(columns)"
expect_fail "$MICA" images -f nonsense=1
expect_fail "$MICA" images --format '{{.Nonsense}}'

expect_ok "$MICA" history t:1
equal "columns of history" "IMAGE|CREATED|CREATED BY|SIZE|COMMENT" "$(columns)"
stdout_has "RUN |1 WORD=second /bin/sh -c echo \$WORD"
expect_ok "$MICA" history --no-trunc -q t:1
equal "the newest of the history" "$second" "$(head -1 .stdout)"
expect_ok "$MICA" history --format json t:1
equal "fields of history" "Comment CreatedAt CreatedBy CreatedSince ID Size" "$(keys)"
expect_ok "$MICA" inspect t:1
equal "fields of inspect" "Architecture Author Comment Config Created DockerVersion GraphDriver Id Metadata Os Parent RepoDigests RepoTags RootFS Size" "$(jq -r '.[0] | keys | join(" ")' .stdout)"
equal "names in inspect" '["other/name:2","t:1"]' "$(jq -c '.[0].RepoTags | sort' .stdout)"
expect_fail 1 "$MICA" inspect nope
stdout_is '[]'
stderr_has 'No such object: nope'
expect_ok "$MICA" system df
equal "columns of system df" "TYPE|TOTAL|ACTIVE|SIZE|RECLAIMABLE" "$(columns)"
equal "rows of system df" "Images Containers Local_Volumes Build_Cache" "$(tail -n +2 .stdout | sed 's/ /_/; s/_ .*//; s/ .*//' | xargs)"
expect_ok "$MICA" system df --format json
equal "fields of system df" "Active Reclaimable Size TotalCount Type" "$(keys)"
expect_ok "$MICA" system df -v
stdout_has "SHARED SIZE"

# Names and ids.
expect_ok "$MICA" tag t:1 again
equal "the image of another name" "$second" "$(image_id again:latest)"
expect_ok "$MICA" tag "${first#sha256:}" by/id:1
equal "an image tagged by its id" "$first" "$(image_id by/id:1)"
equal "a short id" "$first" "$(image_id "${first:7:12}")"
expect_fail 1 "$MICA" tag nope x
stderr_has 'No such image: nope:latest'
expect_fail "$MICA" tag t:1 'UPPER/Case'
expect_fail "$MICA" rmi "${second:7:12}"
stderr_has 'must be forced'
expect_ok "$MICA" rmi again
stdout_is "Untagged: again:latest"
expect_ok "$MICA" rmi by/id:1
stdout_has "Deleted: $first"
# A base that others are built on loses its name; what they need stays.
expect_ok "$MICA" rmi bb:1
expect_ok "$MICA" run --rm --network=none t:1 cat /word
stdout_is second
expect_fail 1 "$MICA" rmi bb:1 t:1
stderr_has 'No such image: bb:1'
stdout_is "Untagged: t:1"

# Pruning.
expect_ok "$MICA" image prune -f
stdout_has "Total reclaimed space:"
expect_ok "$MICA" run --rm --network=none other/name:2 true
expect_ok "$MICA" system prune -af
expect_ok "$MICA" images -aq
stdout_is ""
equal "layers after all is pruned" "" "$(ls "$MICA_ROOT/layers")"
equal "blobs after all is pruned" "" "$(ls "$MICA_ROOT/blobs/sha256")"
store_is_clean

# A newer store is refused with both versions; a damaged one is named.
busybox_image bb:1
expect_ok build --build-arg WORD=x -t t:1 context
version=$(sqlite3 "$MICA_ROOT/mica.db" 'PRAGMA user_version')
sqlite3 "$MICA_ROOT/mica.db" "PRAGMA user_version = 999"
expect_fail "$MICA" images
stderr_has 999
stderr_has "$version"
expect_fail "$MICA" import "$BUSYBOX_TAR" bb:2
stderr_has 999
sqlite3 "$MICA_ROOT/mica.db" "PRAGMA user_version = $version"
expect_ok "$MICA" fsck
cp -a "$MICA_ROOT" damaged
rm -f damaged/mica.db-*
head -c 3000 /dev/zero | tr '\0' x > damaged/mica.db
for command in "images" "fsck" "import $BUSYBOX_TAR bb:3"; do
  # shellcheck disable=SC2086
  expect_fail "$MICA" --root "$PWD/damaged" $command
  stderr_has damaged/mica.db
done

# A store on a read-only mount is looked at and run from, not written to.
mkdir readonly
cp -a "$MICA_ROOT/." readonly
rm -f readonly/mica.db-*
mount --bind readonly readonly
trap 'umount readonly' EXIT
mount -o remount,ro,bind readonly
expect_ok "$MICA" --root "$PWD/readonly" images --format '{{.Repository}}:{{.Tag}}'
equal "images of a read-only store" "bb:1 t:1" "$(sort .stdout | xargs)"
expect_ok "$MICA" --root "$PWD/readonly" inspect t:1
expect_ok "$MICA" --root "$PWD/readonly" history t:1
expect_ok "$MICA" --root "$PWD/readonly" save -o saved.tar t:1
expect_fail "$MICA" --root "$PWD/readonly" import "$BUSYBOX_TAR" bb:2
stderr_has 'ead-only'
umount readonly
trap - EXIT

# A flipped byte in a layer's file: found, and with --repair taken out of use.
word=$(find "$MICA_ROOT/layers" -name word -type f)
stamp=$(stat -c %y "$word")
printf y | dd of="$word" conv=notrunc status=none
touch -d "$stamp" "$word"
expect_ok "$MICA" fsck --quick
expect_fail "$MICA" fsck
output_has word
expect_fail "$MICA" fsck --format json
grep '^{' .stdout | jq -e . > /dev/null || fail "findings are not JSON"
expect_ok "$MICA" images -q t
run "$MICA" fsck --repair
equal "layers in quarantine" 1 "$(find "$MICA_ROOT/quarantine" -name word -type f | wc -l)"
expect_fail "$MICA" inspect t:1
expect_ok "$MICA" run --rm --network=none bb:1 true
store_is_clean
expect_ok build --build-arg WORD=x -t t:1 context
expect_ok "$MICA" run --rm --network=none t:1 cat /word
stdout_is x
