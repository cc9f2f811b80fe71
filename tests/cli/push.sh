# Images go to a registry once, the same bytes from anywhere, and come back. skopeo and the registry's log are the witnesses.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_program skopeo jq docker-registry
start_registry
export SOURCE_DATE_EPOCH=1700000000
busybox_image base:1
mkdir app
for i in $(seq 200); do echo "content $i" > "app/$i"; done
printf 'FROM base:1\nCOPY . /app\nRUN echo built > /built\n' > Dockerfile
build_at() { MICA_ROOT=$1 "$MICA" build -q -f Dockerfile -t "$2" app > /dev/null 2>&1; }
build_at "$MICA_ROOT" "$REGISTRY/team/app:1"
mark() { marked=$(wc -l < "$REGISTRY_LOG"); }
since() { tail -n "+$((marked + 1))" "$REGISTRY_LOG" | grep -cE "$1" || true; }

mark
expect_ok "$MICA" push "$REGISTRY/team/app:1"
stdout_has "The push refers to repository [$REGISTRY/team/app]"
equal "layers sent" 3 "$(grep -c ': Pushed$' .stdout)"
digest=$(sed -nE 's/^1: digest: (sha256:[0-9a-f]{64}) size: [0-9]+$/\1/p' .stdout)
equal "the digest in the registry" "$digest" "sha256:$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:1" | sha256sum | cut -c-64)"
skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/team/app:1" oci:witness:1 || fail "skopeo cannot read what was pushed"
equal "manifests put" 1 "$(since '"PUT /v2/team/app/manifests/')"

# Again: one request.
mark
expect_ok "$MICA" push "$REGISTRY/team/app:1"
stdout_has "Layer already exists"
stdout_has "digest: $digest"
[[ $(since '"[A-Z]+ /v2/') -le 3 ]] || fail "too many requests for what was there"
equal "uploads" 0 "$(since '"(POST|PATCH|PUT) ')"

# Another tag of what is there: only the manifest moves.
"$MICA" tag "$REGISTRY/team/app:1" "$REGISTRY/team/app:2"
mark
expect_ok "$MICA" push -q "$REGISTRY/team/app:2"
stdout_is "$REGISTRY/team/app:2"
equal "uploads" 0 "$(since '"(POST|PATCH) ')"

# The same image from another store gives the same bytes.
MICA_ROOT=$MICA_ROOT.two
busybox_image base:1
build_at "$MICA_ROOT" "$REGISTRY/team/app:1"
expect_ok "$MICA" push "$REGISTRY/team/app:1"
stdout_has "digest: $digest"
MICA_ROOT=${MICA_ROOT%.two}

# To another repository of the same registry: mounted, not sent.
"$MICA" tag "$REGISTRY/team/app:1" "$REGISTRY/other/app:1"
mark
expect_ok "$MICA" push "$REGISTRY/other/app:1"
stdout_has "Mounted from team/app"
stdout_has "digest: $digest"
equal "bodies sent" 0 "$(since '"(PATCH|PUT) /v2/other/app/blobs')"

# Other compressions on request.
for compression in zstd uncompressed; do
  expect_ok "$MICA" push -q --force-compression --compression "$compression" "$REGISTRY/team/app:1"
  types=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:1" | jq -r '.layers[].mediaType' | sort -u)
  [[ $compression == zstd ]] && want=application/vnd.oci.image.layer.v1.tar+zstd || want=application/vnd.oci.image.layer.v1.tar
  equal "layers of $compression" "$want" "$types"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/team/app:1" oci:$compression:1 || fail "skopeo cannot read $compression layers"
done

# What was pulled goes as it came: zstd layers and Docker's own media types alike.
skopeo copy -q --dest-tls-verify=false --format v2s2 oci:witness:1 "docker://$REGISTRY/v2s2:1" || fail "skopeo could not copy"
"$MICA" tag "$REGISTRY/team/app:1" "$REGISTRY/zstd:1"
expect_ok "$MICA" push -q --force-compression --compression zstd "$REGISTRY/zstd:1"
for form in zstd v2s2; do
  MICA_ROOT=$MICA_ROOT.three
  rm -rf "$MICA_ROOT"
  expect_ok "$MICA" pull -q "$REGISTRY/$form:1"
  "$MICA" tag "$REGISTRY/$form:1" "$REGISTRY/again:1"
  expect_ok "$MICA" push -q "$REGISTRY/again:1"
  MICA_ROOT=${MICA_ROOT%.three}
  raw() { skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1:1" | sha256sum; }
  equal "the manifest of $form" "$(raw $form)" "$(raw again)"
done
expect_fail 1 "$MICA" push --compression lzma "$REGISTRY/team/app:1"
expect_fail 1 "$MICA" push --compression-level 77 "$REGISTRY/team/app:1"

# A build pushes what it made: one image, or an index of several platforms.
expect_ok build --push -t "$REGISTRY/built:1" -f Dockerfile app
stderr_has "pushing $REGISTRY/built:1 with digest sha256:"
skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/built:1" oci:built:1 || fail "skopeo cannot read what a build pushed"
printf 'FROM scratch\nLABEL x=y\nCOPY 1 /one\n' > many.Dockerfile
expect_ok build -o type=image,push=true,compression=zstd -t "$REGISTRY/many:1" --platform linux/amd64,linux/arm64 --annotation a=b --metadata-file meta.json -f many.Dockerfile app
skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/many:1" > index.json
equal "platforms pushed" "amd64 arm64" "$(jq -r '.manifests[].platform.architecture' index.json | xargs)"
equal "the digest in the metadata" "sha256:$(sha256sum < index.json | cut -c-64)" "$(jq -r '."containerimage.digest"' meta.json)"
skopeo copy -q --all --src-tls-verify=false "docker://$REGISTRY/many:1" dir:many || fail "skopeo cannot read an index that a build pushed"
expect_fail 1 build --push -f Dockerfile app
stderr_has "tag is needed when pushing to registry"

# All tags; what is not here.
"$MICA" tag base:1 "$REGISTRY/all/app:a"
"$MICA" tag base:1 "$REGISTRY/all/app:b"
expect_ok "$MICA" push -a "$REGISTRY/all/app"
equal "tags in the registry" '["a","b"]' "$(skopeo list-tags --tls-verify=false "docker://$REGISTRY/all/app" | jq -c ".Tags | sort")"
expect_fail 1 "$MICA" push "$REGISTRY/no/such:1"
stderr_has "An image does not exist locally with the tag: $REGISTRY/no/such"
expect_fail 1 "$MICA" push base@sha256:0000000000000000000000000000000000000000000000000000000000000000
stderr_has "cannot push a digest reference"
expect_ok "$MICA" fsck
store_is_clean
