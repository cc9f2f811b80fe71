# The store as a registry: its images are pulled, and what is pushed becomes an image.
source "$(dirname "$0")/../support/cli.sh"
needs_root "unpacking layers with their owners"
needs_program curl jq skopeo
"$MICA" version > /dev/null
busybox_image team/s:1
printf 'FROM team/s:1\nCOPY file /file\nCMD ["cat", "/file"]\n' > Dockerfile
echo content > file
expect_ok build -t app:2 .
"$MICA" registry serve > .address 2> .server &
server=$!
trap 'kill -9 $server 2> /dev/null || true' EXIT
for i in $(seq 200); do [[ ! -s .address ]] || break; sleep 0.05; done
url=$(cat .address) host=$(sed 's,^http://,,' .address)
[[ -n $host ]] || fail "no address: $(cat .server)"
status_of() { curl -sS -o .body -w '%{http_code}' "$@"; }

# Pulled by others, again with the same digest, and by mica itself elsewhere.
equal "the catalog" '{"repositories":["app","team/s"]}' "$(curl -sS "$url/v2/_catalog")"
expect_ok skopeo copy --src-tls-verify=false "docker://$host/app:2" oci:out:app:2
digest=$(curl -sSI "$url/v2/app/manifests/2" | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')
equal "the digest of what was pulled" "$digest" "$(jq -r '.manifests[0].digest' out/index.json)"
equal "the image's id" "$(image_id app:2)" "$(jq -r .config.digest "out/blobs/sha256/${digest#sha256:}")"
equal "by its digest" 200 "$(status_of "$url/v2/app/manifests/$digest")"
equal "an official image's other name" 200 "$(status_of "$url/v2/library/app/manifests/2")"
equal "a tag that is not there" 404 "$(status_of "$url/v2/app/manifests/9")"
equal "a name that is not there" 404 "$(status_of "$url/v2/nothing/tags/list")"

# Pushed: unpacked, named, and a container of it runs.
expect_ok skopeo copy --dest-tls-verify=false oci:out:app:2 "docker://$host/pushed/app:3"
equal "the pushed image" "$(image_id app:2)" "$(image_id pushed/app:3)"
other=$PWD/other
"$MICA" --root "$other" registry serve > .other 2> .other.err &
second=$!
trap 'kill -9 $server $second 2> /dev/null || true' EXIT
for i in $(seq 200); do [[ ! -s .other ]] || break; sleep 0.05; done
there=$(sed 's,^http://,,' .other)
expect_ok skopeo copy --src-tls-verify=false --dest-tls-verify=false "docker://$host/app:2" "docker://$there/ghcr.io/x/app:2"
expect_ok "$MICA" --root "$other" inspect -f '{{.Id}}' ghcr.io/x/app:2
stdout_is "$(image_id app:2)"
equal "the digest after a second store" "$digest" "$(curl -sSI "http://$there/v2/ghcr.io/x/app/manifests/2" | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')"
expect_ok "$MICA" --root "$other" run --rm --network=none ghcr.io/x/app:2
stdout_is content

# An index: the image for this machine is kept.
expect_ok skopeo copy --src-tls-verify=false --format oci "docker://$host/app:2" oci:multi:one
entry=$(jq -c '.manifests[0] | del(.annotations)' multi/index.json)
arch=$("$MICA" inspect -f '{{.Architecture}}' app:2)
jq -nc --argjson e "$entry" --arg a "$arch" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [$e + {platform: {os: "linux", architecture: $a}}]}' > index
equal "pushing an index" 201 "$(status_of -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @index "$url/v2/app/manifests/multi")"
equal "the image of an index" "$(image_id app:2)" "$(image_id app:multi)"

# An index of several platforms comes out as it went in: by tag, by digest, with all it names; also after a collection and in another server.
for platform in amd64 arm64 s390x; do
  printf 'FROM scratch\nCOPY file /file-%s\n' "$platform" > Dockerfile
  "$MICA" build -q --platform "linux/$platform" -o "type=oci,dest=many,tar=false,name=many:$platform" . > /dev/null
done
jq -c '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", annotations: {keep: "me"},
  manifests: [.manifests[] | . + {platform: {os: "linux", architecture: .annotations["org.opencontainers.image.ref.name"]}} | del(.annotations)]}' many/index.json > many.index
many=$(sha256sum many.index | cut -d' ' -f1)
cp many.index "many/blobs/sha256/$many"
jq -nc --arg d "sha256:$many" --argjson s "$(stat -c %s many.index)" \
  '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.index.v1+json", digest: $d, size: $s, annotations: {"org.opencontainers.image.ref.name": "all"}}]}' > many/index.json
expect_ok skopeo copy -q --all --dest-tls-verify=false oci:many:all "docker://$host/multi/app:1"
all_there() {  # of the server at $host
  local digest
  equal "the index by its tag" "$many" "$(curl -sS "http://$host/v2/multi/app/manifests/1" | sha256sum | cut -d' ' -f1)"
  equal "the index by its digest" "$many" "$(curl -sS "http://$host/v2/multi/app/manifests/sha256:$many" | sha256sum | cut -d' ' -f1)"
  equal "its type" application/vnd.oci.image.index.v1+json "$(curl -sSI "http://$host/v2/multi/app/manifests/1" | tr -d '\r' | sed -n 's/^content-type: //Ip')"
  for digest in $(jq -r '.manifests[].digest' many.index); do
    equal "a platform's manifest" "$digest" "sha256:$(curl -sS "http://$host/v2/multi/app/manifests/$digest" | sha256sum | cut -d' ' -f1)"
  done
  expect_ok skopeo copy -q --all --src-tls-verify=false "docker://$host/multi/app:1" "oci:back-$((++backs)):all"
  equal "what came back" "sha256:$many" "$(jq -r '.manifests[0].digest' "back-$backs/index.json")"
}
backs=0
all_there
equal "the image of this machine" "$arch" "$("$MICA" inspect -f '{{.Architecture}}' multi/app:1)"
kill $server && wait $server || true
expect_ok "$MICA" system prune -f
"$MICA" registry serve > .address 2> .server &
server=$!
for i in $(seq 200); do [[ $(cat .address) != http* ]] || break; sleep 0.05; done
url=$(cat .address) host=$(sed 's,^http://,,' .address)
all_there
# One without an image for this machine; and the tag, when it names something else.
jq -c '.manifests |= map(select(.platform.architecture == "s390x"))' many.index > s390x.index
equal "an index for other machines" 201 "$(status_of -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @s390x.index "$url/v2/multi/app/manifests/far")"
equal "its image" s390x "$("$MICA" inspect -f '{{.Architecture}}' multi/app:far)"
equal "its bytes" "$(sha256sum < s390x.index)" "$(curl -sS "$url/v2/multi/app/manifests/far" | sha256sum)"
expect_ok "$MICA" tag app:2 multi/app:1
equal "the tag's new image" "$digest" "$(curl -sSI "$url/v2/multi/app/manifests/1" | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')"
expect_ok "$MICA" rmi multi/app:far
expect_ok "$MICA" system prune -f
equal "a platform's manifest when its index is gone" 404 "$(status_of "$url/v2/multi/app/manifests/$(jq -r '.manifests[] | select(.platform.architecture == "s390x").digest' many.index)")"
expect_ok "$MICA" rmi multi/app:1

# Refusals.
equal "removing an image over the network" 405 "$(status_of -X DELETE "$url/v2/app/manifests/$digest")"
equal "removing a tag" 202 "$(status_of -X DELETE "$url/v2/app/manifests/multi")"
expect_fail 1 "$MICA" inspect app:multi
layer=$(jq -r '.layers[0].digest' "out/blobs/sha256/${digest#sha256:}")
equal "removing a blob" 405 "$(status_of -X DELETE "$url/v2/app/blobs/$layer")"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.example","digest":"%s","size":%s},"layers":[]}' \
  "$layer" "$(stat -c %s "out/blobs/sha256/${layer#sha256:}")" > artifact
equal "an artifact" 400 "$(status_of -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @artifact "$url/v2/app/manifests/artifact")"
kill $server $second
wait $server || fail "the server ended with status $?"
wait $second || fail "the server ended with status $?"
trap - EXIT
store_is_clean
