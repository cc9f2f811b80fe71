# Certificates: trusted from certs.d beside the system's, never guessed; what is wrong with one is said with subject, issuer, dates and the
# folder for a better one.
# timeout: 200
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
needs_program openssl skopeo docker-registry
certs=$HOME/.config/containers/certs.d
sample_layers context 64 300
expect_ok build -t built:1 context
forget() { rm -rf "$HOME/.config"; }
# FOLDER/NAME.{crt,key} by FOLDER/ca: certificate FOLDER NAME EXTENSIONS [X509-ARGUMENTS]
certificate() {
  local folder=$1 name=$2
  openssl req -newkey rsa:2048 -nodes -subj "/CN=test $name" -keyout "$folder/$name.key" -out "$folder/$name.csr" 2> /dev/null
  printf '%b\n' "$3" > "$folder/$name.ext"
  openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -extfile "$folder/$name.ext" -out "$folder/$name.crt" "${@:4}" 2> /dev/null ||
    fail "making certificate $name"
}

# A real registry with a private authority.
start_registry tls
image=$REGISTRY/app:1
expect_ok "$MICA" tag built:1 "$image"
expect_fail 1 "$MICA" push "$image"
for word in "signed by unknown authority" "Test authority" "certs.d/$REGISTRY" ca.crt; do stderr_has "$word"; done
stderr_lacks "trying again"
stderr_lacks "plain HTTP"
for folder in "$certs" "$HOME/.config/docker/certs.d" "$HOME/.config/mica/certs.d"; do
  forget
  install -D -m 644 "$REGISTRY_CA" "$folder/$REGISTRY/any-name.crt"
  expect_ok "$MICA" push "$image"
  expect_ok "$MICA" pull "$image"
done
# The folder's name is the registry's, port and all.
forget
install -D -m 644 "$REGISTRY_CA" "$certs/${REGISTRY%:*}:1/ca.crt"
expect_fail 1 "$MICA" pull "$image"
stderr_has "signed by unknown authority"
# Another authority there does not take away what the system trusts.
mkdir other
make_certificates other
forget
install -D -m 644 other/ca.crt "$certs/$REGISTRY/ca.crt"
expect_fail 1 "$MICA" pull "$image"
SSL_CERT_FILE=$REGISTRY_CA expect_ok "$MICA" pull "$image"
forget
SSL_CERT_FILE=$REGISTRY_CA expect_ok "$MICA" pull "$image"
# Declared insecure: nobody has to vouch for it.
mkdir -p "$HOME/.config/docker"
jq -n --arg host "$REGISTRY" '{"insecure-registries": [$host]}' > "$HOME/.config/docker/daemon.json"
expect_ok "$MICA" pull "$image"
forget
# A file that is no certificate is named.
mkdir -p "$certs/$REGISTRY"
echo nonsense > "$certs/$REGISTRY/ca.crt"
expect_fail 1 "$MICA" pull "$image"
stderr_has "$REGISTRY"
stderr_has "certificate"
forget

# Wrong name, expired.
ca=$PWD/other
certificate "$ca" elsewhere 'subjectAltName=DNS:elsewhere.example'
certificate "$ca" expired 'subjectAltName=IP:127.0.0.1' -days 0    # good until now
sleep 1
wrong() {  # NAME WORDS...: with that certificate, and the right authority trusted
  start_faulty --tls-cert "$ca/$1.crt" --tls-key "$ca/$1.key"
  install -D -m 644 "$ca/ca.crt" "$certs/$FAULTY/ca.crt"
  expect_fail 1 "$MICA" pull "$FAULTY/app:1"
  local word
  for word in "${@:2}"; do stderr_has "$word"; done
  stderr_lacks "trying again"
  equal "requests in spite of the certificate" 0 "$(requests '.*')"
  stop_registry "$FAULTY_PID"
}
wrong elsewhere "certificate is not for 127.0.0.1" "test elsewhere" "Test authority"
wrong expired "not valid now" "test expired" "until $(openssl x509 -in "$ca/expired.crt" -noout -enddate | cut -d= -f2)"
stderr_has "clock"

# A registry that wants to see a certificate of ours.
certificate "$ca" client 'extendedKeyUsage=clientAuth'
start_faulty --tls-cert "$ca/server.crt" --tls-key "$ca/server.key" --client-ca "$ca/ca.crt"
FAULTY_CLIENT=$PWD/client
cp "$ca/client.crt" client.cert
cp "$ca/client.key" client.key
image=$FAULTY/app:1
expect_ok "$MICA" tag built:1 "$image"
install -D -m 644 "$ca/ca.crt" "$certs/$FAULTY/ca.crt"
expect_fail 1 "$MICA" push "$image"
# With TLS 1.3 the server says so after the handshake: whoever is faster, it must read the same.
for ((i = 0; i < 20; i++)); do
  expect_fail 1 "$MICA" pull "$image"
  stderr_has "it asks for a client certificate: put client.cert and client.key in"
done
stderr_has "$FAULTY"
cp client.cert client.key "$certs/$FAULTY"
expect_ok "$MICA" push "$image"
expect_ok "$MICA" rmi "$image"
expect_ok "$MICA" pull "$image"
# One without its key, or a key without its certificate.
rm "$certs/$FAULTY/client.key"
expect_fail 1 "$MICA" pull "$image"
stderr_has "$certs/$FAULTY/client.cert"
cp client.key "$certs/$FAULTY"
rm "$certs/$FAULTY/client.cert"
expect_fail 1 "$MICA" pull "$image"
stderr_has "$certs/$FAULTY/client.key"
stop_registry "$FAULTY_PID"
unset FAULTY_CLIENT

# Once TLS was seen there is no way back: a registry that breaks connections does not get plain HTTP.
forget
start_faulty --tls-cert "$ca/server.crt" --tls-key "$ca/server.key"
image=$FAULTY/app:1
install -D -m 644 "$ca/ca.crt" "$certs/$FAULTY/ca.crt"
expect_ok "$MICA" tag built:1 "$image"
fault '{"method": "POST|PUT", "drop": "reset", "at": -1, "count": 2}'
expect_ok "$MICA" push "$image"
fault '{"drop": "reset", "at": -1, "count": -1}'
expect_fail 1 "$MICA" pull "$image"
stderr_lacks "http://"
no_faults

# Tokens from a service that needs the same authority.
forget
start_registry tls token
trust_registry
install -D -m 644 "$REGISTRY_CA" "$certs/$(sed -E 's#^https://([^/]*)/.*#\1#' <<< "$TOKEN_SERVICE")/ca.crt"
mkdir -p "$HOME/.docker"
jq -n --arg host "$REGISTRY" --arg auth "$(printf %s "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)" '{auths: {($host): {auth: $auth}}}' > "$HOME/.docker/config.json"
image=$REGISTRY/private/app:1
expect_ok "$MICA" tag built:1 "$image"
expect_ok "$MICA" push "$image"
expect_ok "$MICA" pull "$image"
store_is_clean
