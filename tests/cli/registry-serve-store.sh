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
