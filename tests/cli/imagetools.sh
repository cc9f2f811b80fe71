# Indexes made and shown at registries, Docker's two ways: buildx imagetools, and manifest lists kept here until they are pushed.
source "$(dirname "$0")/../support/cli.sh"
needs_program docker-registry skopeo jq python3
source "$support/registry.sh"
start_registry
R=$REGISTRY/app
raw() { skopeo inspect --raw --tls-verify=false "docker://$1"; }
digest_of() { raw "$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
put() { skopeo copy -q --all --dest-tls-verify=false "$@"; }
imagetools() { "$MICA" buildx imagetools "$@"; }

# layout FOLDER WORD PLATFORM...: an OCI layout with an index "all", a manifest by the name of each architecture, and an index
# "attested" of the first one with what is stated about it.
layout() {
  python3 - "$@" << 'END'
import gzip, hashlib, io, json, os, sys, tarfile
folder, word, *platforms = sys.argv[1:]
os.makedirs(folder + "/blobs/sha256", exist_ok=True)
OCI = "application/vnd.oci.image."
def put(data):
    if not isinstance(data, bytes): data = json.dumps(data).encode()
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
def manifest(config, layers, config_type=OCI + "config.v1+json"):
    return put({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": {"mediaType": config_type, **put(config)}, "layers": layers})
entries, names = [], []
for text in platforms:
    system, architecture, *variant = text.split("/")
    platform = {"architecture": architecture, "os": system, **({"variant": variant[0]} if variant else {})}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        data = f"{word} {text}\n".encode()
        member = tarfile.TarInfo("word")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    plain = packed.getvalue()
    config = {**platform, "created": "2024-01-01T00:00:00Z", "config": {"Env": ["WORD=" + word], "Labels": {"a": "<b>"}},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]}}
    layer = {"mediaType": OCI + "layer.v1.tar+gzip", **put(gzip.compress(plain, mtime=0))}
    entries.append({"mediaType": OCI + "manifest.v1+json", **manifest(config, [layer]), "platform": platform})
    names.append({**entries[-1], "annotations": {"org.opencontainers.image.ref.name": architecture}})
def statement(kind, predicate):
    return {"mediaType": "application/vnd.in-toto+json", **put({"predicateType": kind, "predicate": predicate}), "annotations": {"in-toto.io/predicate-type": kind}}
stated = manifest({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}},
                  [statement("https://slsa.dev/provenance/v0.2", {"builder": {"id": "b"}}), statement("https://spdx.dev/Document", {"spdxVersion": "SPDX-2.3"})])
about = {"mediaType": OCI + "manifest.v1+json", **stated, "platform": {"architecture": "unknown", "os": "unknown"},
         "annotations": {"vnd.docker.reference.digest": entries[0]["digest"], "vnd.docker.reference.type": "attestation-manifest"}}
def index(name, manifests):
    names.append({"mediaType": OCI + "index.v1+json", **put({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests}),
                  "annotations": {"org.opencontainers.image.ref.name": name}})
index("all", entries)
index("attested", [entries[0], about])
index("half", [*entries, about])
json.dump({"schemaVersion": 2, "manifests": names}, open(folder + "/index.json", "w"))
open(folder + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
END
}
layout one one linux/amd64 linux/arm64/v8
layout two two linux/amd64 linux/arm/v7
for name in all amd64 arm64 attested half; do put "oci:one:$name" "docker://$R:$name"; done
put oci:two:all "docker://$R:two"
put oci:two:arm "docker://$R:arm"
for name in amd64 arm64; do put --format v2s2 "oci:one:$name" "docker://$R:docker-$name"; done
amd64=$(digest_of "$R:amd64") arm64=$(digest_of "$R:arm64") arm=$(digest_of "$R:arm")
entries() { jq -r '[.manifests[] | "\(.platform.architecture)/\(.platform.variant // "") \(.digest)"] | join(" ")' "$@"; }

# What would be made.
expect_ok imagetools create --dry-run "$R:amd64" "$R:arm64" "$R:amd64"
equal "an index of two images" "amd64/ $amd64 arm64/ $arm64" "$(entries .stdout)"
equal "its type" application/vnd.oci.image.index.v1+json "$(jq -r .mediaType .stdout)"
expect_ok imagetools create --dry-run "$R:docker-amd64" "$R:docker-arm64"
equal "the type of a list of Docker's" application/vnd.docker.distribution.manifest.list.v2+json "$(jq -r .mediaType .stdout)"
expect_ok imagetools create --dry-run "$R:all" "$R:two"
equal "two indexes" "amd64/ arm64/v8 amd64/ arm/v7" "$(entries .stdout | sed -E 's/ sha256:[0-9a-f]+//g')"
expect_ok imagetools create --dry-run "$R:amd64"
equal "an index of one" "amd64/ $amd64" "$(entries .stdout)"
expect_ok imagetools create --dry-run --prefer-index=false "$R:amd64"
equal "the image itself" "$amd64" "sha256:$(head -c -1 .stdout | sha256sum | sed 's/ .*//')"
expect_ok imagetools create --dry-run "$R:all"
equal "the index itself" "$(digest_of "$R:all")" "sha256:$(head -c -1 .stdout | sha256sum | sed 's/ .*//')"
expect_ok imagetools create --dry-run -p linux/arm64,linux/arm/v7 "$R:all" "$R:two"
equal "filtered" "arm64/v8 $arm64 arm/v7 $arm" "$(entries .stdout)"
expect_ok imagetools create --dry-run -p linux/amd64 "$R:half"
equal "attestations stay with their image" "amd64/ unknown/" "$(entries .stdout | sed -E 's/ sha256:[0-9a-f]+//g')"
expect_ok imagetools create --dry-run -p linux/arm64 "$R:half"
equal "and go with it" "arm64/v8 $arm64" "$(entries .stdout)"
expect_fail 1 imagetools create --dry-run -p linux/s390x "$R:all"
stderr_has "none of the manifests match the provided platforms"
expect_ok imagetools create --dry-run -t "$R:x" --annotation index:b=2 --annotation 'index,manifest-descriptor:a=<1>' --annotation 'manifest-descriptor[linux/arm64]:c=3' "$R:all"
equal "annotations" '{"a":"<1>","b":"2"} {"a":"<1>"} {"a":"<1>","c":"3"}' "$(jq -c '.annotations, .manifests[].annotations' .stdout | tr '\n' ' ' | sed 's/ $//')"
stdout_has '"a": "\u003c1\u003e"'
expect_fail 1 imagetools create --dry-run --annotation manifest:a=b "$R:all"
stderr_has '"manifest" annotations are not supported here'
expect_ok imagetools create --dry-run -t "$R:x" "$amd64" "{\"digest\":\"$arm64\",\"platform\":{\"os\":\"linux\",\"architecture\":\"riscv64\"},\"annotations\":{\"q\":\"r\"}}"
equal "by digest and descriptor" "amd64/ $amd64 riscv64/ $arm64" "$(entries .stdout)"
echo "$R:arm64" > source
expect_ok imagetools create --dry-run -f source "$R:amd64"
equal "sources of a file go first" "arm64/ $arm64 amd64/ $amd64" "$(entries .stdout)"
expect_fail 1 imagetools create --dry-run "$amd64"
stderr_has "needs a --tag"
expect_fail 1 imagetools create --dry-run -t "$R:x" -t "$R-2:x" "$amd64"
stderr_has "multiple repositories specified, cannot infer repository"
expect_fail 1 imagetools create "$R:amd64"
stderr_has "please set --tag or --dry-run"
expect_fail 1 imagetools create -t "$R:x"
stderr_has "no sources specified"
raw "$R:x" > /dev/null 2>&1 && fail "a dry run made something"

# What is made: in the same repository, in another, at another registry; with all that it refers to.
expect_ok imagetools create --dry-run "$R:amd64" "$R:arm64"
made=sha256:$(head -c -1 .stdout | sha256sum | sed 's/ .*//')
first=$REGISTRY first_log=$REGISTRY_LOG
start_registry
expect_ok imagetools create -t "$R:made" -t "$first/other/place:1" -t "$REGISTRY/far:1" "$R:amd64" "$R:arm64"
stdout_is ""
stderr_has "pushing $made to $R:made"
stderr_has "copying $arm64 from $R:arm64 to $REGISTRY/far:1"
for name in "$R:made" "$first/other/place:1" "$REGISTRY/far:1"; do
  equal "the digest of $name" "$made" "$(digest_of "$name")"
  skopeo copy -q --all --src-tls-verify=false "docker://$name" "dir:$(basename "$name" :1)" || fail "$name is not whole"
done
[[ $(grep -c 'PUT /v2/other/place/blobs' "$first_log") == 0 ]] || fail "blobs were sent within a registry"
expect_ok imagetools create --progress none --append -t "$R:made" "$R:arm"
stderr_lacks pushing
equal "appended" "amd64/ $amd64 arm64/ $arm64 arm/v7 $arm" "$(raw "$R:made" | entries)"
expect_fail 1 imagetools create --append -t "$R:nothing" "$R:arm"
expect_ok imagetools create --progress none -t "$REGISTRY/attested:1" "$R:attested"
equal "a copy" "$(digest_of "$R:attested")" "$(digest_of "$REGISTRY/attested:1")"

# What is there.
expect_ok imagetools inspect "$R:all"
stdout_is "Name:      $R:all
MediaType: application/vnd.oci.image.index.v1+json
Digest:    $(digest_of "$R:all")
           
Manifests: 
  Name:      $R:all@$amd64
  MediaType: application/vnd.oci.image.manifest.v1+json
  Platform:  linux/amd64
             
  Name:      $R:all@$arm64
  MediaType: application/vnd.oci.image.manifest.v1+json
  Platform:  linux/arm64/v8"
expect_ok imagetools inspect "$R@$amd64"
stdout_is "Name:      $R@$amd64
MediaType: application/vnd.oci.image.manifest.v1+json
Digest:    $amd64"
expect_ok imagetools inspect --raw "$R:all"
equal "the bytes" "$(digest_of "$R:all")" "sha256:$(sha256sum < .stdout | sed 's/ .*//')"
expect_ok imagetools inspect --format '{{.Name}} {{.Manifest.Digest}} {{range .Manifest.Manifests}}{{.Platform.Architecture}} {{end}}' "$R:all"
stdout_is "$R:all $(digest_of "$R:all") amd64 arm64 "
expect_ok imagetools inspect --format '{{(index .Image "linux/arm64").Config.Env}} {{len (index .Image "linux/amd64").RootFS.DiffIDs}}' "$R:all"
stdout_is "[WORD=one] 1"
expect_ok imagetools inspect --format '{{json .}}' "$R:amd64"
equal "an image" "image manifest name $amd64 amd64" "$(jq -r '[(keys | join(" ")), .manifest.digest, .image.architecture] | join(" ")' .stdout)"
expect_ok imagetools inspect --format '{{json .Provenance}}{{json .SBOM}}' "$R:all"
stdout_is '{}{}'
expect_ok imagetools inspect --format '{{.Provenance.SLSA.builder.id}} {{.SBOM.SPDX.spdxVersion}} {{.Image.Config.Env}}' "$R:attested"
stdout_is "b SPDX-2.3 [WORD=one]"
expect_ok imagetools inspect --format '{{json .Provenance}}' "$R:half"
equal "provenance by platform" '{"linux/amd64":{"SLSA":{"builder":{"id":"b"}}}}' "$(jq -c . .stdout)"
expect_fail 1 imagetools inspect --raw --format '{{.Name}}' "$R:all"
stderr_has "format and raw cannot be used together"
expect_fail 1 imagetools inspect --format '{{' "$R:all"
stderr_has "template: :1: unclosed action"
expect_fail 1 imagetools inspect "$R:nothing"
stderr_has "$R:nothing"
: > "$first_log"
expect_ok imagetools inspect --format '{{.Manifest.Digest}}' "$R:all"
equal "documents read for a digest" 1 "$(grep -c 'GET /v2/app/manifests' "$first_log")"

# Lists that are kept here.
expect_ok "$MICA" manifest create "$R:list" "$R:docker-amd64" "$R:docker-arm64"
stdout_is "Created manifest list $R:list"
expect_fail 1 "$MICA" manifest create "$R:list" "$R:amd64"
stderr_has "refusing to amend an existing manifest list with no --amend flag"
expect_ok "$MICA" manifest annotate --arch arm --variant v7 --os-features a,b --os-version 1.2 "$R:list" "$R:docker-arm64"
expect_ok "$MICA" manifest inspect "$R:list"
equal "annotated" '{"architecture":"arm","os":"linux","os.version":"1.2","os.features":["a","b"],"variant":"v7"}' "$(jq -c '.manifests[1].platform' .stdout)"
equal "members in Docker's order" '["mediaType","size","digest","platform"]' "$(jq -c '.manifests[0] | keys_unsorted' .stdout)"
cp .stdout shown
expect_fail 1 "$MICA" manifest annotate --arch nonsense "$R:list" "$R:docker-arm64"
stderr_has "unsupported os/arch combination: linux/nonsense"
expect_fail 1 "$MICA" manifest annotate --arch arm "$R:list" "$R:amd64"
stderr_has "manifest for image $R:amd64 does not exist in $R:list"
raw "$R:list" > /dev/null 2>&1 && fail "a list went to the registry before it was pushed"
expect_ok "$MICA" manifest push "$R:list"
stdout_is "$(digest_of "$R:list")"
equal "what was shown is what was pushed" "$(raw "$R:list")" "$(cat shown)"
expect_ok "$MICA" manifest create --amend "$R:list" "$R:arm"
expect_ok "$MICA" manifest inspect "$R:list"
equal "amended, with an image of OCI's" "application/vnd.oci.image.index.v1+json 3" "$(jq -r '"\(.mediaType) \(.manifests | length)"' .stdout)"
expect_ok "$MICA" manifest inspect "$R:list" "$R:docker-amd64"
equal "a manifest of a list" "$(raw "$R:docker-amd64" | jq -cS .)" "$(jq -cS . .stdout)"
expect_fail 1 "$MICA" manifest inspect "$R:list" "$R:amd64"
stderr_has "No such manifest: $R:amd64"
expect_ok "$MICA" manifest inspect -v "$R:list"
equal "verbose" "$R:arm OCIManifest $R:docker-amd64 SchemaV2Manifest $R:docker-arm64 SchemaV2Manifest" \
  "$(jq -r '[.[] | .Ref, (keys | map(select(endswith("Manifest"))))[0]] | join(" ")' .stdout)"
equal "the bytes" "$(raw "$R:arm")" "$(jq -r '.[0].Raw' .stdout | base64 -d)"
expect_ok "$MICA" manifest inspect "$R:all"
equal "an index at a registry" "amd64/ $amd64 arm64/v8 $arm64" "$(entries .stdout)"
expect_ok "$MICA" manifest inspect -v "$R:amd64"
equal "an image at a registry" "$R:amd64 $amd64 linux" "$(jq -r '"\(.Ref) \(.Descriptor.digest) \(.Descriptor.platform.os)"' .stdout)"
expect_fail 1 "$MICA" manifest inspect "$R:nothing"
stderr_has "no such manifest: $R:nothing"
expect_fail 1 "$MICA" manifest create "$R:mixed" "$R:all"
stderr_has "$R:all is a manifest list"

# Manifests of another repository and another registry come along.
expect_ok "$MICA" manifest create "$REGISTRY/joined:1" "$R:amd64" "$R:arm64"
expect_ok "$MICA" manifest push --purge "$REGISTRY/joined:1"
stdout_has "Pushed ref $REGISTRY/joined@$amd64 with digest: $amd64"
skopeo copy -q --all --src-tls-verify=false "docker://$REGISTRY/joined:1" dir:joined || fail "the pushed list is not whole"
expect_fail 1 "$MICA" manifest push "$REGISTRY/joined:1"
stderr_has "No such manifest: $REGISTRY/joined:1"
expect_fail 1 "$MICA" manifest rm "$R:list" "$R:nothing"
stderr_has "No such manifest: $R:nothing"
expect_fail 1 "$MICA" manifest rm "$R:list"
equal "lists that are left" 0 "$(find "$MICA_ROOT/manifests" -name '*.json' | wc -l)"

# Amending at the same time loses nothing.
expect_ok "$MICA" manifest create "$R:busy" "$R:amd64"
amending=()
for name in arm64 arm docker-amd64 docker-arm64; do
  "$MICA" manifest create --amend "$R:busy" "$R:$name" > /dev/null &
  amending+=($!)
done
for pid in "${amending[@]}"; do wait "$pid" || fail "amending a list"; done
"$MICA" manifest inspect "$R:busy" > busy
equal "manifests of a busy list" 5 "$(jq '.manifests | length' busy)"
expect_ok "$MICA" manifest rm "$R:busy"

# A damaged list says how to go on.
expect_ok "$MICA" manifest create "$R:damaged" "$R:amd64"
sed -i 's/"raw": "ey/"raw": "eX/' "$MICA_ROOT"/manifests/*.json
expect_fail 1 "$MICA" manifest inspect "$R:damaged"
stderr_has "'mica manifest rm $R:damaged' removes it"
expect_ok "$MICA" manifest rm "$R:damaged"

# A registry whose certificate nobody knows.
start_registry tls
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$R:amd64" "docker://$REGISTRY/app:amd64"
expect_fail 1 "$MICA" manifest inspect "$REGISTRY/app:amd64"
expect_ok "$MICA" manifest inspect --insecure "$REGISTRY/app:amd64"
expect_ok "$MICA" manifest create --insecure "$REGISTRY/app:list" "$REGISTRY/app:amd64" "$R:arm64"
expect_fail 1 "$MICA" manifest push "$REGISTRY/app:list"
expect_ok "$MICA" manifest push --insecure "$REGISTRY/app:list"
equal "pushed to it" "amd64/ $amd64 arm64/v8 $arm64" "$(raw "$REGISTRY/app:list" | jq -c '.manifests |= sort_by(.platform.architecture)' | entries)"
