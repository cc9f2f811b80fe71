# A tag in a registry carries steps from machine to machine: only what is missing travels, and no trouble with it stops a build.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_root "RUN steps"
busybox_image busybox:1
"$MICA" save -o busybox.tar busybox:1
start_registry
ref=$REGISTRY/team/app:cache

# Each store is a machine. new_machine NAME: one with nothing but the base image; on NAME COMMAND...
new_machine() { rm -rf "$PWD/$1"; "$MICA" --root "$PWD/$1" load -i busybox.tar > /dev/null; }
on() { local root=$PWD/$1; shift; MICA_ROOT=$root "$@"; }
ran() { awk '/^#[0-9]+ \[/ { id = $1; sub(/^#[0-9]+ /, ""); title[id] = $0 } /^#[0-9]+ DONE/ { if ($1 in title && title[$1] !~ /internal/ && !cached[$1]) print title[$1] } /^#[0-9]+ CACHED/ { cached[$1] = 1 }' .stderr | sed -E 's/^\[[^]]*\] //' | sort; }
ran_is() { equal "the steps that ran" "$1" "$(ran | paste -sd';')"; }
blobs_fetched() { requests_to '"GET /v2/[^"]*/blobs/'; }
blobs_sent() { requests_to '"PUT /v2/[^"]*/blobs/uploads/'; }
blob_file() { echo "$REGISTRY_FOLDER/data/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"; }
# The records of the cache as JSON.
records() {
  local manifest
  manifest=$(python3 -c 'import sys, urllib.request as u; print(u.urlopen(u.Request(sys.argv[1], headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})).read().decode())' "http://$REGISTRY/v2/team/app/manifests/${1:-cache}")
  zstd -dcq < "$(blob_file "$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["config"]["digest"][7:])' "$manifest")")"
}
needs_program zstd python3

mkdir context
echo a > context/a
cat > context/Dockerfile << 'END'
FROM busybox:1 AS tools
RUN --network=none echo tool > /tool; head -c 2000000 /dev/urandom > /large
RUN --network=none echo more > /more
FROM busybox:1
RUN --network=none echo 'keeper:x:77:77::/:/bin/sh' >> /etc/passwd; seq 20000 > /numbers
WORKDIR /w
COPY a .
RUN --network=none cat a > from-a; head -c 2000000 /dev/urandom > noise
COPY --from=tools --chown=keeper /tool .
RUN --network=none --mount=type=bind,from=tools,source=/large,target=/l wc -c < /l > size
END
new_machine one
expect_ok on one build -t app --cache-to "type=registry,ref=$ref" context
stderr_has "exporting cache to $ref"
equal "steps of a first build" 8 "$(ran | wc -l)"
layers=$(on one "$MICA" inspect -f '{{json .RootFS.Layers}}' app)
id=$(on one image_id app)

# Another machine runs nothing, gets the very same image, and fetches no layer that only the tools consist of.
new_machine two
before=$(blobs_fetched)
expect_ok on two build -t app --cache-from "$ref" --explain context
ran_is ""
stderr_has "found in the cache $ref"
stderr_has "importing cache manifest from $ref"
equal "layers of the image of a cache" "$layers" "$(on two "$MICA" inspect -f '{{json .RootFS.Layers}}' app)"
equal "the image of a cache" "$id" "$(on two image_id app)"
equal "blobs fetched: the list, which holds tiny layers, and the two others of the result" 3 $(($(blobs_fetched) - before))
expect_ok on two "$MICA" run --rm --network=none app sh -c 'cat from-a tool size; stat -c %u tool'
stdout_is $'a\ntool\n2000000\n77'
expect_ok on two "$MICA" fsck

# Only the list is read again, for the steps that stayed there; and not even that when all steps are in the store.
before=$(blobs_fetched)
expect_ok on two build -t app --cache-from "$ref" context
ran_is ""
equal "blobs fetched again: the list" 1 $(($(blobs_fetched) - before))
printf 'FROM busybox:1\nCOPY a .\n' > context/Single
expect_ok on two build -f context/Single context
before=$(requests_to .)
expect_ok on two build -f context/Single --cache-from "$ref" context
equal "requests of a build that finds its steps in the store" "$before" "$(requests_to .)"

# Nothing travels twice.
before=$(blobs_sent)
expect_ok on one build -t app --cache-to "$ref" context
equal "blobs sent by a build that has nothing new" "$before" "$(blobs_sent)"
expect_ok on two build -t app --cache-from "$ref" --cache-to "$ref" context
equal "blobs sent by the other machine" "$before" "$(blobs_sent)"
expect_ok on two build --cache-from "$ref" --dry-run context

# A change: what comes before is taken from the cache, what the step needs to look at is fetched, the rest stays there.
new_machine three
cp -a context edited
echo b > edited/a
expect_ok on three build -t app --cache-from "$ref" --cache-to "$ref" edited
ran_is "COPY --from=tools --chown=keeper /tool .;COPY a .;RUN --network=none --mount=type=bind,from=tools,source=/large,target=/l wc -c < /l > size;RUN --network=none cat a > from-a; head -c 2000000 /dev/urandom > noise"
expect_ok on three "$MICA" run --rm --network=none app cat from-a size
stdout_is $'b\n2000000'
equal "records of both builds" 12 "$(records | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["records"]))')"
new_machine four
expect_ok on four build -t app --cache-from "$ref" context
ran_is ""
expect_ok on four build -t app --cache-from "$ref" edited
ran_is ""

# Two caches; mode=min holds the steps of the result only.
expect_ok on one build -t app --cache-to "type=registry,ref=$REGISTRY/team/app:min,mode=min,compression=gzip" context
equal "records of mode=min" 6 "$(records min | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["records"]))')"
equal "layers under gzip" 6 "$(records min | python3 -c 'import json, sys; print(sum(r["layer"]["mediaType"].endswith("+gzip") for r in json.load(sys.stdin)["records"]))')"
new_machine five
expect_ok on five build -t app --cache-from "$REGISTRY/team/app:none" --cache-from "$REGISTRY/team/app:min" context
stderr_has "there is no cache yet"
stderr_lacks WARNING
ran_is "RUN --network=none --mount=type=bind,from=tools,source=/large,target=/l wc -c < /l > size;RUN --network=none echo more > /more;RUN --network=none echo tool > /tool; head -c 2000000 /dev/urandom > /large"

# Machines write at the same time: all of them end well; what one loses by that, its next build adds.
pids=()
for n in 1 2 3; do
  cp -a context "context$n"
  echo "$n" > "context$n/a"
  new_machine "six$n"
  on "six$n" build -t app --cache-from "$ref" --cache-to "$REGISTRY/team/app:race" "context$n" > "race.$n" 2>&1 &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "writing a cache beside another: $(cat race.[123])"; done
for n in 1 2 3; do expect_ok on "six$n" build -t app --cache-from "$ref" --cache-to "$REGISTRY/team/app:race" "context$n"; done
new_machine seven
for n in 1 2 3; do
  expect_ok on seven build -t app --cache-from "$REGISTRY/team/app:race" --cache-from "$ref" "context$n"
  ran_is ""
done

# A layer that is gone, and one that is damaged: their steps run, with a warning, and the next to write the cache mends it.
layers_of() { records | python3 -c 'import json, sys; print(*{r["layer"]["digest"][7:] for r in json.load(sys.stdin)["records"] if r["instruction"].startswith(sys.argv[1])})' "$1"; }
for layer in $(layers_of "RUN --network=none echo 'keeper"); do rm "$(blob_file "$layer")"; done
for layer in $(layers_of "RUN --network=none cat a"); do printf 'not at all' | dd of="$(blob_file "$layer")" conv=notrunc status=none; done
new_machine eight
expect_ok on eight build -t app --cache-from "$ref" --cache-to "$ref" context
stderr_has "WARNING: \"RUN --network=none echo 'keeper:x:77:77::/:/bin/sh' >> /etc/passwd; seq 20000 > /numbers\" was not taken from the cache $ref:"
equal "steps that the cache could not give" 2 "$(grep -c '^WARNING: .* was not taken' .stderr)"
expect_ok on eight "$MICA" run --rm --network=none app sh -c 'cat from-a tool size; stat -c %u tool'
stdout_is $'a\ntool\n2000000\n77'
expect_ok on eight "$MICA" fsck
new_machine nine
expect_ok on nine build -t app --cache-from "$ref" context
stderr_lacks WARNING
ran_is ""

# A list that is damaged, a tag that is something else, a registry that is not there: warnings when read.
config=$(python3 -c 'import json, sys, urllib.request as u; print(json.load(u.urlopen(u.Request(sys.argv[1], headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})))["config"]["digest"][7:])' "http://$REGISTRY/v2/team/app/manifests/min")
printf 'not at all' | dd of="$(blob_file "$config")" conv=notrunc status=none
new_machine ten
expect_ok on ten build -t app --cache-from "$REGISTRY/team/app:min" context
stderr_has "WARNING: the cache $REGISTRY/team/app:min was not used:"
equal "steps without the cache" 8 "$(ran | wc -l)"
"$MICA" tag busybox:1 "$REGISTRY/team/app:image"
expect_ok "$MICA" push "$REGISTRY/team/app:image"
expect_ok on ten build -t app --cache-from "$REGISTRY/team/app:image" --no-cache-filter tools context
expect_fail 1 on ten build -t app --cache-to "$REGISTRY/team/app:image" context
stderr_has "there is something else, not a step cache of mica"
nowhere=127.0.0.1:1/team/app:cache
expect_ok on ten build -t app --cache-from "$nowhere" --build-arg X=1 edited
stderr_has "WARNING: the cache $nowhere was not used:"
expect_fail 1 on ten build -t app --cache-to "$nowhere" context
stderr_has "exporting the cache to $nowhere"
expect_ok on ten build -t app --cache-to "type=registry,ref=$nowhere,ignore-error=true" context
stderr_has "WARNING: the cache $nowhere was not written:"

# A build that fails writes no cache.
printf 'FROM busybox:1\nRUN --network=none exit 3\n' > context/Fails
expect_fail 1 on ten build -f context/Fails --cache-to "$REGISTRY/team/app:failed" context
new_machine eleven
expect_ok on eleven build -t app --cache-from "$REGISTRY/team/app:failed" context
stderr_has "there is no cache yet"

# What is not there is refused by name.
for type in inline gha s3 azblob; do
  expect_fail 1 build --cache-to "type=$type" context
  stderr_has "type=$type is not supported"
done
expect_fail 1 build --cache-from type=registy,ref=a context
stderr_has "did you mean registry?"
expect_fail 1 build --cache-to type=registry,ref=a,oci-mediatypes=false context
expect_fail 1 build --cache-to type=registry,ref=a,image-manifest=false context
expect_fail 1 build --cache-to type=registry,ref=a,compression=estargz context
expect_fail 1 build --cache-to type=registry context
expect_fail 1 build --cache-to "type=registry,ref=a@sha256:$(printf '0%.0s' {1..64})" context
expect_fail 1 build --cache-from type=registry,ref=a,mode=max context
expect_fail 1 build --cache-from a,b context
expect_fail 1 build --cache-to type=local,dest=d,ref=a context
