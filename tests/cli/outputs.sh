# Every kind of output holds the same image, other programs read it, and what they write is read back.
source "$(dirname "$0")/../support/cli.sh"
needs_root "owners in outputs"
needs_program skopeo umoci jq tar
busybox_image busybox:1
skopeo() { command skopeo --insecure-policy --tmpdir "$PWD" "$@"; }

mkdir context
echo one > context/one
cat > Dockerfile << 'END'
FROM busybox:1 AS base
FROM base AS app
LABEL kind=test
ENV NAME=value
COPY --chown=1000:50 one /data/one
RUN rm /etc/group && ln -s one /data/link && mkdir -m 700 /data/private
USER app
CMD ["cat", "/data/one"]
FROM scratch AS files
COPY one /deep/er/one
COPY --chown=7:8 --chmod=640 one /owned
END

# Files only: a folder, a tar file, a tar on standard output, and the short forms of each.
expect_ok build -o type=local,dest=out/local -f Dockerfile --target files context
equal "contents of a local output" one "$(cat out/local/deep/er/one)"
# Files of a folder belong to who runs the build, as with docker.
equal "owner and mode of a local output" "0:0 640" "$(stat -c '%u:%g %a' out/local/owned)"
expect_ok build -o out/short -f Dockerfile --target files context
equal "the short form of a local output" "" "$(diff -r out/local out/short)"
expect_ok build -o type=tar,dest=files.tar -f Dockerfile --target files context
equal "names in a tar output" "deep/ deep/er/ deep/er/one owned" "$(tar tf files.tar | sed 's,^\./,,' | grep . | sort | xargs)"
equal "owner and mode in a tar output" "-rw-r----- 7/8" "$(tar tvf files.tar --numeric-owner | grep owned | cut -d' ' -f1,2)"
build -o - -f Dockerfile --target files context > stdout.tar 2> .stderr || fail "-o -: $(cat .stderr)"
cmp files.tar stdout.tar || fail "a tar on standard output differs from one in a file"
build -o type=tar -f Dockerfile --target files context > stdout2.tar 2> .stderr || fail "-o type=tar: $(cat .stderr)"
cmp files.tar stdout2.tar || fail "-o type=tar goes to standard output"
expect_fail build -o type=local -f Dockerfile --target files context
expect_fail build -o type=nonsense,dest=x -f Dockerfile context
stderr_has nonsense
# A local output adds to a folder and replaces files of the same name.
echo old > out/short/owned
echo mine > out/short/mine
expect_ok build -o out/short -f Dockerfile --target files context
equal "a replaced file" one "$(cat out/short/owned)"
equal "another's file" mine "$(cat out/short/mine)"

# Images: several outputs of one build.
expect_ok build -t app:1 -f Dockerfile --target app -o type=docker,dest=docker.tar -o type=oci,dest=oci.tar -o type=oci,dest=oci.dir,tar=false \
  -o type=tar,dest=image.tar -o type=image context
id=$(image_id app:1)
expect_ok "$MICA" inspect -f '{{json .RootFS.Layers}}' app:1
layers=$(cat .stdout)
mkdir oci.unpacked docker.unpacked
tar xf oci.tar -C oci.unpacked
tar xf docker.tar -C docker.unpacked
equal "the OCI archive and the OCI folder" "" "$(diff -r oci.dir oci.unpacked)"
equal "the layout's version" 1.0.0 "$(jq -r .imageLayoutVersion oci.dir/oci-layout)"
for blob in oci.dir/blobs/sha256/*; do
  equal "the name of $blob" "$(basename "$blob")" "$(sha256sum "$blob" | cut -d' ' -f1)"
done
equal "the config a docker archive names" "${id#sha256:}" "$(sha256sum "docker.unpacked/$(jq -r '.[0].Config' docker.unpacked/manifest.json)" | cut -d' ' -f1)"
equal "the names in a docker archive" '["app:1"]' "$(jq -c '.[0].RepoTags' docker.unpacked/manifest.json | sed 's,docker.io/library/,,')"
# A layout that is there is added to; an entry of the same name is replaced.
for name in more:1 more:2 more:1; do expect_ok build -t $name -f Dockerfile --target app -o type=oci,dest=oci.more,tar=false context; done
equal "names in a layout" '["docker.io/library/more:2","docker.io/library/more:1"]' "$(jq -c '[.manifests[].annotations["io.containerd.image.name"]]' oci.more/index.json)"
tar tf image.tar > image.names
grep -q 'data/one$' image.names || fail "no data/one in the tar output"
! grep -qE 'etc/group$|\.wh\.' image.names || fail "a removed file or a whiteout is in the tar output"

# skopeo and umoci read them.
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' oci.dir/index.json)
for from in "oci:oci.dir:$tag" "oci-archive:oci.tar:$tag" docker-archive:docker.tar; do
  expect_ok skopeo inspect --config "$from"
  equal "the layers skopeo sees in $from" "$layers" "$(jq -c .rootfs.diff_ids .stdout)"
  equal "the user skopeo sees in $from" app "$(jq -r .config.User .stdout)"
done
expect_ok skopeo copy "oci:oci.dir:$tag" docker-archive:copied.docker.tar:copied:1
expect_ok skopeo copy docker-archive:docker.tar oci-archive:copied.oci.tar:copied:2
expect_ok skopeo copy docker-archive:docker.tar oci:copied.dir:three
expect_ok umoci unpack --image "oci.dir:$tag" bundle
equal "a file umoci unpacked" "one 1000:50" "$(cat bundle/rootfs/data/one) $(stat -c %u:%g bundle/rootfs/data/one)"
equal "a folder umoci unpacked" 700 "$(stat -c %a bundle/rootfs/data/private)"
[[ ! -e bundle/rootfs/etc/group ]] || fail "umoci sees a removed file"

# Round trips, into the same store and into an empty one.
expect_ok "$MICA" save -o saved.tar app:1
"$MICA" save app:1 busybox:1 > both.tar || fail "save to standard output"
expect_ok skopeo inspect --config docker-archive:saved.tar
equal "the layers skopeo sees in a saved image" "$layers" "$(jq -c .rootfs.diff_ids .stdout)"
other=$PWD/other
for file in saved.tar docker.tar oci.tar oci.dir; do
  rm -rf "$other"
  expect_ok "$MICA" --root "$other" load -i "$file"
  output_has "Loaded image: app:1"
  equal "the id after loading $file" "$id" "$("$MICA" --root "$other" inspect -f '{{.Id}}' app:1)"
done
expect_ok "$MICA" --root "$other" run --rm --network=none app:1
stdout_is one
"$MICA" --root "$other" load < both.tar > .stdout 2> .stderr || fail "load from standard input: $(cat .stderr)"
stdout_has "Loaded image: busybox:1"
expect_ok "$MICA" --root "$other" save -o again.tar app:1
equal "a saved image that was loaded" "$(tar xOf saved.tar manifest.json)" "$(tar xOf again.tar manifest.json)"
expect_ok "$MICA" --root "$other" fsck

# What skopeo wrote; a layer that came in is saved with the DiffID it had.
rm -rf "$other"
expect_ok "$MICA" --root "$other" load -i copied.docker.tar
stdout_has copied:1
expect_ok "$MICA" --root "$other" load -i copied.oci.tar
expect_ok "$MICA" --root "$other" load -i copied.dir
for name in copied:1 copied:2; do
  expect_ok "$MICA" --root "$other" inspect -f '{{json .RootFS.Layers}}' "$name"
  stdout_is "$layers"
done
expect_ok "$MICA" --root "$other" save -o foreign.tar copied:1
expect_ok skopeo inspect --config docker-archive:foreign.tar
equal "the layers of a foreign image saved again" "$layers" "$(jq -c .rootfs.diff_ids .stdout)"

# A foreign layer with entries in an order and with headers that mica would not write keeps its bytes.
mkdir -p odd/b odd/a
echo x > odd/b/x
echo y > odd/a/y
tar -C odd --format=pax --owner=9 --group=9 -cf odd.tar b/x a/y b
digest=$(sha256sum odd.tar | cut -d' ' -f1)
mkdir odd.image
cp odd.tar odd.image/layer.tar
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"odd"}]}' "$digest" > odd.image/config.json
echo '[{"Config":"config.json","RepoTags":["odd:1"],"Layers":["layer.tar"]}]' > odd.image/manifest.json
tar -C odd.image -cf odd.image.tar manifest.json config.json layer.tar
expect_ok "$MICA" load -i odd.image.tar
equal "the id of a loaded image" "sha256:$(sha256sum odd.image/config.json | cut -d' ' -f1)" "$(image_id odd:1)"
expect_ok "$MICA" save -o odd.again.tar odd:1
mkdir odd.again
tar xf odd.again.tar -C odd.again
equal "the bytes of a foreign layer" "$digest" "$(sha256sum "odd.again/$(jq -r '.[0].Layers[0]' odd.again/manifest.json)" | cut -d' ' -f1)"

# Imports with changes.
expect_ok "$MICA" import -m note -c 'CMD ["echo", "hi"]' -c 'ENV A=b C="d e"' -c 'EXPOSE 80' -c 'WORKDIR /tmp' -c 'LABEL x=y' "$BUSYBOX_TAR" changed:1
expect_ok "$MICA" inspect -f '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.WorkingDir}} {{json .Config.ExposedPorts}} {{.Comment}}' changed:1
stdout_has '"A=b","C=d e"'
stdout_has '] ["echo","hi"] /tmp {"80/tcp":{}} note'
"$MICA" import - piped:1 < image.tar > .stdout 2> .stderr || fail "import from standard input: $(cat .stderr)"
expect_ok "$MICA" run --rm --network=none piped:1 cat /data/one
stdout_is one
expect_fail "$MICA" import -c 'RUN x' "$BUSYBOX_TAR" bad:1
store_is_clean
