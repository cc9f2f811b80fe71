# Pulling from a registry on a bad day: what passes is waited for, what is lost is fetched again and only that, what is wrong is refused,
# and nothing of a pull that failed can be seen.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
seed app:1 64 3000 700
image=$FAULTY/app:1
mapfile -t layers < <(layers_of app:1)
big=${layers[1]}
manifest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$image")
size=$(manifest_of app:1 | jq '.layers[1].size')
blobs='/blobs/sha256'
retries() { grep -c 'trying again in' .stderr || true; }
zeros=sha256:0000000000000000000000000000000000000000000000000000000000000000

# The good day, to compare with: one request for each document and blob.
fresh
expect_ok "$MICA" pull "$image"
stdout_has "1: Pulling from app"
stdout_has "Digest: $manifest"
stdout_has "Status: Downloaded newer image for $image"
equal "the last line" "$image" "$(tail -1 .stdout)"
for layer in "${layers[@]}"; do for word in "Pulling fs layer" "Pull complete"; do stdout_has "${layer:7:12}: $word"; done; done
equal "requests for documents, blobs, in all" "1 4 5" "$(requests GET manifests) $(requests GET $blobs) $(requests '.*')"
there "$image"
forget_requests
expect_ok "$MICA" pull "$image"
stdout_has "Status: Image is up to date for $image"
[[ $(requests '.*') -le 2 ]] || fail "an unchanged tag took $(requests '.*') requests"
equal "blobs fetched again" 0 "$(requests '.*' $blobs)"
expect_ok "$MICA" pull -q "$image"
stdout_is "$image"
fresh
expect_ok "$MICA" pull "$FAULTY/app@$manifest"
stdout_has "Status: Downloaded newer image for $FAULTY/app@$manifest"

# What passes: every kind of request is repeated, with a line for each time.
for code in 408 429 500 502 503 504; do
  for path in manifests $blobs "$big"; do
    fresh
    fault "{\"path\": \"$path\", \"status\": $code, \"retry_after\": 0, \"count\": 2}"
    expect_ok "$MICA" pull "$image"
    [[ $(retries) == 2 ]] || { show; fail "two answers $code for $path gave $(retries) lines"; }
  done
  there "$image"
done
fresh
fault '{"path": "manifests", "drop": "reset", "at": -1}' "{\"path\": \"$big\", \"drop\": \"close\", \"at\": -1}"
expect_ok "$MICA" pull "$image"
there "$image"

# Waits as long as it is asked to, in seconds or until a date.
for wait in '"retry_after": 2' '"retry_after_date": 3'; do
  fresh
  fault "{\"path\": \"manifests\", \"status\": 429, $wait}"
  started=${EPOCHREALTIME/./}
  expect_ok "$MICA" pull "$image"
  waited=$(((${EPOCHREALTIME/./} - started) / 1000))
  [[ $waited -ge 1900 && $waited -lt 8000 ]] || fail "waited $waited ms for $wait"
done
# But not for hours.
for wait in '"retry_after": 7200' '"retry_after_date": 7200'; do
  fresh
  fault "{\"path\": \"manifests\", \"status\": 429, \"code\": \"TOOMANYREQUESTS\", \"message\": \"slow down\", $wait, \"count\": -1, \"headers\": {\"RateLimit-Limit\": \"100;w=21600\"}}"
  expect_fail 1 "$MICA" pull "$image"
  for word in toomanyrequests "slow down" "100;w=21600" "try again in"; do stderr_has "$word"; done
  equal "requests against a quota" 1 "$(requests '.*')"
  nothing_of "$image"
done
# And not for ever.
fresh
fault '{"path": "manifests", "status": 503, "retry_after": 0, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_has "told to fail"
stderr_has "5 attempts"
equal "attempts" 5 "$(requests GET manifests)"
nothing_of "$image"

# Connections that die in the middle of a layer: only the missing bytes are fetched, and moving on renews the patience.
for how in reset close; do
  fresh
  fault "{\"path\": \"$big\", \"drop\": \"$how\", \"at\": 200000, \"count\": 12}"
  expect_ok "$MICA" pull "$image"
  there "$image"
  # What the kernel still had when a reset came is lost, and sent again.
  limit=$size
  [[ $how == close ]] || limit=$((size + 12 * 100000))
  [[ $(bytes_sent "$big") -le $limit ]] || fail "$how: $(bytes_sent "$big") bytes were sent of a layer of $size"
  [[ $(request_log "select(.path | endswith(\"$big\")) | .status" | grep -c 206) -ge 12 ]] || fail "$how: no ranges asked for"
done
# A registry without ranges, with wrong ones, or that refuses them.
for bend in '"ignore_range": true' '"refuse_range": true' '"shift_range": 1000'; do
  fresh
  fault "{\"path\": \"$big\", \"drop\": \"close\", \"at\": 1000000}" "{\"path\": \"$big\", $bend}"
  expect_ok "$MICA" pull "$image"
  there "$image"
done
# A redirect to storage elsewhere, also when going on: each time by way of the registry.
fresh
fault "{\"server\": \"main\", \"path\": \"$blobs\", \"redirect\": \"other\", \"count\": -1}" "{\"server\": \"other\", \"path\": \"$big\", \"drop\": \"close\", \"at\": 1000000}"
expect_ok "$MICA" pull "$image"
there "$image"
equal "times that the registry was asked for the layer" 2 "$(request_log "select(.server == \"main\" and (.path | endswith(\"$big\"))) | .status" | wc -l)"
# A signed address that is refused is asked for again.
fresh
fault "{\"server\": \"main\", \"path\": \"$big\", \"redirect\": \"other\", \"count\": 2}" "{\"server\": \"other\", \"path\": \"$big\", \"status\": 403, \"no_challenge\": true}"
expect_ok "$MICA" pull "$image"
there "$image"
# Redirects that never end, or lead out of the web.
for to in "http://$FAULTY/v2/app/blobs/$big" file:///etc/passwd; do
  fresh
  fault "{\"path\": \"$big\", \"redirect\": \"$to\", \"count\": -1}"
  expect_fail 1 "$MICA" pull "$image"
  [[ $(requests GET "$big") -le 60 ]] || fail "$(requests GET "$big") requests in a circle"
  nothing_of "$image"
done

# Bodies without a length.
for form in chunked until_close; do
  fresh
  fault "{\"$form\": true, \"count\": -1}"
  expect_ok "$MICA" pull "$image"
  there "$image"
done

# Wrong bytes: both digests are named, nothing stays, and the next pull works.
fresh
fault "{\"path\": \"$big\", \"corrupt\": 1500000}"
expect_fail 1 "$MICA" pull "$image"
stderr_has "${big:7:12}"
nothing_of "$image"
[[ ! -e $MICA_ROOT/partial/${big:7} ]] || fail "wrong bytes are kept"
expect_ok "$MICA" pull "$image"
there "$image"
config=$(manifest_of app:1 | jq -r .config.digest)
fresh
fault "{\"path\": \"$config\", \"corrupt\": 20}"
expect_fail 1 "$MICA" pull "$image"
nothing_of "$image"
# A blob that is shorter or longer than its descriptor says.
for bend in '"truncate": 1000' '"extend": 1000' '"endless": true' '"extend": 1000, "chunked": true' '"append": "x"'; do
  fresh
  fault "{\"path\": \"$big\", $bend, \"count\": -1}"
  expect_fail 1 "$MICA" pull "$image"
  stderr_has "${big:7:12}"
  [[ $(requests GET "$big") -le 2 ]] || fail "$bend: $(requests GET "$big") requests"
  [[ $(bytes_sent "$big") -le $((size + 8000000)) ]] || fail "$bend: read on for $(bytes_sent "$big") bytes"
  nothing_of "$image"
done

# Manifests: digests that do not fit, no end, other kinds of answers.
fresh
fault "{\"path\": \"manifests/1\", \"headers\": {\"Docker-Content-Digest\": \"$zeros\"}}"
expect_fail 1 "$MICA" pull "$image"
stderr_has "$zeros"
nothing_of "$image"
fresh
fault "{\"path\": \"manifests/$manifest\", \"append\": \" \"}"
expect_fail 1 "$MICA" pull "$FAULTY/app@$manifest"
stderr_has "$manifest"
nothing_of "$FAULTY/app@$manifest"
fresh
fault '{"path": "manifests", "endless": true, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
[[ $(bytes_sent manifests) -lt 30000000 ]] || fail "read $(bytes_sent manifests) bytes of a manifest without end"
nothing_of "$image"
fresh
fault '{"path": "manifests", "body": "<html><h1>Log in first</h1></html>", "content_type": "text/html", "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_has "text/html"
stderr_has "does not look like a registry"
nothing_of "$image"
fresh
fault '{"path": "manifests", "status": 404, "body": "<html>\n<h1>Not \u001b[31mhere</h1></html>", "content_type": "text/html", "headers": {"Server": "gateway/1.0"}, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
for word in 404 gateway/1.0 "<html>"; do stderr_has "$word"; done
stderr_lacks $'\x1b'
equal "requests for what is not there" 1 "$(requests '.*')"
# Words of the registry, with what a terminal would obey made harmless.
fresh
fault '{"path": "manifests", "status": 400, "code": "ODD", "message": "bad \u001b[2J\u202e things\nhappen", "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_has "bad "
stderr_lacks $'\x1b'
stderr_lacks $'\u202e'
equal "requests after a refusal" 1 "$(requests '.*')"
for type in null '"application/json"' '"text/plain; charset=utf-8"' '"application/vnd.oci.image.manifest.v1+json; charset=utf-8"'; do
  fresh
  fault "{\"path\": \"manifests\", \"content_type\": $type, \"count\": -1}"
  expect_ok "$MICA" pull "$image"
done
there "$image"
fresh
fault '{"path": "manifests", "content_type": "application/vnd.oci.image.index.v1+json", "count": -1}'
expect_fail 1 "$MICA" pull "$image"
nothing_of "$image"
# The page that only says which protocol this is may be as broken as it likes.
for ping in 404 500 302; do
  fresh
  faulty_config "{\"ping\": $ping}"
  expect_ok "$MICA" pull "$image"
done
faulty_config '{"ping": 200}'

# What is not there.
fresh
expect_fail 1 "$MICA" pull "$FAULTY/app:none"
stderr_has "manifest unknown"
stderr_has "$FAULTY"
expect_fail 1 "$MICA" pull "$FAULTY/nobody/nothing:1"
stderr_has "name unknown"
fault "{\"path\": \"$big\", \"status\": 404, \"code\": \"BLOB_UNKNOWN\", \"message\": \"blob unknown to registry\", \"count\": -1}"
expect_fail 1 "$MICA" pull "$image"
stderr_has "blob unknown"
stderr_has "${big:7:12}"
nothing_of "$image"
# A server's warning is shown once.
fresh
fault '{"headers": {"Warning": "299 - \"this registry moves\""}, "count": -1}'
expect_ok "$MICA" pull "$image"
equal "times that a warning is shown" 1 "$(grep -c 'this registry moves' .stderr)"
# A build shows that it waits, too.
fresh
mkdir -p onto
echo "FROM $image" > onto/Dockerfile
fault '{"path": "manifests", "status": 503, "code": "UNAVAILABLE", "message": "later", "retry_after": 0, "count": 2}'
expect_ok "$MICA" build --progress plain onto
equal "repetitions that a build shows" 2 "$(retries)"
stderr_has "answered with status 503: unavailable: later"
fault '{"path": "manifests", "status": 503, "retry_after": 0, "count": 1}'
expect_ok "$MICA" build --pull --progress quiet onto
equal "words of a quiet build" 0 "$(retries)"
# Nobody there.
fresh
started=$SECONDS
expect_fail 1 "$MICA" pull 127.0.0.1:1/app:1
stderr_has "127.0.0.1:1"
[[ $((SECONDS - started)) -lt 45 ]] || fail "took $((SECONDS - started)) s to find nobody"
