# What an image's layers waste, to the byte: from the store, archives, layouts, streams and a registry, with equal figures; limits for CI.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_root "RUN steps"
needs_program jq skopeo docker-registry zstd
busybox_image bb:1
# member FILTER: of the last JSON.
member() { jq -c "$1" .stdout; }
analysis() { expect_ok "$MICA" analyze --format json "$@"; }

mkdir app
for name in data big; do head -c 300000 /dev/urandom > "app/$name"; done
echo '{"name": "app"}' > app/package.json      # 16 bytes
cat > app/Dockerfile << 'END'
FROM bb:1
RUN mkdir -p /build/out && head -c 400000 /dev/urandom > /build/out/a && head -c 200000 /dev/urandom > /build/out/b
COPY data /srv/data
RUN rm -r /build && mkdir -p /root/.npm/_cacache && head -c 70000 /dev/urandom > /root/.npm/_cacache/x
RUN chown 1000 /srv/data
COPY package.json /srv/
COPY data package.json /srv/
LABEL nothing=here
RUN rm -r /root/.npm && cp /srv/package.json /srv/package-copy.json && echo changed > /etc/passwd
END
build -t app:1 app > .build 2>&1 || fail "building: $(cat .build)"
bb_bytes=$(tar -tvf "$BUSYBOX_TAR" | awk '$1 ~ /^-/ { sum += $3 } END { print sum }')
passwd_bytes=$(tar -tvf "$BUSYBOX_TAR" | awk '$NF ~ /etc\/passwd$/ { print $3 }')

# Every figure by hand: the build folder 600000, the npm cache 70000, data twice 600000, package.json 16, and passwd of the base.
analysis app:1
cp .stdout stored.json
equal "layers" 8 "$(member '.layers | length')"
equal "indexes" '[0,1,2,3,4,5,6,7]' "$(member '[.layers[].index]')"
equal "total" $((bb_bytes + 600000 + 300000 + 70000 + 300000 + 16 + 300016 + 16 + 8)) "$(member .total_bytes)"
equal "deleted" 670000 "$(member .waste.deleted_bytes)"
equal "overwritten" $((600016 + passwd_bytes)) "$(member .waste.overwritten_bytes)"
equal "of the same content" 600016 "$(member .waste.same_content_bytes)"
equal "inherited" "$passwd_bytes" "$(member .waste.inherited_bytes)"
equal "reclaimable" 1270016 "$(member .waste.reclaimable_bytes)"
equal "package caches, live" 0 "$(member .package_cache_bytes)"
equal "package caches, dead" 70000 "$(member '[.package_caches[].dead_bytes] | add')"
equal "duplicates" 16 "$(member .duplicate_bytes)"
equal "bytes of layers" "[$bb_bytes,600000,300000,70000,300000,16,300016,24]" "$(member '[.layers[].bytes]')"
equal "dead bytes of layers" "[$passwd_bytes,600000,300000,70000,300000,16,0,0]" "$(member '[.layers[].wasted_bytes]')"
equal "hidden bytes by layers" "[0,0,0,600000,300000,0,300016,$((70000 + passwd_bytes))]" "$(member '[.layers[].hidden_bytes]')"
equal "lines" '[null,2,3,4,5,6,7,9]' "$(member '[.layers[].line]')"
equal "the base" '{"layers":1,"name":"docker.io/library/bb:1","known_by":"build"}' "$(member '.base | {layers, name, known_by}')"
equal "a finding" '{"kind":"deleted","path":"/build/out/a","bytes":400000,"added_layer":1,"hidden_by_layer":3}' \
  "$(member '.findings[] | select(.path == "/build/out/a") | {kind, path, bytes, added_layer, hidden_by_layer}')"
equal "what a chown changed" '["owner"]' "$(member '.findings[] | select(.path == "/srv/data" and .hidden_by_layer == 4).changed')"
equal "a directory told at once" '["/build/out",600000,2]' "$(member '.rollups[] | select(.added_layer == 1) | [.path, .bytes, .files]')"
equal "sums" true "$(member '([.layers[].bytes] | add) == .total_bytes and .live_bytes + .waste.bytes == .total_bytes and .waste.deleted_bytes + .waste.overwritten_bytes == .waste.bytes
  and .waste.reclaimable_bytes + .waste.inherited_bytes == .waste.bytes and ([.findings[].bytes] | add) == .waste.bytes and ([.rollups[].bytes] | add) == .waste.bytes
  and ([.layers[].wasted_bytes] | add) == .waste.bytes and ([.kinds[].bytes] | add) == .live_bytes')"
equal "efficiency" true "$(member '(.efficiency - .live_bytes / .total_bytes) | fabs < 1e-12')"

# The same image in every other form. Lines, times and the digests of blobs are not of the layers themselves.
same_figures='del(.name, .digest, .base, .compressed_bytes, .waste.compressed_bytes_estimate, .layers[].line, .layers[].duration_ns, .layers[].instruction, .layers[].digest, .layers[].compressed_bytes)'
expected=$(jq -cS "$same_figures" stored.json)
same() {
  analysis "$@"
  equal "figures of $*" "$expected" "$(jq -cS "$same_figures" .stdout)"
}
expect_ok "$MICA" save -o docker.tar app:1
same docker.tar
same docker-archive:docker.tar
same docker-archive:docker.tar:app:1
same oci-archive:docker.tar
gzip -k docker.tar
same ./docker.tar.gz
"$MICA" analyze --format json - < docker.tar > .stdout || fail "a stream"
equal "figures of a stream" "$expected" "$(jq -cS "$same_figures" .stdout)"
for compression in gzip zstd uncompressed; do
  build -o "type=oci,dest=oci-$compression.tar,compression=$compression" app > .build 2>&1 || fail "building: $(cat .build)"
  same "oci-$compression.tar"
done
equal "sizes of blobs are known" true "$(jq '(.compressed_bytes > 0) and ([.layers[].compressed_bytes] | add) == .compressed_bytes' .stdout)"
expect_ok "$MICA" copy -q oci-archive:oci-zstd.tar oci:layout:app
same oci:layout:app
same ./layout
start_registry
expect_ok "$MICA" copy -q oci:layout:app "$REGISTRY/app:1"
same "docker://$REGISTRY/app:1"
same --remote "$REGISTRY/app:1"
equal "layers fetched that the store has" 0 "$(requests_to '"GET /v2/app/blobs/[^"]*" 200' | xargs -I{} expr {} - 2)"
"$MICA" --root "$PWD/empty-root" analyze --base 1 --format json "docker://$REGISTRY/app:1" > .stdout || fail "an empty store"
equal "figures without a store" "$expected" "$(jq -cS "$same_figures" .stdout)"
skopeo copy -q --insecure-policy docker-archive:docker.tar docker-archive:skopeo.tar:app:2 || fail "skopeo"
same skopeo.tar

# A layer of which nothing is changed on the way is told from one that is.
head -c 1000000 docker.tar > cut.tar
expect_fail 1 "$MICA" analyze cut.tar
stderr_has "unexpected end of the archive"
echo nonsense > nonsense.tar
expect_fail 1 "$MICA" analyze ./nonsense.tar
expect_fail 1 "$MICA" analyze nope:1
stderr_has "No such image"
stderr_has "--remote"
mkdir nothing
expect_fail 1 "$MICA" analyze ./nothing
stderr_has "neither manifest.json nor index.json"
rm -r nothing

# Whose waste it is, when nobody built the image here.
expect_ok "$MICA" tag app:1 other:1
"$MICA" --root "$PWD/second-root" load -q -i docker.tar > /dev/null || fail "loading"
"$MICA" --root "$PWD/second-root" analyze --format json app:1 > .stdout || fail "a loaded image"
equal "the base by history" '["history",1]' "$(member '[.base.known_by, .base.layers]')"
"$MICA" --root "$PWD/second-root" import -c 'CMD ["sh"]' "$BUSYBOX_TAR" bb:2 > /dev/null || fail "importing"
"$MICA" --root "$PWD/second-root" analyze --format json app:1 > .stdout || fail "a loaded image"
equal "the base by the store" '["store",1,"bb:2"]' "$(member '[.base.known_by, .base.layers, .base.name]')"
analysis --base none app:1
equal "no base" 0 "$(member .waste.inherited_bytes)"
analysis --base 3 app:1
equal "three layers" $((900000 + passwd_bytes)) "$(member .waste.inherited_bytes)"
analysis --base bb:1 app:1
equal "the base as told" '["option",1]' "$(member '[.base.known_by, .base.layers]')"
expect_fail "$MICA" analyze --base 9 app:1
expect_fail "$MICA" analyze --base app:1 bb:1

# Holes count as the bytes that a reader sees, in the store and in a sparse tar.
mkdir sparse
truncate -s 1048576 sparse/hole
echo end >> sparse/hole
tar -S --owner=0 --group=0 -C sparse -cf layer.tar hole
[[ $(stat -c %s layer.tar) -lt 100000 ]] || fail "the tar is not sparse"
expect_ok "$MICA" import layer.tar sparse:1
analysis sparse:1
equal "a hole in the store" 1048580 "$(member .total_bytes)"
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(sha256sum < layer.tar | cut -d' ' -f1)" > config.json
echo '[{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}]' > manifest.json
tar -cf sparse.tar manifest.json config.json layer.tar
analysis ./sparse.tar
equal "a hole in a tar" 1048580 "$(member .total_bytes)"

# The page.
expect_ok "$MICA" analyze app:1
stdout_has "/build/out/ (2 files)"
stdout_has "added in layer 1 (line 2), deleted in layer 3 (line 4)"
stdout_has "stored again in layer 4 (line 5) for its owner"
stdout_has "FROM docker.io/library/bb:1 (1 layer)"
! grep -q $'\x1b' .stdout || fail "colours where no terminal is"
COLUMNS=80 expect_ok "$MICA" analyze app:1
[[ $(sed -n '/^#/,/^$/p' .stdout | awk '{ if (length($0) > most) most = length($0) } END { print most }') -le 82 ]] || fail "the table of layers is wider than 80 columns"
expect_ok "$MICA" analyze -f '{{.waste.bytes}} {{len .layers}}' app:1
stdout_is "$(jq .waste.bytes stored.json) 8"

# Limits.
waste=$(jq .waste.bytes stored.json) total=$(jq .total_bytes stored.json)
expect_ok "$MICA" analyze --max-waste "$waste" --max-size "$total" --max-layer 600000 --max-reclaimable 1270016 --min-efficiency 10% app:1
expect_fail 1 "$MICA" analyze --max-waste $((waste - 1)) app:1
stderr_has "max-waste"
stdout_has "Wasted:"
expect_fail 1 "$MICA" analyze --max-waste 1% app:1
expect_fail 1 "$MICA" analyze --max-size $((total - 1)) app:1
stderr_has "max-size"
expect_fail 1 "$MICA" analyze --max-layer 599999 app:1
stderr_has "layer 1 has"
expect_fail 1 "$MICA" analyze --max-reclaimable 1MB app:1
expect_fail 1 "$MICA" analyze --min-efficiency 0.99 --format json app:1
equal "breaches in JSON" '["min-efficiency"]' "$(member '[.breaches[].limit]')"
expect_fail 1 "$MICA" analyze --ci app:1
stderr_has "highestUserWastedPercent"
printf 'rules:\n  lowestEfficiency: 0.1\n  highestUserWastedPercent: disabled\n' > .dive-ci
expect_ok "$MICA" analyze --ci app:1
printf 'rules:\n  highestWastedBytes: 1kB\n' > rules
expect_fail 1 "$MICA" analyze --ci-config rules app:1
stderr_has "highestWastedBytes"
echo 'rules: {' > rules
printf 'rules:\n  lowestEfficiency: lots\n' > rules
expect_fail "$MICA" analyze --ci-config rules app:1
stderr_has "line 2"
expect_fail "$MICA" analyze --max-waste lots app:1
store_is_clean
