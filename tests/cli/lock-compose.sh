# mica.lock for compose files; pins written into the Dockerfile; builds that insist on the lock.
source "$(dirname "$0")/../support/cli.sh"
needs_program docker-registry skopeo jq
source "$support/registry.sh"
start_registry
A=$REGISTRY/base/app B=$REGISTRY/base/tool
digest_of() { skopeo inspect --raw --tls-verify=false "docker://$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
push_word() {
  mkdir -p source
  echo "$2" > source/word
  printf 'FROM scratch\nCOPY word /\n' > source/Dockerfile
  "$MICA" build -q --timestamp 1700000000 -t "$1" source > /dev/null
  "$MICA" push -q "$1" > /dev/null
}
for name in "$A:1" "$A:2" "$B:1" "$B:2" "$B:3" "$B:4"; do push_word "$name" "$name"; done
created="(created 2023-11-14T22:13:20Z)"

# Services' images, the bases of what they build, inline Dockerfiles; variables from .env and the environment.
mkdir -p project/app
cat > project/compose.yaml << END
x-common: &common {restart: "no"}
services:
  db: {<<: *common, image: "$A:\${DB_TAG:-7}"}
  app:
    build: {context: app, args: {BASE: "\${BASE_TAG}"}, additional_contexts: {given: "docker-image://$A:none"}}
    image: built/app:dev
  worker: {image: built/app:dev}
  pinned: {image: "$B:4@$(digest_of "$B:4")"}
  small:
    build:
      dockerfile_inline: |
        FROM $B:3
        RUN echo \$\$HOME
END
printf 'DB_TAG=1\nBASE_TAG=1\n' > project/.env
printf 'ARG BASE\nFROM given AS g\nFROM %s:$BASE\nCOPY --from=%s:2 / /x\n' "$B" "$B" > project/app/Dockerfile
expect_fail 1 "$MICA" lock --check -f project/compose.yaml
stdout_is "$A:1 is a floating tag: project/compose.yaml has no lock
$B:1 is a floating tag: project/compose.yaml has no lock
$B:2 is a floating tag: project/compose.yaml has no lock
$B:3 is a floating tag: project/compose.yaml has no lock"
expect_ok "$MICA" lock -f project/compose.yaml
stdout_is "added $A:1 $(digest_of "$A:1") $created
added $B:1 $(digest_of "$B:1") $created
added $B:2 $(digest_of "$B:2") $created
added $B:3 $(digest_of "$B:3") $created"
stderr_has "project/mica.lock: 4 images"
equal "what the file needs" "{\"compose.yaml\":[\"$A:1\",\"$B:1\",\"$B:2\",\"$B:3\"]}" "$(jq -c .files project/mica.lock)"
expect_ok "$MICA" lock --check -f project/compose.yaml
expect_fail 1 env DB_TAG=2 "$MICA" lock --check -f project/compose.yaml
stdout_is "$A:2 is not in project/mica.lock
$A:1 is in project/mica.lock, but project/compose.yaml does not use it"

# Tags that move.
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$A:2" "docker://$A:1"
expect_fail 1 "$MICA" outdated -f project/compose.yaml --format '{{.Name}} {{.Status}}'
stdout_is "$A:1 moved"
old=$(jq -r --arg n "$A:1" '.images[$n].digest' project/mica.lock)
expect_ok "$MICA" lock --update -f project/compose.yaml "$A:1"
stdout_is "moved $A:1 $old to $(digest_of "$A:1") $created"
expect_ok "$MICA" outdated -f project/compose.yaml

# Faults, each with its place.
printf 'services:\n  a: {image: x\n' > bad.yaml
expect_fail 1 "$MICA" lock -f bad.yaml
stderr_has "bad.yaml: invalid YAML at line 3"
printf 'services:\n  a:\n    image: ${TAG:?no tag given}\n' > bad.yaml
expect_fail 1 "$MICA" lock -f bad.yaml
stderr_has "bad.yaml:3"
stderr_has "required variable TAG is missing a value: no tag given"
printf 'services:\n  a:\n    build: app\n' > bad.yaml
expect_fail 1 "$MICA" lock -f bad.yaml
stderr_has "services.a.build"
printf 'services:\n  a:\n    image: %s:none\n' "$A" > bad.yaml
expect_fail 1 "$MICA" lock -f bad.yaml
stderr_has "services.a.image"
printf 'services:\n  a:\n    image: %s:1\n  b: {build: "https://example.com/x.git"}\n' "$A" > bad.yaml
expect_ok "$MICA" lock -f bad.yaml
stderr_has "service b is built from https://example.com/x.git and was left out"
expect_fail 1 "$MICA" lock --inline -f bad.yaml
stderr_has "--inline rewrites Dockerfiles"
rm mica.lock

# --locked: only with a lock that fits.
mkdir strict
printf 'FROM %s:1\nCOPY --from=%s:2 /word /tool\n' "$B" "$B" > strict/Dockerfile
expect_fail 1 build --locked -o out1 strict
stderr_has "--locked: no mica.lock pins the images of Dockerfile: $B:1, $B:2"
expect_ok "$MICA" lock -f strict/Dockerfile
expect_ok build --locked -o out1 strict
equal "built" "$B:1 $B:2" "$(cat out1/word out1/tool | xargs)"
printf 'FROM %s:1\nCOPY --from=%s:3 /word /tool\n' "$B" "$B" > strict/Dockerfile
expect_fail 1 build --locked -o out2 strict
stderr_has "--locked: mica.lock does not fit Dockerfile: it does not have $B:3, and $B:2 is not needed any more"
printf 'FROM %s:1\n' "$B" > strict/Dockerfile
expect_fail 1 build --locked -o out2 strict
stderr_has "$B:2 is not needed any more"
expect_ok build -o out2 strict
expect_fail 1 build --locked --no-lock strict
stderr_has "exclude each other"
mkdir none
printf 'FROM scratch\nCOPY Dockerfile /\n' > none/Dockerfile
expect_ok build --locked -o out3 none

# --inline: the Dockerfile itself, the rest of it as it is.
mkdir inline
cat > inline/Dockerfile << END
# A comment with $B:1
ARG X=$B:2
FROM  $B:1  AS base
FROM base AS next
FROM \$X AS other
FROM scratch
COPY --link --from=$B:2 /word /a
COPY --from=$B:4@$(digest_of "$B:4") /word /b
COPY --from=base /word /c
END
chmod 640 inline/Dockerfile
sed "s|^FROM  $B:1|&@$(digest_of "$B:1")|; s|--from=$B:2|&@$(digest_of "$B:2")|" inline/Dockerfile > wanted
expect_ok "$MICA" lock -f inline/Dockerfile
expect_ok "$MICA" lock --inline -f inline/Dockerfile
stdout_is "inline/Dockerfile:3: $B:1 to $B:1@$(digest_of "$B:1")
inline/Dockerfile:7: $B:2 to $B:2@$(digest_of "$B:2")
removed $B:1"
stderr_has "inline/Dockerfile:5: \$X stays: it is no plain name"
cmp wanted inline/Dockerfile || fail "the Dockerfile was not rewritten as it should be"
equal "mode" 640 "$(stat -c %a inline/Dockerfile)"
equal "what the lock still has" "$B:2" "$(jq -r '.images | keys | join(" ")' inline/mica.lock)"
expect_ok build --locked -o out4 inline
equal "built" "$B:2 $B:4 $B:1" "$(cat out4/a out4/b out4/c | xargs)"
expect_ok "$MICA" lock --inline -f inline/Dockerfile
cmp wanted inline/Dockerfile || fail "a second time changed something"
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$B:3" "docker://$B:1"
before=$(sed -n 's/^FROM  \([^ ]*\) .*/\1/p' inline/Dockerfile)
expect_ok "$MICA" lock --inline --update -f inline/Dockerfile
stdout_is "inline/Dockerfile:3: $before to $B:1@$(digest_of "$B:3")"
