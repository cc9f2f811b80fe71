# Proxies of the environment: both spellings, for http and https, with credentials, and whom NO_PROXY leaves out. The registry's name leads
# nowhere but through the proxy.
# timeout: 200
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
needs_program openssl
start_faulty
seed app:1 64 300
start_proxy --target "$FAULTY"
host=registry.invalid
image=$host/app:1
config=$HOME/.config/docker/daemon.json
insecure() { mkdir -p "${config%/*}" && echo "{\"insecure-registries\": [\"$host\", \"192.0.2.0/24\"]}" > "$config"; }
insecure
through() { wc -l < "$PROXY_LOG"; }
begin() {
  rm -rf "$MICA_ROOT"
  : > "$PROXY_LOG"
}

# Without one there is no such host.
begin
expect_fail 1 "$MICA" pull "$image"
stderr_has "$host"
equal "requests through no proxy" 0 "$(through)"
# Both spellings.
for variable in HTTP_PROXY http_proxy; do
  begin
  expect_ok env "$variable=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$MICA" pull "$image"
  there "$image"
  grep -q "^GET http://$host/v2/app/manifests/1 200$" "$PROXY_LOG" || fail "the manifest did not come through the proxy: $(cat "$PROXY_LOG")"
done
# One without scheme is a proxy too.
begin
expect_ok env "HTTP_PROXY=$PROXY" "HTTPS_PROXY=$PROXY" "$MICA" pull "$image"
# Registries of this machine are never asked through it.
begin
expect_ok env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$MICA" pull "$FAULTY/app:1"
expect_ok env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$MICA" pull "localhost:${FAULTY##*:}/app:1"
equal "requests for this machine through the proxy" 0 "$(through)"
# Pushes.
begin
expect_ok "$MICA" pull "$FAULTY/app:1"
expect_ok "$MICA" tag "$FAULTY/app:1" "$host/pushed:1"
expect_ok env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$MICA" push "$host/pushed:1"
grep -q "^PUT http://$host/v2/pushed/manifests/1 200$" "$PROXY_LOG" || fail "the manifest did not go through the proxy"

# Left out: the host is asked for itself, which fails at once, or takes longer than we wait.
for list in "$host" "other,$host" .invalid invalid "$host:443,$host:80" '*'; do
  for variable in NO_PROXY no_proxy; do
    begin
    expect_fail env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$variable=$list" timeout 5 "$MICA" pull "$image"
    equal "requests through the proxy with $variable=$list" 0 "$(through)"
  done
done
begin
expect_fail env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" NO_PROXY=10.0.0.0/8,192.0.2.0/24 timeout 3 "$MICA" pull 192.0.2.7/app:1
equal "requests through the proxy for an address left out" 0 "$(through)"
# Not left out.
for list in other "${host}x" "x$host" 10.0.0.0/8; do
  begin
  expect_ok env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "NO_PROXY=$list" "$MICA" pull "$image"
done
begin
expect_ok env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" NO_PROXY=10.0.0.0/8 "$MICA" pull 192.0.2.7/app:1

# One that wants to know who asks.
stop_registry "$PROXY_PID"
# One that is not there is named.
expect_fail 1 env http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 "$MICA" pull "$image"
stderr_has "the proxy 127.0.0.1:1 cannot be reached"
stderr_has NO_PROXY
start_proxy --target "$FAULTY" --user 'pat:hidden'
begin
expect_ok env "HTTP_PROXY=http://pat:hidden@$PROXY" "HTTPS_PROXY=http://pat:hidden@$PROXY" "$MICA" pull "$image"
begin
expect_fail 1 env "HTTP_PROXY=http://pat:mistaken@$PROXY" "HTTPS_PROXY=http://pat:mistaken@$PROXY" MICA_LOG=debug "$MICA" pull "$image"
stderr_has 407
stderr_has proxy
stderr_lacks mistaken
begin
expect_fail 1 env "HTTP_PROXY=http://$PROXY" "HTTPS_PROXY=http://$PROXY" "$MICA" pull "$image"
stderr_has 407
[[ $(through) -le 6 ]] || fail "$(through) requests to a proxy that refuses"
stop_registry "$PROXY_PID"
# Nobody there: its address is named.
begin
expect_fail 1 env HTTP_PROXY=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 "$MICA" pull "$image"
stderr_has "127.0.0.1"

# HTTPS: a tunnel, and the certificate is the registry's.
rm "$config"
mkdir tls
make_certificates tls
printf 'subjectAltName=DNS:%s\n' "$host" > tls/server.ext
openssl x509 -req -in tls/server.csr -CA tls/ca.crt -CAkey tls/ca.key -CAcreateserial -days 3 -extfile tls/server.ext -out tls/server.crt 2> /dev/null
openssl verify -CAfile tls/ca.crt tls/server.crt > /dev/null || fail "making a certificate"
skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$FAULTY/app:1" "oci:layout:1" > .skopeo 2>&1 || fail "a layout: $(cat .skopeo)"
plain=$FAULTY
start_faulty --layout "$PWD/layout=app" --tls-cert tls/server.crt --tls-key tls/server.key
start_proxy --target "$FAULTY"
begin
expect_fail 1 env "HTTPS_PROXY=http://$PROXY" "$MICA" pull "$image"
stderr_has "signed by unknown authority"
install -D -m 644 tls/ca.crt "$HOME/.config/containers/certs.d/$host/ca.crt"
for variable in HTTPS_PROXY https_proxy; do
  begin
  expect_ok env "$variable=http://$PROXY" "$MICA" pull "$image"
  there "$image"
  grep -q "^CONNECT $host:443 200$" "$PROXY_LOG" || fail "no tunnel: $(cat "$PROXY_LOG")"
  equal "requests that the proxy could read" 0 "$(grep -cv ^CONNECT "$PROXY_LOG" || true)"
done
stop_registry "$PROXY_PID"
# A host that speaks plain HTTP where nobody has allowed it: refused, with what to write where.
start_proxy --target "$plain"
begin
expect_fail 1 env "HTTPS_PROXY=http://$PROXY" "HTTP_PROXY=http://$PROXY" "$MICA" pull "$image"
for word in "plain HTTP" insecure-registries "$host"; do stderr_has "$word"; done
equal "requests in the clear" 0 "$(grep -cv ^CONNECT "$PROXY_LOG" || true)"
