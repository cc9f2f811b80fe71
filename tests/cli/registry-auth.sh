# Who asks: tokens are asked for once and renewed whenever a registry wants that, credentials go to nobody else, refusals end quickly and say
# which account was used.
# timeout: 240
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
seed app:1 64 3000 700
image=$FAULTY/app:1
mapfile -t layers < <(layers_of app:1)
big=${layers[1]}
blobs=/blobs/sha256
uploads=/blobs/uploads
config=$HOME/.docker/config.json
password='secret'
log_in() {  # USER PASSWORD
  mkdir -p "$HOME/.docker"
  jq -n --arg host "$FAULTY" --arg auth "$(printf %s "$1:$2" | base64)" '{auths: {($host): {auth: $auth}}}' > "$config"
}
log_out() { rm -f "$config"; }
begin() {  # CONFIG
  fresh
  faulty_config '{"auth": "bearer", "anonymous": ["pull"], "grant": ["pull", "push"], "expires": 300, "promise": 300, "tokens_answer": null, "insufficient_scope": true}'
  faulty_config "$1"
  faulty_control -d '' revoke > /dev/null
}
tokens() { requests 'GET|POST' '^/token'; }

# Nobody: a token without an account, one for the whole pull.
begin '{}'
expect_ok "$MICA" pull "$image"
there "$image"
equal "token requests" 1 "$(tokens)"
equal "what it asked for" "false repository:app:pull" "$(request_log 'select(.path == "/token") | "\(.had_authorization) \(.query)"' | sed -E 's/ .*scope=([^&]*).*/ \1/; s/%3A/:/g')"
begin '{"anonymous": []}'
expect_fail 1 "$MICA" pull "$image"
for word in "$FAULTY" anonymously "does not exist or is private" "mica login $FAULTY"; do stderr_has "$word"; done
[[ $(requests '.*') -le 8 ]] || fail "$(requests '.*') requests to be refused"
nothing_of "$image"
# Somebody.
log_in ada "$password"
begin '{"anonymous": []}'
expect_ok "$MICA" pull "$image"
there "$image"
equal "token requests" 1 "$(tokens)"
equal "credentials at the token service" Basic "$(request_log 'select(.path == "/token") | .authorization')"
# With a wrong password: where it comes from, and how to get on.
log_in ada wrong
begin '{}'
expect_fail 1 "$MICA" pull "$image"
for word in "$config" ada "mica log"; do stderr_has "$word"; done
stderr_lacks wrong
[[ $(tokens) -le 3 ]] || fail "a wrong password was tried $(tokens) times"
nothing_of "$image"
log_in ada "$password"

# Tokens that stop being good: on any kind of request, one new token and on it goes.
for path in manifests $blobs "$big"; do
  begin '{"anonymous": []}'
  fault "{\"method\": \"GET\", \"path\": \"$path\", \"revoke_tokens\": true}"
  expect_ok "$MICA" pull "$image"
  [[ $(tokens) -le 3 ]] || fail "$path: $(tokens) token requests"
done
there "$image"
# In the middle of a layer: the rest is asked for with a new one.
begin '{"anonymous": []}'
fault "{\"path\": \"$big\", \"drop\": \"close\", \"at\": 1000000}" "{\"path\": \"$big\", \"revoke_tokens\": true}"
expect_ok "$MICA" pull "$image"
there "$image"
# A life of one second that is promised as such, as nothing, or as more.
for promise in 1 null 300; do
  begin "{\"anonymous\": [], \"expires\": 1, \"promise\": $promise}"
  fault "{\"path\": \"$big\", \"throttle\": 1500000, \"drop\": \"close\", \"at\": 2500000}"
  expect_ok "$MICA" pull "$image"
done
there "$image"
# None is ever good.
begin '{"expires": -1}'
expect_fail 1 "$MICA" pull "$image"
[[ $(requests '.*') -le 12 ]] || fail "$(requests '.*') requests with tokens that are never good"
nothing_of "$image"

# Pushes.
sample_layers context 64 6000 700
expect_ok build -t built:1 context
"$MICA" save -o built.tar built:1
number=0
push_begin() {
  begin "$1"
  expect_ok "$MICA" load -i built.tar
  image=$FAULTY/case$((++number)):1
  expect_ok "$MICA" tag built:1 "$image"
}
push_begin '{"anonymous": []}'
expect_ok "$MICA" push "$image"
equal "token requests of a push" 1 "$(tokens)"
equal "what it asked for" "repository:case1:pull,push" "$(request_log 'select(.path == "/token") | .query' | sed -E 's/.*scope=([^&]*).*/\1/; s/%3A/:/g; s/%2C/,/g')"
# (After a second, when nobody has a token that is new: one that is refused at its first use is not asked for again.)
push_begin '{}'
fault '{"method": "PATCH", "delay": 1, "revoke_tokens": true}'
expect_ok "$MICA" push "$image"
[[ $(tokens) -ge 2 ]] || fail "no new token was asked for"
push_begin '{}'
fault "{\"method\": \"PUT\", \"path\": \"$uploads\", \"delay\": 1, \"revoke_tokens\": true}" '{"method": "PUT", "path": "manifests", "delay": 1, "revoke_tokens": true}'
expect_ok "$MICA" push "$image"
# In the middle of a layer that is being sent, the answer coming early.
for at in 0 500000 3000000; do
  push_begin '{}'
  fault "{\"method\": \"PATCH\", \"status\": 401, \"error\": \"invalid_token\", \"early_at\": $at}"
  expect_ok "$MICA" push "$image"
  expect_ok skopeo inspect --tls-verify=false --creds "ada:$password" "docker://$image"
done
# Tokens live for a second, and the upload takes longer.
push_begin '{"expires": 1, "promise": null}'
fault '{"method": "PATCH", "upload_throttle": 3000000, "count": -1}'
expect_ok "$MICA" push "$image"
# May read and not write: denied, whatever the registry calls it, and no loop.
for challenge in true false; do
  push_begin "{\"grant\": [\"pull\"], \"insufficient_scope\": $challenge}"
  expect_fail 1 "$MICA" push "$image"
  stderr_has ada
  stderr_has "$config"
  grep -qE 'denied|unauthorized' .stderr || { show; fail "neither denied nor unauthorized"; }
  [[ $(tokens) -le 6 && $(requests '.*') -le 40 ]] || fail "$(requests '.*') requests, $(tokens) for tokens"
done
# More is wanted than anybody could have known: asked for what the challenge names.
fresh
image=$FAULTY/app:1
begin '{}'
fault "{\"path\": \"manifests\", \"status\": 401, \"skip\": 1, \"no_challenge\": true, \"headers\": {\"WWW-Authenticate\": \"Bearer realm=\\\"http://$FAULTY_OTHER/token\\\",service=\\\"faulty\\\",scope=\\\"repository:app:pull repository:base:pull\\\",error=\\\"insufficient_scope\\\"\"}}"
expect_ok "$MICA" pull "$image"
request_log 'select(.path == "/token") | .query' > .queries
grep -qE 'base(%3A|:)pull' .queries || fail "the scope of the challenge was not asked for: $(cat .queries)"

# Challenges in odd forms; several, of which one is for us.
for challenge in 'Negotiate, Bearer realm=\"R\",service=\"faulty\",scope=\"repository:app:pull\"' 'bearer   Realm=\"R\" , Service=faulty' \
  'Digest qop=\"auth, auth-int\", nonce=\"a,b\", BEARER realm=\"R\",service=\"faulty\",unknown=\"x, y\"'; do
  begin '{}'
  fault "{\"path\": \"manifests\", \"status\": 401, \"no_challenge\": true, \"headers\": {\"WWW-Authenticate\": \"${challenge//R\\/http://$FAULTY_OTHER/token\\}\"}}"
  expect_ok "$MICA" pull "$image"
done
# 401 and not a word on how.
begin '{}'
fault '{"path": "manifests", "status": 401, "code": "UNAUTHORIZED", "no_challenge": true, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_has unauthorized
[[ $(requests '.*') -le 3 ]] || fail "$(requests '.*') requests for nothing"
# A realm that is no web page.
begin '{}'
fault '{"path": "manifests", "status": 401, "no_challenge": true, "headers": {"WWW-Authenticate": "Bearer realm=\"file:///etc/passwd\",service=\"x\""}, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_lacks "root:x"
[[ $(requests '.*') -le 3 ]] || fail "$(requests '.*') requests for nothing"

# Trouble of the token service: repeated when it may pass, and named.
begin '{}'
fault '{"path": "^/token", "status": 503, "retry_after": 0, "count": 2}'
expect_ok "$MICA" pull "$image"
begin '{}'
fault '{"path": "^/token", "drop": "reset", "at": -1}'
expect_ok "$MICA" pull "$image"
for answer in '{"status": 503, "body": "busy"}' '{"body": "<html>portal</html>", "content_type": "text/html"}' '{"body": "{}"}' '{"body": "{\"token\": \"\"}"}' '{"body": "{\"token\": 7}"}'; do
  begin "{\"tokens_answer\": $answer}"
  fault '{"path": "^/token", "retry_after": 0, "count": -1}'
  expect_fail 1 "$MICA" pull "$image"
  stderr_has "$FAULTY_OTHER/token"
  [[ $(requests '.*') -le 20 ]] || fail "$answer: $(requests '.*') requests"
  nothing_of "$image"
done
begin '{}'
fault '{"path": "^/token", "endless": true, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
[[ $(bytes_sent '^/token') -lt 30000000 ]] || fail "read $(bytes_sent '^/token') bytes of a token without end"

# Credentials are for the registry: not for where it redirects, nor for where it lets uploads go.
for auth in bearer basic; do
  begin "{\"auth\": \"$auth\"}"
  fault "{\"server\": \"main\", \"path\": \"$blobs\", \"redirect\": \"other\", \"count\": -1}" "{\"server\": \"other\", \"path\": \"$big\", \"drop\": \"close\", \"at\": 1000000}"
  expect_ok "$MICA" pull "$image"
  there "$image"
  [[ $(request_log 'select(.server == "other" and .path != "/token") | .path' | wc -l) -ge 4 ]] || fail "no redirect was followed"
  equal "requests elsewhere with credentials" "" "$(request_log 'select(.server == "other" and .path != "/token" and .had_authorization) | .path')"
done
# Upload sessions elsewhere, whose address is all that they need: by redirect, or by Location.
for elsewhere in '"redirect": "other", "method": "PATCH|PUT"' '"location": "other"'; do
  push_begin '{"auth": "basic"}'
  fault "{\"server\": \"main\", \"path\": \"$uploads\", $elsewhere, \"count\": -1}"
  expect_ok "$MICA" push "$image"
  [[ $(request_log 'select(.server == "other") | .path' | wc -l) -ge 2 ]] || fail "nothing was sent elsewhere"
  equal "uploads elsewhere with credentials" "" "$(request_log 'select(.server == "other" and .had_authorization) | .path')"
done

# Basic.
image=$FAULTY/app:1
begin '{"auth": "basic"}'
expect_ok "$MICA" pull "$image"
there "$image"
log_in ada wrong
begin '{"auth": "basic"}'
expect_fail 1 "$MICA" pull "$image"
for word in unauthorized ada "$config"; do stderr_has "$word"; done
[[ $(requests '.*') -le 4 ]] || fail "a wrong password was tried in $(requests '.*') requests"
log_out
begin '{"auth": "basic"}'
expect_fail 1 "$MICA" pull "$image"
stderr_has "mica login $FAULTY"

# Nothing secret is ever shown.
log_in ada "$password"
begin '{"anonymous": []}'
fault "{\"path\": \"$big\", \"status\": 500, \"retry_after\": 0}"
MICA_LOG=debug run "$MICA" pull "$image"
equal "status with a log" 0 "$status"
token=$(curl -sS --noproxy '*' -u "ada:$password" "http://$FAULTY_OTHER/token?service=faulty&scope=repository:app:pull" | jq -r .token)
[[ ${#token} -gt 20 ]] || fail "no token to look for"
for secret in "$(printf %s "ada:$password" | base64)" ":$password" 'Authorization: B' 'Bearer [A-Za-z0-9_-]{20}'; do
  ! grep -qE -- "$secret" .stdout .stderr || fail "shown: $secret"
done
