# Steps run only when what they read changed; they are shared by builds at the same time, and by stores through a cache folder.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
busybox_image busybox:1

# The titles of the steps that ran: those of the plain progress that were done without being cached.
ran() { awk '/^#[0-9]+ \[/ { id = $1; sub(/^#[0-9]+ /, ""); title[id] = $0 } /^#[0-9]+ DONE/ { if ($1 in title && title[$1] !~ /internal/ && !cached[$1]) print title[$1] } /^#[0-9]+ CACHED/ { cached[$1] = 1 }' .stderr | sed -E 's/^\[[^]]*\] //' | sort; }
ran_is() { equal "the steps that ran" "$1" "$(ran | paste -sd';')"; }

mkdir context
echo a > context/a
echo b > context/b
cat > context/Dockerfile << 'END'
FROM busybox:1 AS tools
RUN --network=none echo tool > /tool
FROM busybox:1
WORKDIR /w
COPY a .
RUN --network=none cat a > from-a
COPY b .
COPY --from=tools /tool .
RUN --network=none cat b tool > from-b
END
expect_ok build -t one context
id=$(image_id one)
equal "steps of a first build" 7 "$(ran | wc -l)"

# Nothing changed; nothing but times changed; a file no step reads.
expect_ok build -t two context
ran_is ""
equal "the image of a cached build" "$id" "$(image_id two)"
touch -d '2001-01-01' context/a context/b
echo > context/unused
expect_ok build -t two context
ran_is ""
equal "the image after a touch" "$id" "$(image_id two)"
cp -a context moved
expect_ok build -t two moved
ran_is ""

# A changed file; a changed mode; back to what was.
echo b2 > context/b
expect_ok build -t two context
ran_is "COPY --from=tools /tool .;COPY b .;RUN --network=none cat b tool > from-b"
[[ $(image_id two) != "$id" ]] || fail "another file, the same image"
chmod 600 context/b
expect_ok build -t two context
ran_is "COPY --from=tools /tool .;COPY b .;RUN --network=none cat b tool > from-b"
chmod 644 context/b
echo b > context/b
expect_ok build -t two context
ran_is ""
equal "the image of what was built before" "$id" "$(image_id two)"

# --no-cache runs all, --no-cache-filter a stage and nothing else that got the same.
expect_ok build --no-cache -t two context
equal "steps with --no-cache" 7 "$(ran | wc -l)"
expect_ok build --no-cache-filter tools -t two context
ran_is "RUN --network=none echo tool > /tool"
expect_ok build -t two context
ran_is ""

# Early cutoff: a step that ran again with the result it had lets the steps after it hit.
mkdir cutoff
cat > cutoff/Dockerfile << 'END'
FROM busybox:1 AS made
ARG STAMP=1
RUN --network=none : $STAMP; echo same > /made
FROM busybox:1
COPY --from=made /made /made
RUN --network=none cat /made > /used
END
expect_ok build -t cut:1 cutoff
expect_ok build -t cut:2 --build-arg STAMP=2 cutoff
ran_is "RUN --network=none : 2; echo same > /made"
equal "the image after an early cutoff" "$(image_id cut:1)" "$(image_id cut:2)"
cat > cutoff/Dockerfile << 'END'
FROM busybox:1
ARG STAMP=1
RUN --network=none : $STAMP; mkdir /fixed; touch -d '2020-01-01 00:00:00' /fixed/file /fixed; touch -d '2020-01-01 00:00:00' /
COPY Dockerfile /copied
END
expect_ok build -t cut:3 cutoff
expect_ok build -t cut:4 --build-arg STAMP=2 cutoff
ran_is "RUN --network=none : 2; mkdir /fixed; touch -d '2020-01-01 00:00:00' /fixed/file /fixed; touch -d '2020-01-01 00:00:00' /"

# Two builds at once share the run of a step; both show its end.
mkdir shared
cat > shared/Dockerfile << 'END'
FROM busybox:1
ARG ROUND
RUN --network=none --mount=type=cache,target=/c echo $ROUND >> /c/log; sleep 1; cp /c/log /log
END
pids=()
for n in 1 2 3; do
  build -t "shared:$n" --build-arg ROUND=first shared 2> "shared.$n" > /dev/null &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a build beside another: $(cat shared.[123])"; done
expect_ok "$MICA" run --rm --network=none shared:1 cat /log
stdout_is first
equal "images of builds at once" "$(image_id shared:1) $(image_id shared:1)" "$(image_id shared:2) $(image_id shared:3)"

# Cache mounts live from build to build, are listed, and go when asked to.
expect_ok build -t shared:4 --build-arg ROUND=second shared
expect_ok "$MICA" run --rm --network=none shared:4 cat /log
stdout_is $'first\nsecond'
expect_ok "$MICA" builder du
stdout_has Total:
expect_ok "$MICA" builder du --filter type=exec.cachemount
equal "cache mounts in use on disk" 1 "$(grep -cE '(true|false) ' .stdout)"
expect_ok "$MICA" builder prune -f --filter type=exec.cachemount
expect_ok build -t shared:5 --build-arg ROUND=third shared
expect_ok "$MICA" run --rm --network=none shared:5 cat /log
stdout_is third
expect_ok "$MICA" builder prune -af
expect_ok "$MICA" run --rm --network=none shared:5 cat /log
expect_ok build -t two context
equal "steps after the cache was emptied" 7 "$(ran | wc -l)"

# A cache folder carries steps into another store.
expect_ok build -t one --cache-to type=local,dest=cache,mode=max context
expect_ok "$MICA" save -o busybox.tar busybox:1
expect_ok "$MICA" --root "$PWD/other" load -i busybox.tar
expect_ok "$MICA" --root "$PWD/other" build --progress=plain -t one --cache-from type=local,src=cache context
ran_is ""
equal "the image made of a cache folder" "$("$MICA" inspect -f '{{json .RootFS.Layers}}' one)" "$("$MICA" --root "$PWD/other" inspect -f '{{json .RootFS.Layers}}' one)"
expect_ok "$MICA" --root "$PWD/other" run --rm --network=none one cat /w/from-b
stdout_is $'b\ntool'
expect_ok "$MICA" --root "$PWD/other" fsck
expect_ok build -t one --cache-from type=local,src=nothing-here context
store_is_clean
