# Pushing to a registry on a bad day: every kind of request is repeated, a broken upload goes on where the registry has got to, ways of
# uploading that it does not know are replaced by others, and the tag appears last or not at all.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "building layers"
needs_program skopeo
start_faulty
faulty_config '{"signed": true}'
sample_layers context 64 6000 700
expect_ok build -t built:1 context
uploads=/blobs/uploads
zeros=sha256:0000000000000000000000000000000000000000000000000000000000000000
number=0
# A new repository for each case: image is its name, repository its path.
next() {
  no_faults
  repository=case$((++number))
  image=$FAULTY/$repository:1
  expect_ok "$MICA" tag built:1 "$image"
  forget_requests
}
# What is at the registry is the whole image, for somebody else too.
pushed() {
  no_faults
  rm -rf copy
  skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$image" dir:copy > .skopeo 2>&1 || fail "$image is not whole at the registry: $(cat .skopeo)"
  equal "the digest of $image" "$digest" "sha256:$(sha256sum < copy/manifest.json | cut -d' ' -f1)"
}
not_pushed() {
  no_faults
  equal "the tag after a push that failed" 404 "$(curl -s --noproxy '*' -o .answer -w '%{http_code}' "http://$FAULTY/v2/$repository/manifests/1")"
  store_is_clean
}

# The good day: layers are sent once, and remembered.
next
expect_ok "$MICA" push "$image"
stdout_has "The push refers to repository [$FAULTY/$repository]"
equal "layers pushed" 3 "$(grep -c ': Pushed$' .stdout)"
digest=$(sed -nE 's/^1: digest: (sha256:[0-9a-f]{64}) size: [0-9]+$/\1/p' .stdout)
[[ -n $digest ]] || { show; fail "no digest in the output"; }
pushed
expect_ok "$MICA" push "$image"
equal "the last line" "1: digest: $digest size: $(stat -c %s copy/manifest.json)" "$(tail -1 .stdout)"
total=$(jq '[.layers[].size] | add' copy/manifest.json)
forget_requests
expect_ok "$MICA" push "$image"
equal "layers there already" 3 "$(grep -c ': Layer already exists$' .stdout)"
[[ $(requests '.*') -le 2 && $(bytes_received) == 0 ]] || fail "an unchanged push took $(requests '.*') requests, $(bytes_received) bytes"
expect_ok "$MICA" push -q "$image"
stdout_is "$image"
# To another repository of the same registry: mounted, or sent when that is refused.
next
expect_ok "$MICA" push "$image"
equal "layers mounted" 3 "$(grep -c ': Mounted from case' .stdout)"
equal "bytes sent for blobs that can be mounted" 0 "$(bytes_received $uploads)"
pushed
next
faulty_config '{"mount": false}'
expect_ok "$MICA" push "$image"
open_sessions=$(request_log -s '(map(select(.method == "POST" and .status == 202)) | length) - (map(select(.method == "PUT" and (.path | test("/uploads/")) and .status == 201)) | length) - (map(select(.method == "DELETE")) | length)')
equal "upload sessions left open" 0 "$open_sessions"
pushed
faulty_config '{"mount": true}'
for code in 403 404 500; do
  next
  fault "{\"method\": \"POST\", \"path\": \"mount=\", \"status\": $code, \"code\": \"DENIED\", \"count\": -1}"
  expect_ok "$MICA" push "$image"
  pushed
done
# From here on everything has to be sent.
faulty_config '{"mount": false}'

# What passes, in every kind of request.
for code in 429 500 503; do
  for method in HEAD POST PATCH PUT; do
    next
    fault "{\"method\": \"$method\", \"path\": \"blobs\", \"status\": $code, \"retry_after\": 0, \"count\": 2}"
    expect_ok "$MICA" push "$image"
    pushed
  done
  next
  fault "{\"method\": \"PUT\", \"path\": \"manifests\", \"status\": $code, \"retry_after\": 0, \"count\": 2}"
  expect_ok "$MICA" push "$image"
  equal "lines about repetitions" 2 "$(grep -c 'trying again in' .stderr)"
  pushed
done
# The answer is lost: what was done stays done.
for method in POST PATCH PUT; do
  for at in 0 -1; do
    next
    fault "{\"method\": \"$method\", \"path\": \"$uploads\", \"drop\": \"reset\", \"at\": $at, \"chunked\": true}"
    expect_ok "$MICA" push "$image"
    pushed
  done
done
next
fault '{"method": "PUT", "path": "manifests", "drop": "reset", "at": -1}'
expect_ok "$MICA" push "$image"
pushed

# Connections that die while a layer is sent: it goes on at the offset that the registry has.
for how in reset close; do
  next
  fault "{\"method\": \"PATCH\", \"upload_drop\": \"$how\", \"upload_at\": 600000, \"count\": 8}"
  expect_ok "$MICA" push "$image"
  [[ $(bytes_received $uploads) -lt $((total + 8 * 65536 + 100000)) ]] || fail "$how: $(bytes_received $uploads) bytes were taken of an image of $total"
  pushed
  # What had come is lost: sent again from there.
  next
  fault "{\"method\": \"PATCH\", \"upload_drop\": \"$how\", \"upload_at\": 3000000, \"forget_partial\": true}"
  expect_ok "$MICA" push "$image"
  pushed
done
# The session is lost with the instance that had it.
for method in PATCH PUT GET; do
  next
  fault "{\"method\": \"$method\", \"path\": \"$uploads\", \"forget_sessions\": true}"
  [[ $method != GET ]] || fault '{"method": "PATCH", "upload_drop": "reset", "upload_at": 600000}'
  expect_ok "$MICA" push "$image"
  pushed
done
# Lost again and again: it ends.
next
fault "{\"method\": \"PATCH|PUT\", \"path\": \"$uploads\", \"forget_sessions\": true, \"count\": -1}"
expect_fail 1 "$MICA" push "$image"
stderr_has "upload"
[[ $(requests '.*') -lt 200 ]] || fail "$(requests '.*') requests for sessions that are always lost"
not_pushed
# Slow in reading, slow in answering.
next
fault '{"method": "PATCH", "upload_throttle": 4000000, "count": -1}' "{\"method\": \"PUT\", \"path\": \"$uploads\", \"delay\": 4}"
expect_ok "$MICA" push "$image"
stderr_lacks "trying again"
pushed

# Forms of Location.
for form in path relative absolute other; do
  next
  fault "{\"path\": \"$uploads\", \"location\": \"$form\", \"count\": -1}"
  expect_ok "$MICA" push "$image"
  [[ $form != other || $(request_log -s 'map(select(.server == "other" and (.method == "PATCH" or .method == "PUT"))) | length') -ge 1 ]] || fail "nothing was uploaded to the other origin"
  pushed
done

# Ways of uploading that a registry does not know.
for code in 404 405 400; do
  next
  fault "{\"method\": \"PATCH\", \"status\": $code, \"code\": \"UNSUPPORTED\", \"count\": -1}"
  expect_ok "$MICA" push "$image"
  [[ $(requests PATCH) -le 5 ]] || fail "PATCH was tried $(requests PATCH) times although it is refused"
  pushed
done
next
fault "{\"method\": \"PUT\", \"path\": \"$uploads\", \"status\": 405}"
expect_ok "$MICA" push "$image"
pushed
next
fault '{"method": "PATCH", "refuse_chunked": true, "count": -1}'
expect_ok "$MICA" push "$image"
equal "chunked bodies taken" 0 "$(request_log -s 'map(select(.chunked and .status == 202)) | length')"
pushed
next
fault '{"method": "PATCH", "status": 413, "early_at": 100000}'
expect_ok "$MICA" push "$image"
pushed
for path in blobs manifests; do
  next
  fault "{\"method\": \"HEAD\", \"path\": \"$path\", \"status\": 405, \"count\": -1}"
  expect_ok "$MICA" push "$image"
  equal "requests that wait for 100 Continue" 0 "$(request_log 'select(.expect != null) | .path' | wc -l)"
  pushed
done

# What is refused: the registry's words, the operation, no repetition, no tag.
for path in "POST $uploads" "PUT manifests"; do
  next
  fault "{\"method\": \"${path% *}\", \"path\": \"${path#* }\", \"status\": 403, \"code\": \"DENIED\", \"message\": \"quota of team exceeded\", \"count\": -1}"
  expect_fail 1 "$MICA" push "$image"
  for word in "quota of team exceeded" denied "$FAULTY/$repository"; do stderr_has "$word"; done
  stderr_lacks "trying again"
  not_pushed
done
next
fault '{"method": "PUT", "path": "manifests", "status": 400, "code": "MANIFEST_INVALID", "message": "no such luck", "count": -1}'
expect_fail 1 "$MICA" push "$image"
stderr_has "manifest invalid"
stderr_has "no such luck"
equal "attempts at what is invalid" 1 "$(requests PUT manifests)"
not_pushed
next
fault '{"method": "PUT", "path": "manifests", "status": 413, "body": "<html><h1>413 Request Entity Too Large</h1></html>", "content_type": "text/html", "count": -1}'
expect_fail 1 "$MICA" push "$image"
stderr_has 413
not_pushed
next
fault "{\"method\": \"PATCH|PUT\", \"path\": \"$uploads\", \"status\": 429, \"code\": \"TOOMANYREQUESTS\", \"retry_after\": 3600, \"count\": -1}"
expect_fail 1 "$MICA" push "$image"
stderr_has toomanyrequests
stderr_has "try again in"
not_pushed
# It says that it has stored something else.
next
fault "{\"method\": \"PUT\", \"path\": \"manifests\", \"headers\": {\"Docker-Content-Digest\": \"$zeros\"}}"
expect_fail 1 "$MICA" push "$image"
stderr_has "$digest"
stderr_has "$zeros"
# A push that ends early closes its sessions.
next
fault '{"method": "PATCH|PUT", "path": "blobs", "status": 403, "code": "DENIED", "message": "no", "count": -1}'
expect_fail 1 "$MICA" push "$image"
[[ $(requests DELETE $uploads) -ge 1 ]] || fail "no upload session was closed"
not_pushed
# What is not here.
expect_fail 1 "$MICA" push "$FAULTY/not/here:1"
stdout_has "The push refers to repository [$FAULTY/not/here]"
stderr_has "An image does not exist locally with the tag: $FAULTY/not/here"

# Killed and interrupted while sending.
for signal in KILL TERM INT; do
  next
  fault '{"method": "PATCH", "upload_throttle": 1000000, "count": -1}'
  env --default-signal=INT "$MICA" push "$image" > .out 2> .err &    # background jobs of a script ignore SIGINT
  push=$!
  sleep 1
  kill -$signal "$push"
  started=$SECONDS status=0
  wait "$push" 2> /dev/null || status=$?
  [[ $status != 0 ]] || fail "status 0 after SIG$signal"
  [[ $((SECONDS - started)) -le 6 ]] || fail "took $((SECONDS - started)) s to stop at SIG$signal"
  [[ $signal == KILL ]] || not_pushed
  no_faults
  expect_ok "$MICA" fsck
  expect_ok "$MICA" push "$image"
  pushed
done

# Two layers of the same content are sent once.
mkdir same
printf 'FROM scratch\nCOPY a /a\nCOPY a /b/../a\n' > same/Dockerfile
head -c 300000 /dev/urandom > same/a
expect_ok build -t same:1 same
expect_ok "$MICA" tag same:1 "$FAULTY/same:1"
forget_requests
expect_ok "$MICA" push "$FAULTY/same:1"
equal "uploads of layers and config" "$(skopeo inspect --raw --tls-verify=false "docker://$FAULTY/same:1" | jq '[.layers[].digest] | unique | length + 1')" "$(requests PUT "$uploads/.*digest=")"

# Two pushes of one image at once.
next
"$MICA" push "$image" > .out-1 2> .err-1 &
first=$!
"$MICA" push "$image" > .out-2 2> .err-2 &
second=$!
wait "$first" || { cat .err-1; fail "the first of two pushes"; }
wait "$second" || { cat .err-2; fail "the second of two pushes"; }
pushed

# What was pulled goes on as it came, byte for byte.
# skopeo writes the query of a Location anew.
faulty_config '{"signed": false}'
seed came:1 50 400
came=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$FAULTY/came:1")
expect_ok "$MICA" pull "$FAULTY/came:1"
expect_ok "$MICA" tag "$FAULTY/came:1" "$FAULTY/went:1"
expect_ok "$MICA" push "$FAULTY/went:1"
equal "the digest of an image passed on" "$came" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$FAULTY/went:1")"
store_is_clean
