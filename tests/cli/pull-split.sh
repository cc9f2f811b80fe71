# A large layer over connections that are slow one by one comes by several: each byte once, verified as a whole; a server that
# cannot answer ranges keeps its one.
# timeout: 180
source "$(dirname "$0")/../support/cli.sh"
source "$support/faulty.sh"
needs_root "unpacking layers"
start_faulty
seed app:1 24000
mapfile -t layers < <(layers_of app:1)
layer=${layers[-1]}
size=$(manifest_of app:1 | jq '.layers[-1].size')

fresh
fault "{\"path\": \"/blobs/$layer\", \"count\": -1, \"throttle\": 2000000}"
expect_ok "$MICA" pull -q "$FAULTY/app:1"
there "$FAULTY/app:1"
equal "connections for the layer" 4 "$(requests GET "/blobs/$layer")"
[[ $(bytes_sent "/blobs/$layer") -lt $((size + 6000000)) ]] || fail "$(bytes_sent "/blobs/$layer") bytes came of $size"

# Small ones and fast ones come by one connection.
fresh
expect_ok "$MICA" pull -q "$FAULTY/app:1"
equal "connections for a fast layer" 1 "$(requests GET "/blobs/$layer")"

# A part that breaks off goes on where it was.
fresh
fault "{\"path\": \"/blobs/$layer\", \"count\": 2, \"throttle\": 2000000}" "{\"path\": \"/blobs/$layer\", \"count\": 1, \"throttle\": 2000000, \"drop\": \"reset\", \"at\": 1000000}"
expect_ok "$MICA" pull -q "$FAULTY/app:1"
there "$FAULTY/app:1"
nothing=$(ls "$MICA_ROOT/partial" 2> /dev/null || true)
equal "left of the download" "" "$nothing"
