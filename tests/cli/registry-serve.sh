# A registry over an OCI layout folder: the rules of the distribution spec row by row, skopeo against it, and what must not happen.
# timeout: 240
source "$(dirname "$0")/../support/cli.sh"
needs_program curl jq skopeo sha256sum
server=

serve() {  # ARGS...: starts a server; sets url, server
  : > .address
  "$MICA" registry serve "$@" > .address 2> .server &
  server=$!
  local i
  for i in $(seq 200); do
    [[ ! -s .address ]] || break
    kill -0 $server 2> /dev/null || fail "the server ended: $(cat .server)"
    sleep 0.05
  done
  url=$(cat .address)
  [[ $url == http* || $url == unix:* ]] || fail "no address: $url"
}
stop() {
  kill -TERM $server
  wait $server || fail "the server ended with status $?: $(cat .server)"
  server=
}
trap '[[ -z $server ]] || kill -9 $server 2> /dev/null || true' EXIT

# STATUS METHOD PATH [CURL ARGS]: one request, whose answer stays in .headers and .body
row() {
  local want=$1 method=$2 path=$3 got how=()
  shift 3
  if [[ $method == HEAD ]]; then how=(--head); else how=(-X "$method"); fi
  got=$(curl -sS --path-as-is -m 30 -H 'Expect:' -o .body -D .headers -w '%{http_code}' "${how[@]}" "$@" "$url$path") || fail "$method $path: curl failed with $?"
  [[ $got == "$want" ]] || fail "$method $path: status $got, not $want: $(head -c 500 .body)"
}
header() { tr -d '\r' < .headers | sed -n "s/^$1: //Ip" | tail -1; }
code() { jq -r '.errors[0].code' .body; }
has_code() { equal "the error code" "$1" "$(code)"; }
digest_of() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
size_of() { stat -c %s "$1"; }
octets=(-H 'Content-Type: application/octet-stream')
manifest_type=application/vnd.oci.image.manifest.v1+json
index_type=application/vnd.oci.image.index.v1+json
push_blob() {  # REPOSITORY FILE
  row 201 POST "/v2/$1/blobs/uploads/?digest=$(digest_of "$2")" "${octets[@]}" --data-binary @"$2"
}
put_manifest() {  # STATUS REPOSITORY REFERENCE FILE [TYPE]
  row "$1" PUT "/v2/$2/manifests/$3" -H "Content-Type: ${5:-$manifest_type}" --data-binary @"$4"
}
descriptor() { jq -nc --arg t "$1" --arg d "$(digest_of "$2")" --argjson s "$(size_of "$2")" '{mediaType: $t, digest: $d, size: $s}'; }
make_manifest() {  # OUT CONFIG LAYER [JQ]
  jq -nc --argjson c "$(descriptor application/vnd.oci.image.config.v1+json "$2")" --argjson l "$(descriptor application/vnd.oci.image.layer.v1.tar "$3")" \
    "{schemaVersion: 2, mediaType: \"$manifest_type\", config: \$c, layers: [\$l]} ${4:-}" > "$1"
}
slow_patch() {  # FILE: sends it to $location and does not come to an end
  rm -f pipe; mkfifo pipe
  curl -sS -T - -X PATCH "${octets[@]}" "$url$location" < pipe > /dev/null 2>&1 &
  slow=$!
  exec 9> pipe
  cat "$1" >&9
}
end_slow_patch() {
  kill $slow 2> /dev/null || true
  wait $slow 2> /dev/null || true
  exec 9>&-
}
sound() {  # every blob of the layout is what its name says, and all that index.json names is there
  local file
  for file in layout/blobs/sha256/*; do
    [[ -e $file ]] || continue
    equal "the content of a blob" "$(basename "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
  done
  jq -r '.manifests[].digest' layout/index.json | while IFS=: read -r _ hex; do [[ -e layout/blobs/sha256/$hex ]] || fail "index.json names a missing $hex"; done
}

printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}' > config
head -c 300000 /dev/urandom > layer
echo other > other
dummy=sha256:$(printf 'a%.0s' $(seq 64))

serve --storage layout:layout --addr 127.0.0.1:0
[[ $url =~ ^http://127\.0\.0\.1:[0-9]+$ ]] || fail "not a loopback address: $url"

# The API, and what is not of it.
row 200 GET /v2/
equal "the API's version" registry/2.0 "$(header Docker-Distribution-Api-Version)"
row 200 GET /v2
row 404 GET /
row 404 GET /v1/
row 405 DELETE /v2/
equal "what is allowed instead" "GET, HEAD" "$(header Allow)"
row 404 GET /v2/none/tags/list; has_code NAME_UNKNOWN
row 200 GET /v2/_catalog
equal "an empty catalog" '{"repositories":[]}' "$(cat .body)"

# Pushing a blob: in one request; POST and PUT; in pieces; as a stream.
layer_digest=$(digest_of layer)
row 404 HEAD "/v2/a/b/blobs/$layer_digest"
push_blob a/b layer
equal "where a blob is" "/v2/a/b/blobs/$layer_digest" "$(header Location)"
equal "its digest" "$layer_digest" "$(header Docker-Content-Digest)"
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
[[ $location == /v2/a/b/blobs/uploads/* && -n $(header Docker-Upload-UUID) ]] || fail "where an upload goes: $location"
equal "the range of nothing" 0-0 "$(header Range)"
row 201 PUT "$location?digest=$(digest_of config)" "${octets[@]}" --data-binary @config
row 404 GET "$location"; has_code BLOB_UPLOAD_UNKNOWN

head -c 1000 layer > piece1; head -c 1500 layer > both; tail -c 500 both > piece2
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
row 416 PATCH "$location" "${octets[@]}" -H 'Content-Range: 1000-1499' --data-binary @piece2
row 202 PATCH "$location" "${octets[@]}" -H 'Content-Range: 0-999' --data-binary @piece1
equal "the range of the first piece" 0-999 "$(header Range)"
row 416 PATCH "$location" "${octets[@]}" -H 'Content-Range: 0-999' --data-binary @piece1
equal "where the upload goes on" 0-999 "$(header Range)"
row 416 PATCH "$location" "${octets[@]}" -H 'Content-Range: 1200-1699' --data-binary @piece2
row 400 PATCH "$location" "${octets[@]}" -H 'Content-Range: 1000-1001' --data-binary @piece2; has_code SIZE_INVALID
row 400 PATCH "$location" "${octets[@]}" -H 'Content-Range: nonsense' --data-binary @piece2; has_code BLOB_UPLOAD_INVALID
row 204 GET "$location"
equal "the upload's state" 0-999 "$(header Range)"
equal "its place" "$location" "$(header Location)"
row 400 PUT "$location"; has_code DIGEST_INVALID
row 416 PUT "$location?digest=$(digest_of both)" "${octets[@]}" -H 'Content-Range: 900-1399' --data-binary @piece2
row 201 PUT "$location?digest=$(digest_of both)" "${octets[@]}" -H 'Content-Range: 1000-1499' --data-binary @piece2
row 200 GET "/v2/a/b/blobs/$(digest_of both)"
cmp -s .body both || fail "pieces make another blob"
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
row 202 PATCH "$location" "${octets[@]}" -H 'Transfer-Encoding: chunked' --data-binary @other
row 404 PATCH "${location/a\/b/c}" "${octets[@]}" --data-binary @other; has_code BLOB_UPLOAD_UNKNOWN
row 201 PUT "$location?digest=$(digest_of other)"
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
row 204 DELETE "$location"
row 404 GET "$location"
row 404 DELETE "$location"
equal "what is left of uploads" "" "$(ls layout/.uploads)"

# Wrong digests.
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
row 400 PUT "$location?digest=$dummy" "${octets[@]}" --data-binary @config; has_code DIGEST_INVALID
row 404 GET "/v2/a/b/blobs/$dummy"; has_code BLOB_UNKNOWN
row 400 POST "/v2/a/b/blobs/uploads/?digest=$dummy" "${octets[@]}" --data-binary @config; has_code DIGEST_INVALID
row 400 POST "/v2/a/b/blobs/uploads/?digest=sha256:nonsense" "${octets[@]}" --data-binary @config; has_code DIGEST_INVALID
equal "what is left of uploads" "" "$(ls layout/.uploads)"

# Pulling a blob, whole and in part.
row 200 GET "/v2/a/b/blobs/$layer_digest"
cmp -s .body layer || fail "a blob comes back as another"
equal "its type" application/octet-stream "$(header Content-Type)"
row 200 HEAD "/v2/a/b/blobs/$layer_digest"
equal "its size" 300000 "$(header Content-Length)"
equal "that ranges are served" bytes "$(header Accept-Ranges)"
row 206 GET "/v2/a/b/blobs/$layer_digest" -H 'Range: bytes=100-199'
equal "a part" "$(head -c 200 layer | tail -c 100 | sha256sum)" "$(sha256sum < .body)"
equal "which part" "bytes 100-199/300000" "$(header Content-Range)"
row 206 GET "/v2/a/b/blobs/$layer_digest" -H 'Range: bytes=299990-'
equal "the end" "$(tail -c 10 layer | sha256sum)" "$(sha256sum < .body)"
row 206 GET "/v2/a/b/blobs/$layer_digest" -H 'Range: bytes=-10'
equal "the end, counted from there" "$(tail -c 10 layer | sha256sum)" "$(sha256sum < .body)"
row 416 GET "/v2/a/b/blobs/$layer_digest" -H 'Range: bytes=300000-'
equal "what there is" "bytes */300000" "$(header Content-Range)"
row 200 GET "/v2/a/b/blobs/$layer_digest" -H 'Range: bytes=0-1,5-6'
row 304 GET "/v2/a/b/blobs/$layer_digest" -H "If-None-Match: \"$layer_digest\""

# Mounting.
row 201 POST "/v2/c/blobs/uploads/?mount=$layer_digest&from=a/b"
equal "where a mounted blob is" "/v2/c/blobs/$layer_digest" "$(header Location)"
row 202 POST "/v2/c/blobs/uploads/?mount=$dummy&from=a/b"
row 204 DELETE "$(header Location)"

# Manifests.
make_manifest manifest config layer
manifest_digest=$(digest_of manifest)
put_manifest 201 a/b 1.0 manifest
equal "where a manifest is" "/v2/a/b/manifests/$manifest_digest" "$(header Location)"
equal "its digest" "$manifest_digest" "$(header Docker-Content-Digest)"
for reference in 1.0 "$manifest_digest"; do
  row 200 GET "/v2/a/b/manifests/$reference"
  cmp -s .body manifest || fail "a manifest comes back as another"
  equal "its type" $manifest_type "$(header Content-Type)"
  equal "its digest" "$manifest_digest" "$(header Docker-Content-Digest)"
  row 200 HEAD "/v2/a/b/manifests/$reference"
  equal "its size" "$(size_of manifest)" "$(header Content-Length)"
done
row 404 GET /v2/a/b/manifests/none; has_code MANIFEST_UNKNOWN
row 404 HEAD /v2/a/b/manifests/.INVALID_MANIFEST_NAME
row 404 GET "/v2/a/b/manifests/$dummy"; has_code MANIFEST_UNKNOWN
row 404 GET "/v2/c/manifests/$manifest_digest"; has_code NAME_UNKNOWN
put_manifest 201 a/b "$manifest_digest" manifest
put_manifest 201 a/b "$manifest_digest?tag=x&tag=y" manifest
equal "tags that came with a digest" "x y" "$(tr -d '\r' < .headers | sed -n 's/^OCI-Tag: //Ip' | xargs)"
put_manifest 400 a/b "$dummy" manifest; has_code DIGEST_INVALID
put_manifest 400 a/b 1.0 manifest $index_type; has_code MANIFEST_INVALID
put_manifest 400 a/b 1.0 config; has_code MANIFEST_INVALID
put_manifest 400 a/b 1.0 layer; has_code MANIFEST_INVALID
put_manifest 400 a/b .x manifest; has_code TAG_INVALID
echo missing > missing
make_manifest incomplete config missing
put_manifest 400 a/b 2.0 incomplete; has_code MANIFEST_BLOB_UNKNOWN
grep -qF "$(digest_of missing)" .body || fail "which blob is missing? $(cat .body)"
make_manifest lying config layer '| .layers[0].size = 5'
put_manifest 400 a/b 2.0 lying; has_code MANIFEST_BLOB_UNKNOWN
row 404 GET /v2/a/b/manifests/2.0

# An index, and what it names.
make_manifest child config other '| .annotations = {n: "child"}'
put_manifest 201 a/b "$(digest_of child)" child
jq -nc --argjson m "$(descriptor $manifest_type child)" "{schemaVersion: 2, mediaType: \"$index_type\", manifests: [\$m]}" > index
put_manifest 201 a/b multi index $index_type
jq -nc --argjson m "$(descriptor $manifest_type incomplete)" "{schemaVersion: 2, mediaType: \"$index_type\", manifests: [\$m]}" > sparse
put_manifest 400 a/b sparse sparse $index_type; has_code MANIFEST_BLOB_UNKNOWN
row 202 DELETE "/v2/a/b/manifests/$(digest_of child)"
row 200 GET "/v2/a/b/manifests/$(digest_of child)"
equal "the type of what an index names" $manifest_type "$(header Content-Type)"

# Referrers.
for n in 1 2 3; do
  make_manifest "about$n" config other "| .subject = $(descriptor $manifest_type manifest) | .artifactType = \"application/vnd.test.$((n % 2))\" | .annotations = {n: \"$n\"}"
  put_manifest 201 a/b "$(digest_of "about$n")" "about$n"
  equal "the subject" "$manifest_digest" "$(header OCI-Subject)"
done
row 200 GET "/v2/a/b/referrers/$manifest_digest"
equal "the type of referrers" $index_type "$(header Content-Type)"
equal "referrers" "1 2 3" "$(jq -r '[.manifests[].annotations.n] | sort | join(" ")' .body)"
equal "what they are" "[\"application/vnd.test.0\",\"application/vnd.test.1\"]" "$(jq -c '[.manifests[].artifactType] | unique' .body)"
row 200 GET "/v2/a/b/referrers/$manifest_digest?artifactType=application/vnd.test.0"
equal "referrers of one type" 2 "$(jq -r '.manifests[].annotations.n' .body)"
equal "that they were chosen" artifactType "$(header OCI-Filters-Applied)"
row 200 GET "/v2/a/b/referrers/$dummy"
equal "no referrers" '{"schemaVersion":2,"mediaType":"'$index_type'","manifests":[]}' "$(cat .body)"
row 400 GET /v2/a/b/referrers/nonsense; has_code DIGEST_INVALID

# Lists.
put_manifest 201 c 1.0 manifest
row 200 GET /v2/a/b/tags/list
equal "tags" '{"name":"a/b","tags":["1.0","multi","x","y"]}' "$(cat .body)"
row 200 GET "/v2/a/b/tags/list?n=3"
equal "the link to more" '</v2/a/b/tags/list?last=x&n=3>; rel="next"' "$(header Link)"
row 200 GET "$(header Link | sed 's/^<\(.*\)>.*/\1/')"
equal "the rest" '["y"]' "$(jq -c .tags .body)"
row 200 GET "/v2/a/b/tags/list?n=0"
equal "no tags" '[]' "$(jq -c .tags .body)"
row 200 GET "/v2/_catalog?n=1"
equal "the catalog" '["a/b"]' "$(jq -c .repositories .body)"
row 200 GET "/v2/_catalog?n=1&last=a/b"
equal "the catalog's end" '["c"]' "$(jq -c .repositories .body)"

# Deleting.
row 202 DELETE /v2/a/b/manifests/y
row 404 DELETE /v2/a/b/manifests/y; has_code MANIFEST_UNKNOWN
row 200 GET "/v2/a/b/manifests/$manifest_digest"
row 405 DELETE "/v2/a/b/blobs/$layer_digest"; has_code UNSUPPORTED
row 202 DELETE "/v2/a/b/manifests/$manifest_digest"
row 404 GET /v2/a/b/manifests/1.0
row 404 GET "/v2/a/b/manifests/$manifest_digest"
row 200 GET "/v2/c/manifests/$manifest_digest"
row 405 DELETE "/v2/c/blobs/$layer_digest"
row 202 DELETE "/v2/a/b/blobs/$(digest_of both)"
row 404 GET "/v2/a/b/blobs/$(digest_of both)"
row 404 DELETE "/v2/a/b/blobs/$(digest_of both)"; has_code BLOB_UNKNOWN
sound

# Hostile input.
for path in '/v2/../../etc/manifests/passwd' '/v2/..%2f..%2fetc/manifests/x' '/v2/A/tags/list' '/v2/a//b/tags/list' '/v2/-a/tags/list' '/v2/a%00b/tags/list' \
  "/v2/$(printf 'a%.0s' $(seq 300))/tags/list"; do row 400 GET "$path"; done
for digest in sha256:../../../../etc/passwd 'sha256:..%2f..%2f..%2findex.json' sha256:AAAA md5:00; do
  run curl -sS --path-as-is -o .body -w '%{http_code}' "$url/v2/a/b/blobs/$digest"
  [[ $(cat .stdout) == 40[04] ]] || fail "$digest: $(cat .stdout)"
done
row 202 POST '/v2/a/b/blobs/uploads/?mount='"$dummy"'&from=a/b'
row 400 POST '/v2/a/b/blobs/uploads/?mount='"$dummy"'&from=../x'; has_code NAME_INVALID
row 404 PATCH '/v2/a/b/blobs/uploads/..%2f..%2findex.json' "${octets[@]}" --data-binary @config
row 431 GET /v2/ -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' x)"
row 414 GET "/v2/_catalog?last=$(head -c 40000 /dev/zero | tr '\0' x)"
head -c 5000000 /dev/zero | tr '\0' ' ' > huge
row 413 PUT /v2/a/b/manifests/huge -H "Content-Type: $manifest_type" --data-binary @huge; has_code SIZE_INVALID
row 413 PUT /v2/a/b/manifests/huge -H "Content-Type: $manifest_type" -H 'Transfer-Encoding: chunked' --data-binary @huge; has_code SIZE_INVALID
printf '%.0s[' $(seq 5000) > deep
put_manifest 400 a/b deep deep; has_code MANIFEST_INVALID
make_manifest escape config layer '| .layers[0].digest = "sha256:../../index.json"'
put_manifest 400 a/b escape escape; has_code MANIFEST_INVALID
ln -s /etc/passwd "layout/blobs/sha256/$(printf 'b%.0s' $(seq 64))"
run curl -sS -o .body -w '%{http_code}' "$url/v2/a/b/blobs/sha256:$(printf 'b%.0s' $(seq 64))"
[[ $(cat .stdout) != 200 ]] || fail "a symbolic link is followed out of the layout"
rm "layout/blobs/sha256/$(printf 'b%.0s' $(seq 64))"
sound

# skopeo, and the layout as others see it. (skopeo reads no entry of a layout but OCI ones.)
busybox_tar
"$MICA" import -c 'CMD ["sh"]' "$BUSYBOX_TAR" s:1 > /dev/null
"$MICA" save -o s.tar s:1
host=${url#http://}
expect_ok skopeo copy --format oci --dest-tls-verify=false docker-archive:s.tar "docker://$host/team/s:1"
expect_ok skopeo copy --src-tls-verify=false "docker://$host/team/s:1" dir:s.dir
expect_ok skopeo copy oci:layout:team/s:1 dir:s.dir2
for file in s.dir/*; do cmp -s "$file" "s.dir2/$(basename "$file")" || fail "the layout and the registry differ in $file"; done
expect_ok skopeo copy --src-tls-verify=false --dest-tls-verify=false "docker://$host/team/s:1" "docker://$host/mounted/s:2"
expect_ok skopeo inspect --tls-verify=false "docker://$host/mounted/s:2"
expect_ok skopeo list-tags --tls-verify=false "docker://$host/team/s"
equal "tags by skopeo" 1 "$(jq -r '.Tags | join(" ")' .stdout)"
expect_ok skopeo copy oci:layout:team/s:1 oci:layout:extra/s:9
row 200 GET /v2/extra/s/manifests/9
expect_ok skopeo delete --tls-verify=false "docker://$host/mounted/s:2"
row 404 GET /v2/mounted/s/tags/list
expect_ok skopeo copy oci:layout:team/s:1 oci:one:team/s:1
expect_ok "$MICA" --root "$PWD/other-root" load -i one
stdout_has 'Loaded image: team/s:1'

# mica itself, with the digest that it pushed.
expect_ok "$MICA" tag s:1 "$host/mine/s:1"
expect_ok "$MICA" push "$host/mine/s:1"
row 200 HEAD /v2/mine/s/manifests/1
stdout_has "$(header Docker-Content-Digest)"
expect_ok "$MICA" --root "$PWD/third-root" pull "$host/mine/s:1"
stdout_has "$(header Docker-Content-Digest)"
expect_ok "$MICA" --root "$PWD/third-root" inspect -f '{{.Id}}' "$host/mine/s:1"
stdout_is "$(image_id s:1)"

# A slow upload and one that breaks off can be gone on with.
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
slow_patch piece1
for i in $(seq 100); do
  row 204 GET "$location"
  [[ $(header Range) != 0-999 ]] || break
  sleep 0.05
done
equal "what arrived of a slow upload" 0-999 "$(header Range)"
row 202 PATCH "$location" "${octets[@]}" -H 'Content-Range: 1000-1499' --data-binary @piece2
end_slow_patch
row 201 PUT "$location?digest=$(digest_of both)"

# Many at once, and two servers over one folder: no update is lost.
first=$server first_url=$url
serve --storage layout:layout
second=$server second_url=$url
pids=()
for n in $(seq 12); do
  (
    url=$first_url; [[ $((n % 2)) == 0 ]] || url=$second_url
    mkdir "p$n" && cd "p$n"
    head -c 100000 /dev/urandom > layer
    cp ../config config
    push_blob "many/$n" config
    push_blob "many/$n" layer
    make_manifest manifest config layer
    for tag in a b c; do put_manifest 201 "many/$n" $tag manifest; done
    put_manifest 201 many/all "t$n" manifest
  ) &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a push among many failed"; done
row 200 GET /v2/many/all/tags/list
equal "tags of many pushes" 12 "$(jq '.tags | length' .body)"
for n in $(seq 12); do
  row 200 GET "/v2/many/$n/tags/list"
  equal "tags of a push among many" '["a","b","c"]' "$(jq -c .tags .body)"
done
sound
stop
server=$first url=$first_url

# Killed in the middle of an upload.
head -c 200000 layer > part
row 202 POST /v2/a/b/blobs/uploads/
location=$(header Location)
slow_patch part
for i in $(seq 100); do
  [[ -z $(find layout/.uploads -type f -size +50k) ]] || break
  sleep 0.05
done
[[ -n $(find layout/.uploads -type f -size +50k) ]] || fail "the upload does not reach the disk"
kill -9 $server
wait $server 2> /dev/null || true
end_slow_patch
sound
expect_ok skopeo inspect oci:layout:team/s:1
serve --storage layout:layout
equal "what a killed server left of uploads" "" "$(ls layout/.uploads)"
row 200 GET /v2/many/all/tags/list
stop

# Read-only; passwords; TLS; a socket.
serve --storage layout:layout --read-only
row 200 GET /v2/team/s/manifests/1
row 403 POST /v2/team/s/blobs/uploads/; has_code DENIED
row 403 PUT /v2/team/s/manifests/2 --data-binary @manifest; has_code DENIED
row 405 DELETE /v2/team/s/manifests/1; has_code UNSUPPORTED
stop
if command -v htpasswd > /dev/null; then
  htpasswd -nbB -C 4 alice 'open: sesame' > users
  serve --storage layout:layout --htpasswd users
  row 401 GET /v2/; has_code UNAUTHORIZED
  [[ $(header WWW-Authenticate) == 'Basic realm='* ]] || fail "no challenge"
  row 401 GET /v2/ -u alice:wrong
  row 401 GET /v2/ -u bob:'open: sesame'
  row 200 GET /v2/ -u alice:'open: sesame'
  row 401 PUT /v2/a/manifests/1 --data-binary @manifest
  expect_ok skopeo inspect --tls-verify=false --creds alice:'open: sesame' "docker://${url#http://}/team/s:1"
  expect_fail skopeo inspect --tls-verify=false --creds alice:wrong "docker://${url#http://}/team/s:1"
  stop
  htpasswd -nbm bob x > users
  expect_fail 1 "$MICA" registry serve --storage layout:layout --htpasswd users
  stderr_has 'users:1:'
fi
if command -v openssl > /dev/null; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2> /dev/null
  serve --storage layout:layout --tls-cert cert.pem --tls-key key.pem
  [[ $url == https://* ]] || fail "no TLS: $url"
  row 200 GET /v2/many/all/tags/list --cacert cert.pem
  row 200 GET "/v2/many/all/blobs/$layer_digest" --cacert cert.pem
  cmp -s .body layer || fail "a blob comes through TLS as another"
  row 201 POST "/v2/tls/blobs/uploads/?digest=$(digest_of both)" --cacert cert.pem "${octets[@]}" --data-binary @both
  stop
  expect_fail 1 "$MICA" registry serve --storage layout:layout --tls-cert cert.pem
  stderr_has 'TLS needs both a certificate and its key'
  expect_fail 1 "$MICA" registry serve --storage layout:layout --tls-cert config --tls-key key.pem
fi
serve --storage layout:layout --addr "unix:$PWD/socket"
equal "the status over a socket" 200 "$(curl -sS -o /dev/null -w '%{http_code}' --unix-socket socket http://registry/v2/)"
stop
[[ ! -e socket ]] || fail "the socket stays"

# What cannot be served.
expect_fail 1 "$MICA" registry serve --storage nonsense
stderr_has 'use "store" or "layout:PATH"'
expect_fail 1 "$MICA" registry serve --storage layout:missing --read-only
mkdir full && touch full/file
expect_fail 1 "$MICA" registry serve --storage layout:full
stderr_has 'holds other things than an OCI layout'
expect_fail 1 "$MICA" registry serve --storage layout:layout --addr nonsense
stderr_has 'HOST:PORT'
