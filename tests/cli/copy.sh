# Images, indexes and artifacts between registries, layouts and archives: nothing changes on the way, nothing is moved twice, and no store is
# needed. skopeo and a registry are the witnesses.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_program skopeo jq python3 docker-registry
export TMPDIR=$PWD/tmp
mkdir -p "$TMPDIR"

python3 "$support/sample_images.py" source
start_registry
one=$REGISTRY one_log=$REGISTRY_LOG
start_registry
two=$REGISTRY two_log=$REGISTRY_LOG
digest_in() { jq -r --arg name "$2" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name).digest' "$1/index.json"; }
raw_digest() { skopeo inspect --raw --tls-verify=false "docker://$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
# Everything that a name stands for can be fetched by somebody else.
readable() { rm -rf .witness; skopeo copy --quiet --all --src-tls-verify=false "docker://$1" dir:.witness || fail "skopeo cannot read $1"; }
# The requests that reached a registry since mark(), one a line: "GET /v2/...".
mark() { marked_one=$(wc -l < "$one_log") marked_two=$(wc -l < "$two_log"); }
requests() { tail -n "+$(($2 + 1))" "$1" | { grep -oE '"(GET|HEAD|PUT|POST|PATCH|DELETE) /v2/[^ ]*' || true; } | cut -c2-; }
requests_one() { requests "$one_log" "$marked_one"; }
requests_two() { requests "$two_log" "$marked_two"; }
multi=$(digest_in source multi)
single=$(digest_in source single)
artifact=$(digest_in source artifact)

# A layout to a registry: the whole index, whatever stands in it.
expect_ok "$MICA" copy oci:source:multi "$one/team/multi:1"
stdout_has "Digest: $multi"
equal "the index in the registry" "$multi" "$(raw_digest "$one/team/multi:1")"
readable "$one/team/multi:1"
equal "what skopeo found" 3 "$(find .witness -name '*.manifest.json' | wc -l)"
expect_ok "$MICA" copy -q oci:source:artifact "docker://$one/artifact"
stdout_is "$artifact"
equal "the artifact in the registry" "$artifact" "$(raw_digest "$one/artifact:latest")"
[[ ! -e $MICA_ROOT ]] || fail "copying opened a store"

# Registry to registry. Each blob is asked for and sent once; the manifests go last, the name at the very end.
mark
expect_ok "$MICA" copy --format json "$one/team/multi:1" "$two/multi:1"
equal "the copy" "$multi" "$(jq -r .Digest .stdout)"
equal "blobs sent" "7 0 0" "$(jq -r '"\(.BlobsSent) \(.BlobsMounted) \(.BlobsThere)"' .stdout)"
equal "documents" 4 "$(jq -r .Documents .stdout)"
requests_one > .one
requests_two > .two
equal "requests to the source: a manifest or a blob each" "11 11" "$(wc -l < .one) $(grep -c '^GET' .one)"
equal "read twice" "" "$(sort .one | uniq -d)"
equal "asked for twice" "" "$(grep ^HEAD .two | sort | uniq -d)"
# The name and three documents are looked up, so are seven blobs; six are small enough for one request behind the POST.
equal "requests to the target" "11 HEAD 1 PATCH 7 POST 11 PUT" "$(cut -d' ' -f1 .two | sort | uniq -c | xargs)"
equal "the last to be put" "PUT /v2/multi/manifests/1" "$(tail -1 .two)"
equal "the index in the other registry" "$multi" "$(raw_digest "$two/multi:1")"
readable "$two/multi:1"

# Again: two questions, and nothing else.
mark
expect_ok "$MICA" copy --format '{{.Status}}' "$one/team/multi:1" "$two/multi:1"
stdout_is unchanged
equal "requests" "HEAD /v2/team/multi/manifests/1 HEAD /v2/multi/manifests/1" "$(requests_one) $(requests_two)"

# Inside one registry: blobs are mounted, another tag of the same repository is one request.
expect_ok "$MICA" copy --format json "$one/team/multi:1" "$one/other/multi:2"
equal "blobs mounted" "0 7" "$(jq -r '"\(.BlobsSent) \(.BlobsMounted)"' .stdout)"
equal "the mounted index" "$multi" "$(raw_digest "$one/other/multi:2")"
readable "$one/other/multi:2"
mark
expect_ok "$MICA" copy --format '{{.Documents}}' "$one/other/multi:2" "$one/other/multi:3"
stdout_is 1
equal "requests for another tag" "HEAD /v2/other/multi/manifests/3 GET /v2/other/multi/manifests/2 PUT /v2/other/multi/manifests/3" "$(requests_one | xargs)"
equal "the other tag" "$multi" "$(raw_digest "$one/other/multi:3")"

# One platform: its own manifest, unchanged.
expect_ok "$MICA" copy -q --platform linux/amd64 "$one/team/multi:1" "$two/amd64:1"
stdout_is "$single"
equal "the platform's manifest" "$single" "$(raw_digest "$two/amd64:1")"
expect_fail 1 "$MICA" copy --platform linux/s390x "$one/team/multi:1" "$two/s390x:1"
stderr_has "no matching manifest for linux/s390x"
stderr_has "linux/amd64, linux/arm64"
expect_fail 1 "$MICA" copy --all --platform linux/amd64 "$one/team/multi:1" "$two/x"
expect_ok "$MICA" copy -q "$one/team/multi@$single" "$two/pinned:1"
equal "a copy by digest" "$single" "$(raw_digest "$two/pinned:1")"

# Layouts: a name at a time, others stay.
expect_ok "$MICA" copy -q "$one/team/multi:1" oci:layout:first
expect_ok "$MICA" copy -q "$one/artifact" oci:layout:thing
equal "names in the layout" "first thing" "$(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' layout/index.json | sort | xargs)"
equal "the index in the layout" "$multi" "$(digest_in layout first)"
for blob in layout/blobs/sha256/*; do equal "a blob" "$(basename "$blob")" "$(sha256sum < "$blob" | sed 's/ .*//')"; done
skopeo copy --quiet --all oci:layout:first oci:again:first || fail "skopeo cannot read the layout"
expect_ok "$MICA" copy --format '{{.Status}}' "$one/team/multi:1" oci:layout:first
stdout_is unchanged
expect_ok "$MICA" copy -q oci:layout:first oci:layout:second
expect_fail 1 "$MICA" copy oci:layout "$two/which"
stderr_has "holds 3 images"
stderr_has "first, thing, second"
expect_fail 1 "$MICA" copy oci:layout:nope "$two/which"
mkdir things && touch things/x
expect_fail 1 "$MICA" copy oci:source:single oci:things:1
stderr_has "holds other things"

# Archives.
expect_ok "$MICA" copy -q "$one/team/multi:1" oci-archive:multi.tar:name
skopeo copy --quiet --all oci-archive:multi.tar:name oci:unpacked:name || fail "skopeo cannot read the archive"
equal "the index in the archive" "$multi" "$(digest_in unpacked name)"
expect_ok "$MICA" copy -q oci-archive:multi.tar "$two/archived:1"
equal "the index out of the archive" "$multi" "$(raw_digest "$two/archived:1")"
gzip -k multi.tar
expect_ok "$MICA" copy -q oci-archive:multi.tar.gz oci:unzipped:1
equal "the index out of a compressed archive" "$multi" "$(digest_in unzipped 1)"
expect_ok "$MICA" copy -q --platform linux/amd64 "$one/team/multi:1" docker-archive:image.tar:example/app:7
equal "the name in the archive" '["example/app:7"]' "$(tar -xOf image.tar manifest.json | jq -c '.[0].RepoTags')"
config=$(jq -r .config.digest "source/blobs/sha256/${single#*:}")
equal "the image in the archive" "$config" "sha256:$(skopeo inspect --config --raw docker-archive:image.tar | sha256sum | sed 's/ .*//')"
# The same bytes each time, and what save writes is written the same way.
expect_ok "$MICA" copy -q oci:source:single docker-archive:image2.tar:example/app:7
cmp image.tar image2.tar || fail "archives of one image differ"
# Both forms of Docker's archives are read, to equal manifests.
expect_ok "$MICA" copy -q docker-archive:image.tar:example/app:7 "$two/fromnew:1"
skopeo copy --quiet docker-archive:image.tar docker-archive:old.tar:example/app:7 || fail "skopeo cannot read the archive"
expect_ok "$MICA" copy -q docker-archive:old.tar "$two/fromold:1"
equal "one image, two archives" "$(raw_digest "$two/fromnew:1")" "$(raw_digest "$two/fromold:1")"
equal "the image is the same" "$config" "$(skopeo inspect --raw --tls-verify=false "docker://$two/fromold:1" | jq -r .config.digest)"
readable "$two/fromold:1"
expect_fail 1 "$MICA" copy docker-archive:image.tar:nope/nope:1 "$two/x"
stderr_has example/app:7
expect_fail 1 "$MICA" copy docker-archive:multi.tar "$two/x"
stderr_has "oci-archive: reads it"
# Streams.
"$MICA" copy oci:source:single oci-archive:-:s | "$MICA" copy -q oci-archive:- "$two/streamed:1" > /dev/null || fail "a stream from one copy to another"
equal "the streamed image" "$single" "$(raw_digest "$two/streamed:1")"
"$MICA" copy "$two/streamed:1" docker-archive:- 2> /dev/null | tar -t > .names || fail "a stream"
grep -q manifest.json .names || fail "no archive in the stream"

# Referrers: by subject, of the index and of what is in it; and cosign's tags.
expect_ok "$MICA" copy -q "$one/artifact" "$one/team/multi:sha256-${single#*:}.sig"
expect_ok "$MICA" copy -q --referrers oci:source:multi "$one/team/multi:1"
expect_ok "$MICA" copy -q --referrers "$one/team/multi:1" "$two/signed:1"
for subject in "$multi" "$single"; do
  fallback=$(skopeo inspect --raw --tls-verify=false "docker://$two/signed:sha256-${subject#*:}") || fail "no referrers of $subject"
  equal "referrers of $subject" 1 "$(jq '.manifests | length' <<< "$fallback")"
  readable "$two/signed@$(jq -r '.manifests[0].digest' <<< "$fallback")"
done
equal "the signature's tag" "$artifact" "$(raw_digest "$two/signed:sha256-${single#*:}.sig")"
expect_ok "$MICA" copy --format '{{.Status}}' --referrers "$one/team/multi:1" "$two/signed:1"
stdout_is unchanged
expect_ok "$MICA" copy -q --referrers "$one/team/multi:1" oci:withall:1
equal "entries of the layout" 4 "$(jq '.manifests | length' withall/index.json)"
expect_ok "$MICA" copy -q "$one/team/multi:1" "$two/unsigned:1"
expect_fail skopeo inspect --raw --tls-verify=false "docker://$two/unsigned:sha256-${multi#*:}"

# What is wrong is not passed on, and the name stays what it was.
cp -a source broken
for blob in $(jq -r '.layers[].digest' "source/blobs/sha256/${single#*:}"); do printf x | dd of="broken/blobs/sha256/${blob#*:}" bs=1 seek=15000 conv=notrunc status=none; done
expect_ok "$MICA" copy -q oci:source:artifact "$two/damaged:1"
expect_fail 1 "$MICA" copy oci:broken:single "$two/damaged:1"
stderr_has "not those that its digest names"
equal "the name after a failed copy" "$artifact" "$(raw_digest "$two/damaged:1")"
expect_fail 1 "$MICA" copy oci:broken:single oci:halfway:1
[[ ! -e halfway/index.json ]] || fail "a failed copy is entered"
equal "left by a failed copy" "" "$(find halfway -name '*.partial')"
expect_fail 1 "$MICA" copy oci:broken:single oci-archive:broken.tar
[[ ! -e broken.tar ]] || fail "a failed copy leaves an archive"
blob=$(jq -r '.layers[0].digest' "source/blobs/sha256/${single#*:}")
data=$(find "registry-1/data" -path "*${blob#*:}/data")
cp "$data" kept.blob
printf x | dd of="$data" bs=1 seek=3000000 conv=notrunc status=none
expect_fail 1 "$MICA" copy "$one/team/multi@$single" "$two/damaged:1"
stderr_has "not those that its digest names"
equal "the name after a failed copy" "$artifact" "$(raw_digest "$two/damaged:1")"
cp kept.blob "$data"
expect_ok "$MICA" copy -q "$one/team/multi@$single" "$two/damaged:1"
expect_fail 1 "$MICA" copy "$one/nothing:1" "$two/x:1"
stderr_has "$one/nothing:1"
expect_fail 1 "$MICA" copy docker-daemon:x:1 "$two/x:1"
stderr_has "place of another program"
expect_fail 1 "$MICA" copy oci: "$two/x:1"

# Nothing stays behind.
equal "temporary files" "" "$(ls -A "$TMPDIR")"
equal "temporary folders beside archives" "" "$(find . -maxdepth 1 -name '.mica-copy*')"
[[ ! -e $MICA_ROOT ]] || fail "copying opened a store"
