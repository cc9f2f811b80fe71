# Copying on a bad day: blobs go from one registry to the other without a file between, so what breaks on either side is taken up on both.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_program skopeo
python3 "$support/sample_images.py" source
single=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "single").digest' source/index.json)
layer=$(jq -r '.layers[0].digest' "source/blobs/sha256/${single#*:}")
size=$(jq -r '.layers[0].size' "source/blobs/sha256/${single#*:}")
start_registry
start_faulty
# A registry that is good before and behind the bad one.
expect_ok "$MICA" copy -q oci:source:single "$REGISTRY/app:1"
expect_ok "$MICA" copy -q oci:source:single "$FAULTY/app:1"
number=0
raw_digest() { skopeo inspect --raw --tls-verify=false "docker://$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
whole() { rm -rf .witness; skopeo copy --quiet --src-tls-verify=false "docker://$1" dir:.witness || fail "skopeo cannot read $1"; equal "$1" "$single" "$(raw_digest "$1")"; }
# The registry was told that the upload ends here, has no such layer in the repository, and no such name.
given_up() {
  # Smaller blobs under way at that moment are cancelled too.
  [[ $(requests_to "DELETE /v2/$name/blobs/uploads/") -ge 1 ]] || fail "no upload was cancelled"
  equal "the layer in the repository" "" "$(find "$REGISTRY_FOLDER/data" -path "*/repositories/$name/_layers/*${layer#*:}*")"
  equal "names in the repository" "" "$(find "$REGISTRY_FOLDER/data" -path "*/repositories/$name/_manifests/tags/*")"
}
fresh_name() { no_faults; forget_requests; name=app$((++number)); }

# The source breaks off twice: it goes on there, and the target gets each byte once.
fresh_name
fault "{\"method\": \"GET\", \"path\": \"${layer#*:}\", \"drop\": \"close\", \"at\": 1500000, \"count\": 1}" \
  "{\"method\": \"GET\", \"path\": \"${layer#*:}\", \"drop\": \"reset\", \"at\": 2000000, \"count\": 1}"
expect_ok "$MICA" copy "$FAULTY/app:1" "$REGISTRY/$name:1"
whole "$REGISTRY/$name:1"
equal "times that the layer was asked for" 3 "$(requests GET "${layer#*:}")"
stderr_has "trying again"
no_faults

# The target breaks off: it says how far it is, and the source is read from there, not from the beginning.
fresh_name
fault '{"method": "PATCH", "upload_drop": "reset", "upload_at": 3000000, "count": 1}'
expect_ok "$MICA" copy "$FAULTY/app:1" "$FAULTY/$name:1" --format '{{.BlobsMounted}}'
equal "mounted inside one registry" 3 "$(cat .stdout)"
fresh_name
fault '{"method": "PATCH", "upload_drop": "close", "upload_at": 3000000, "count": 1}'
expect_ok "$MICA" copy "$REGISTRY/app:1" "$FAULTY/$name:1"
whole "$FAULTY/$name:1"
mapfile -t reads < <(grep mica/ "$REGISTRY_LOG" | grep "GET /v2/app/blobs/$layer" | tail -2 | grep -oE '" 20[06] [0-9]+' | tr -d '"')
equal "the first reading, and a partial second" "200 206" "$(for read in "${reads[@]}"; do set -- $read; echo -n "$1 "; done | sed 's/ $//')"
set -- ${reads[1]}
[[ $2 -lt $size ]] || fail "all of the layer was read again"
# Whatever a registry answers now and then is tried again.
for code in 429 500 503; do
  fresh_name
  fault "{\"method\": \"HEAD|POST|PATCH|PUT\", \"status\": $code, \"retry_after\": 0, \"count\": 2}"
  expect_ok "$MICA" copy -q "$REGISTRY/app:1" "$FAULTY/$name:1"
  no_faults
  whole "$FAULTY/$name:1"
done

# Wrong bytes reach no one: the upload is given up before its end.
fresh_name
fault "{\"method\": \"GET\", \"path\": \"${layer#*:}\", \"corrupt\": 5000000}"
expect_fail 1 "$MICA" copy "$FAULTY/app:1" "$REGISTRY/$name:1"
stderr_has "not those that its digest names"
given_up

# An interrupt ends it soon, and cancels the upload.
fresh_name
fault "{\"method\": \"GET\", \"path\": \"${layer#*:}\", \"throttle\": 200000}"
"$MICA" copy -q "$FAULTY/app:1" "$REGISTRY/$name:1" > .stdout 2> .stderr &
pid=$!
sleep 1.5
kill -TERM "$pid"
started=${EPOCHREALTIME/./}
status=0
wait "$pid" || status=$?
[[ $status == 130 || $status == 143 ]] || fail "status $status of an interrupted copy"
[[ $(((${EPOCHREALTIME/./} - started) / 1000)) -lt 4000 ]] || fail "the interrupt took long"
given_up
[[ ! -e $MICA_ROOT ]] || fail "copying opened a store"
