# Images come from a registry whole, once, and with the lines that scripts wait for. skopeo puts them there; every common form of
# layer and manifest is taken.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_program skopeo jq docker-registry
start_registry
other=$MICA_ROOT.other   # the machine on which images are made
busybox_tar
mkdir -p app
for n in 1 2 3; do mkdir "app/f$n"; for i in $(seq 40); do echo "$n $i" > "app/f$n/$i"; done; done
printf 'FROM base:1\nCOPY f1 /srv/f1\nCOPY f2 /srv/f2\nRUN rm -r /srv/f1/1 /srv/f2 && mkdir /srv/f2 && touch /srv/f2/new\nCOPY f3 /srv/f3\nCMD ["cat", "/srv/f3/7"]\n' > app/Dockerfile
elsewhere() { MICA_ROOT=$other "$MICA" "$@"; }
elsewhere import -c 'CMD ["sh"]' "$BUSYBOX_TAR" base:1 > /dev/null
elsewhere build -q -t app:1 -o type=image -o type=oci,dest=app.tar app > /dev/null 2>&1
mkdir layout && tar -xf app.tar -C layout
put() { skopeo copy -q --dest-tls-verify=false "$@" || fail "skopeo could not copy: $*"; }
put oci:layout "docker://$REGISTRY/team/app:1"
digest=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:1" | sha256sum | cut -c-64)
config=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:1" | jq -r .config.digest)

before=$(wc -l < "$REGISTRY_LOG")
asked() { tail -n "+$((before + 1))" "$REGISTRY_LOG" | grep -cE "$1" || true; }
expect_ok "$MICA" pull "$REGISTRY/team/app:1"
stdout_has "1: Pulling from team/app"
stdout_has "Digest: sha256:$digest"
stdout_has "Status: Downloaded newer image for $REGISTRY/team/app:1"
equal "the last line" "$REGISTRY/team/app:1" "$(tail -1 .stdout)"
equal "layers fetched" 5 "$(grep -c ': Pull complete$' .stdout)"
equal "the image's id" "$config" "$(image_id "$REGISTRY/team/app:1")"
equal "requests for blobs" 6 "$(asked '"GET /v2/team/app/blobs/')"
equal "requests for manifests" 1 "$(asked '"(GET|HEAD) /v2/team/app/manifests/')"
expect_ok "$MICA" run --rm --network none "$REGISTRY/team/app:1"
stdout_is "3 7"
expect_ok "$MICA" run --rm --network none "$REGISTRY/team/app:1" ls /srv/f1 /srv/f2
! grep -qx 1 .stdout || fail "what a layer removes is still there"
stdout_has new
expect_ok "$MICA" fsck

# Up to date: one request, nothing fetched.
before=$(wc -l < "$REGISTRY_LOG")
expect_ok "$MICA" pull "$REGISTRY/team/app:1"
stdout_has "Status: Image is up to date for $REGISTRY/team/app:1"
equal "requests" 1 "$(asked '"(GET|HEAD) /v2/')"

# Quiet; by digest; a tag beside a digest is only a label.
"$MICA" rmi -f "$REGISTRY/team/app:1" > /dev/null
expect_ok "$MICA" pull -q "$REGISTRY/team/app@sha256:$digest"
stdout_is "$REGISTRY/team/app@sha256:$digest"
expect_ok "$MICA" images --digests
stdout_has "sha256:$digest"
expect_ok "$MICA" pull -q "$REGISTRY/team/app:nosuchtag@sha256:$digest"

# Layers that are here are not fetched, whichever image brought them.
printf 'FROM app:1\nRUN echo more > /more\n' > more.Dockerfile
elsewhere build -q -t more:1 -f more.Dockerfile -o type=image -o type=oci,dest=more.tar app > /dev/null 2>&1
mkdir more && tar -xf more.tar -C more
put oci:more "docker://$REGISTRY/more:1"
before=$(wc -l < "$REGISTRY_LOG")
expect_ok "$MICA" pull "$REGISTRY/more:1"
equal "layers that were here" 5 "$(grep -c ': Already exists$' .stdout)"
equal "layers fetched" 1 "$(grep -c ': Pull complete$' .stdout)"
equal "requests for blobs" 2 "$(asked '"GET /v2/more/blobs/')"

# Docker's schema 2; zstd layers; plain layers.
id=$(image_id "$REGISTRY/more:1")
elsewhere tag more:1 "$REGISTRY/zstd:1"
elsewhere tag more:1 "$REGISTRY/uncompressed:1"
put --format v2s2 oci:more "docker://$REGISTRY/v2s2:1"
for form in zstd uncompressed v2s2; do
  [[ $form == v2s2 ]] || elsewhere push -q --force-compression --compression $form "$REGISTRY/$form:1" > /dev/null
  "$MICA" rmi -f "$id" > /dev/null
  "$MICA" image prune -af > /dev/null
  expect_ok "$MICA" pull -q "$REGISTRY/$form:1"
  equal "the id of $form" "$id" "$(image_id "$REGISTRY/$form:1")"
done

# Several platforms: ours is chosen, another on request; what is not there is said with what is.
elsewhere build -q --platform linux/amd64,linux/arm64 -t many:1 -o type=oci,dest=many.tar - <<< $'FROM scratch\nLABEL a=b' > /dev/null 2>&1
mkdir many && tar -xf many.tar -C many
put --all oci:many "docker://$REGISTRY/many:1"
expect_ok "$MICA" pull -q "$REGISTRY/many:1"
equal "platform" amd64 "$("$MICA" inspect -f '{{.Architecture}}' "$REGISTRY/many:1")"
expect_ok "$MICA" pull -q --platform linux/arm64 "$REGISTRY/many:1"
equal "platform" arm64 "$("$MICA" inspect -f '{{.Architecture}}' "$REGISTRY/many:1")"
expect_fail 1 "$MICA" pull --platform linux/s390x "$REGISTRY/many:1"
stderr_has "no matching manifest for linux/s390x"
stderr_has "linux/arm64"

# All tags.
put oci:layout "docker://$REGISTRY/team/app:2"
expect_ok "$MICA" pull -a "$REGISTRY/team/app"
equal "tags here" "1 2" "$("$MICA" images --format '{{.Tag}}' "$REGISTRY/team/app" | sort | xargs)"
expect_fail 1 "$MICA" pull -a "$REGISTRY/team/app:1"

# What is not there.
expect_fail 1 "$MICA" pull "$REGISTRY/team/app:nosuch"
stderr_has "manifest unknown"
expect_fail 1 "$MICA" pull "$REGISTRY/no/such"
expect_fail 1 "$MICA" pull "$REGISTRY/Team/app"
stderr_has "must be lowercase"

# A build fetches its base by the same path, keeps its name, and needs no registry the next time.
"$MICA" rmi -f "$REGISTRY/team/app:1" "$REGISTRY/team/app:2" > /dev/null
expect_ok build -t mine - <<< "FROM $REGISTRY/team/app:1"$'\nRUN cat /srv/f3/9 > /nine'
stderr_has "load metadata for $REGISTRY/team/app:1"
stop_registry "$REGISTRY_PID"
expect_ok build -t mine - <<< "FROM $REGISTRY/team/app:1"$'\nRUN cat /srv/f3/8 > /eight'
expect_ok "$MICA" fsck
