# mica.lock: base images pinned to digests, builds that hold to them while tags move, and what tells that they moved.
source "$(dirname "$0")/../support/cli.sh"
needs_program docker-registry skopeo jq
source "$support/registry.sh"
start_registry
A=$REGISTRY/base/app B=$REGISTRY/base/tool
copy() { skopeo copy -q --all --src-tls-verify=false --dest-tls-verify=false "docker://$1" "docker://$2"; }
digest_of() { skopeo inspect --raw --tls-verify=false "docker://$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
pinned() { jq -r --arg name "$1" '.images[$name].digest' "${2:-project/mica.lock}"; }

# push_word NAME WORD SECONDS: an index of two platforms whose images hold WORD and the platform in /word.
push_word() {
  local platform
  for platform in amd64 arm64; do
    mkdir -p source
    echo "$2 $platform" > source/word
    printf 'FROM scratch\nCOPY word /\n%s\n' "${4:-}" > source/Dockerfile
    "$MICA" build -q --platform "linux/$platform" --timestamp "$3" -t "$1-$platform" source > /dev/null
    "$MICA" push -q "$1-$platform" > /dev/null
  done
  "$MICA" buildx imagetools create --progress none -t "$1" "$1-amd64" "$1-arm64"
}
push_word "$A:old" old 1700000000
push_word "$A:new" new 1750000000
push_word "$B:1" tool 1700000000
copy "$A:old" "$A:1"
old=$(digest_of "$A:old") new=$(digest_of "$A:new") tool=$(digest_of "$B:1")

mkdir project
cat > project/Dockerfile << END
# syntax=docker/dockerfile:1
ARG REPOSITORY=$A
ARG TAG=1
FROM \$REPOSITORY:\$TAG AS base
FROM base AS unused
RUN --mount=from=$B:1,target=/tool true
FROM scratch
COPY --from=base /word /word
COPY --from=$B:1 /word /tool
COPY --from=$A@$new /word /pinned
END

# Without a lock the tags float, and only the check says so.
expect_fail 1 "$MICA" lock --check -f project/Dockerfile
stdout_is "$A:1 is a floating tag: project/Dockerfile has no lock
$B:1 is a floating tag: project/Dockerfile has no lock"
[[ ! -e project/mica.lock ]] || fail "a check wrote the lock"
expect_fail 2 "$MICA" outdated -f project/Dockerfile
stderr_has "there is no project/mica.lock"

expect_ok "$MICA" lock -f project/Dockerfile
stdout_is "added $A:1 $old (created 2023-11-14T22:13:20Z)
added $B:1 $tool (created 2023-11-14T22:13:20Z)"
equal "pinned digest" "$old" "$(pinned "$A:1")"
equal "names in the lock" "$A:1 $B:1" "$(jq -r '.images | keys | join(" ")' project/mica.lock)"
expect_ok "$MICA" lock --check -f project/Dockerfile
stdout_is ""
expect_ok "$MICA" outdated -f project/Dockerfile

# The tag moves; the build does not, in this store and in a new one.
copy "$A:new" "$A:1"
word() { cat "$1/word"; }
fresh() { MICA_ROOT=$PWD/fresh-$((++stores)) "$MICA" "$@"; }
stores=0
expect_ok build -o out1 project
equal "built on the pinned image" "old amd64" "$(word out1)"
equal "a digest in the Dockerfile is its own lock" "new amd64" "$(cat out1/pinned)"
expect_ok fresh build -o out2 project
equal "built on the pinned image, in a new store" "old amd64" "$(word out2)"
expect_ok fresh build --no-lock -o out3 project
equal "built on what the tag is now" "new amd64" "$(word out3)"
expect_ok fresh build --pull -o out4 project
equal "--pull keeps to the lock" "old amd64" "$(word out4)"
# One store, one platform after the other: one digest stands for both.
expect_ok fresh build --platform linux/amd64,linux/arm64 -o out5 project
equal "the other platform's image" "old arm64" "$(word out5/linux_arm64)"

expect_fail 1 "$MICA" outdated -f project/Dockerfile
equal "columns of outdated" "NAME|STATUS|LOCKED|LOCKED CREATED|CURRENT|CREATED" "$(head -1 .stdout | sed -E 's/ {2,}/|/g')"
equal "rows of outdated" 1 "$(tail -n +2 .stdout | wc -l)"
expect_fail 1 "$MICA" outdated -f project/Dockerfile --format json
equal "what moved" "$A:1 moved $old $new 2023-11-14T22:13:20Z 2025-06-15T15:06:40Z" \
  "$(jq -r '[.Name, .Status, .Locked, .Current, .LockedCreatedAt, .CreatedAt] | join(" ")' .stdout)"
(cd project && "$MICA" outdated --all --format '{{.Name}} {{.Status}}') > all || true
equal "all images" "$A:1 moved $B:1 current" "$(tr '\n' ' ' < all | sed 's/ $//')"

# Locking again moves nothing; an update moves what it names, and only what moved.
cp project/mica.lock before.lock
expect_ok "$MICA" lock -f project/Dockerfile
cmp before.lock project/mica.lock || fail "locking again changed the lock"
expect_ok "$MICA" lock --update -f project/Dockerfile "$B:1"
cmp before.lock project/mica.lock || fail "an update of what did not move changed the lock"
expect_fail 1 "$MICA" lock --update -f project/Dockerfile "$A:2"
stderr_has "is no base image of project/Dockerfile"
stderr_has "did you mean $A:1?"
expect_ok "$MICA" lock --update -f project/Dockerfile
stdout_is "moved $A:1 $old to $new (created 2025-06-15T15:06:40Z)"
expect_ok "$MICA" outdated -f project/Dockerfile
expect_ok build -o out6 project
equal "built on the new image" "new amd64" "$(word out6)"

# Other arguments ask for another image, which the lock does not have.
expect_fail 1 build --build-arg TAG=old -o out7 project
stderr_has "Dockerfile:4"
stderr_has "$A:old is not in mica.lock"
stderr_has "'mica lock' adds it"
expect_fail 1 "$MICA" lock --check -f project/Dockerfile --build-arg TAG=old
stdout_is "$A:old is not in project/mica.lock
$A:1 is in project/mica.lock, but project/Dockerfile does not use it"
# An image given to the build in place of another is no business of the lock.
expect_ok build --build-context "$A:1=docker-image://$A:old" -o out8 project
equal "built on what was given" "old amd64" "$(word out8)"

# Two Dockerfiles of one folder share the file.
printf 'FROM %s AS x\nFROM %s\n' "$A:old" "$B:1" > project/other.Dockerfile
expect_ok build -f project/other.Dockerfile -o out9 project
expect_ok "$MICA" lock -f project/other.Dockerfile
stdout_is "added $A:old $old (created 2023-11-14T22:13:20Z)"
expect_ok "$MICA" lock --check -f project/Dockerfile
printf 'FROM %s\n' "$B:1" > project/other.Dockerfile
expect_ok "$MICA" lock -f project/other.Dockerfile
stdout_is "removed $A:old"
equal "what each file needs" "{\"Dockerfile\":[\"$A:1\",\"$B:1\"],\"other.Dockerfile\":[\"$B:1\"]}" "$(jq -c .files project/mica.lock)"
expect_fail 2 "$MICA" outdated -f project/third.Dockerfile
stderr_has "does not know third.Dockerfile"

# Triggers of a base ask for images, too.
push_word "$A:trigger" t 1700000000 "ONBUILD COPY --from=$B:1 /word /triggered"
mkdir triggers
echo "FROM $A:trigger" > triggers/Dockerfile
expect_ok "$MICA" lock -f triggers/Dockerfile
equal "names in the lock" "$A:trigger $B:1" "$(jq -r '.images | keys | join(" ")' triggers/mica.lock)"
expect_ok "$MICA" lock --check -f triggers/Dockerfile
expect_ok build -o out10 triggers
equal "by a trigger" "tool amd64" "$(cat out10/triggered)"

# A platform of its own in the name.
mkdir platforms
printf 'ARG TARGETARCH\nFROM %s-$TARGETARCH\n' "$A:old" > platforms/Dockerfile
expect_ok "$MICA" lock -f platforms/Dockerfile --platform linux/amd64,linux/arm64
equal "names in the lock" "$A:old-amd64 $A:old-arm64" "$(jq -r '.images | keys | join(" ")' platforms/mica.lock)"

# A context that is no folder has its lock with it.
if command -v git > /dev/null; then
  git -c init.defaultBranch=main init -q repository
  cp project/Dockerfile repository/
  sed "s/$new/$old/" before.lock > repository/mica.lock
  git -C repository add . && git -C repository -c user.name=t -c user.email=t@example.com commit -qm x
  expect_ok fresh build -o out11 "file://$PWD/repository"
  equal "built on what the repository pins" "old amd64" "$(word out11)"
fi
tar -C project -cf context.tar .
expect_fail 1 fresh build --build-arg TAG=old -o out12 - < context.tar
stderr_has "$A:old is not in mica.lock"

# Faults.
echo '{"version":1,"images":{"x:1":{"reference":"x:1","digest":"sha256:12","resolved":"2026-01-01T00:00:00Z"}}}' > platforms/mica.lock
expect_fail 1 build platforms
stderr_has 'mica.lock: images["x:1"].digest'
echo '{"version":9}' > platforms/mica.lock
expect_fail 2 "$MICA" lock --check -f platforms/Dockerfile
stderr_has "version 9 is not 1"
printf 'FROM %s\nFORM x\n' "$A:none" > platforms/Dockerfile
rm platforms/mica.lock
expect_fail 1 "$MICA" lock -f platforms/Dockerfile
stderr_has "unknown instruction: FORM"
printf 'FROM scratch\nFROM %s\n' "$A:none" > platforms/Dockerfile
expect_fail 1 "$MICA" lock -f platforms/Dockerfile
stderr_has "platforms/Dockerfile:2"
[[ ! -e platforms/mica.lock ]] || fail "a failed lock was written"
expect_fail 1 "$MICA" lock -f compose.yaml
stderr_has "reading compose file"
expect_fail 1 "$MICA" lock "$A:1"
stderr_has "names are for --update only"

# lint --fix --lock does the same on the way.
mkdir linted
printf 'FROM %s:new\nUSER 1000\n' "${A}" > linted/Dockerfile
expect_ok "$MICA" lint --fix --lock linted/Dockerfile
stderr_has "linted/mica.lock: 1 image"
equal "pinned by lint" "$(digest_of "$A:new")" "$(jq -r '.images[].digest' linted/mica.lock)"

# Both platforms are here when their registry goes away.
expect_ok build --platform linux/arm64 -o out13 project
expect_ok build --platform linux/amd64 -o out13 project
# Tags that are gone; and no registry at all: what is locked and here needs none.
skopeo delete --tls-verify=false "docker://$B:1"
expect_fail 1 "$MICA" outdated -f project/Dockerfile --format '{{.Name}} {{.Status}} {{.Current}}'
stdout_is "$B:1 gone <none>"
stop_registry "$REGISTRY_PID"
expect_fail 2 "$MICA" outdated -f project/Dockerfile
expect_ok "$MICA" lock -f project/Dockerfile
expect_ok "$MICA" lock --check -f project/Dockerfile
expect_ok build -o out13 project
equal "built without a registry" "new amd64" "$(word out13)"
# One digest, an image a platform: neither pushes the other out.
for platform in arm64 amd64 arm64; do
  expect_ok build --platform "linux/$platform" -o "out14-$platform" project
  equal "built without a registry, for $platform" "new $platform" "$(word "out14-$platform")"
done
