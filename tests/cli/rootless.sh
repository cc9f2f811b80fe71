# An ordinary user imports, builds, runs and checks, with owners other than their own, with and without overlayfs.
source "$(dirname "$0")/../support/cli.sh"
make_user
mica() { as_user mica "$@"; }

install -d -o "$test_user" "$test_home/context"
echo one > "$test_home/context/one"
chmod 644 "$test_home/context/one"
cat > "$test_home/context/Dockerfile" << 'END'
FROM busybox:1
COPY --chown=1001:100 one /one
RUN --network=none id -u > /id && touch /made && chown 7:8 /made && rm /etc/group
USER app
WORKDIR /home/app
RUN --network=none --mount=type=cache,target=/c,uid=1000 id -u > mine && touch /c/x
CMD ["cat", "/one"]
END

for snapshotter in auto copy; do
  as_user rm -rf .local
  flags=(--snapshotter="$snapshotter")
  expect_ok mica "${flags[@]}" import -c 'CMD ["sh"]' busybox.tar busybox:1
  expect_ok mica "${flags[@]}" build --progress=plain -t app:1 context
  expect_ok mica "${flags[@]}" build --progress=plain -t app:2 context
  equal "cached steps of a second build, $snapshotter" 5 "$(cached_steps)"
  expect_ok mica "${flags[@]}" images --format '{{.Repository}}:{{.Tag}}'
  equal "images" "app:1 app:2 busybox:1" "$(sort .stdout | xargs)"

  expect_ok mica "${flags[@]}" run --rm --network=none app:1
  stdout_is one
  expect_ok mica "${flags[@]}" run --rm --network=none app:1 sh -c 'id -u; cat mine /id; stat -c "%u:%g" /one /made /home/app/mine; ls /etc/group 2> /dev/null || echo gone'
  stdout_is $'1000\n1000\n0\n1001:100\n7:8\n1000:1000\ngone'
  expect_ok mica "${flags[@]}" run --rm --network=none -u 0 app:1 sh -c 'echo x > /etc/new && chown 33:44 /etc/new && stat -c %u:%g /etc/new'
  stdout_is 33:44
  expect_fail 3 mica "${flags[@]}" run --rm --network=none app:1 sh -c 'exit 3'

  # Outputs hold the owners of the image, not those of the user's numbers.
  expect_ok mica "${flags[@]}" build --progress=plain -o type=tar,dest="tree.$snapshotter.tar" context
  equal "owners in a tar output, $snapshotter" "1001/100 7/8" \
    "$(tar tvf "$test_home/tree.$snapshotter.tar" --numeric-owner | awk '$6 ~ /(^|\/)(one|made)$/ { print $6, $2 }' | sort -r | cut -d' ' -f2 | xargs)"
  expect_ok mica "${flags[@]}" build --progress=plain -o type=local,dest="tree.$snapshotter" context
  equal "the owner of a local output, $snapshotter" "$test_user" "$(stat -c %U "$test_home/tree.$snapshotter/one")"
  expect_ok mica "${flags[@]}" save -o "saved.$snapshotter.tar" app:1
  expect_ok mica "${flags[@]}" system df
  expect_ok mica "${flags[@]}" fsck
  expect_ok mica "${flags[@]}" rmi app:1 app:2
  expect_ok mica "${flags[@]}" load -i "saved.$snapshotter.tar"
  expect_ok mica "${flags[@]}" run --rm --network=none app:1
  stdout_is one
  expect_ok mica "${flags[@]}" builder prune -af
  expect_ok mica "${flags[@]}" rmi app:1 busybox:1
  expect_ok mica "${flags[@]}" fsck
  equal "layers after all is removed, $snapshotter" "" "$(ls "$test_home/.local/share/mica/layers")"
  # The state folder is at the default place and no one else's business.
  equal "the state folder" "$test_user 700" "$(stat -c '%U %a' "$test_home/.local/share/mica")"
done

# A file the user may not read stops the build that needs it, by its name, and no other.
install -d -o "$test_user" "$test_home/unreadable"
echo secret > "$test_home/unreadable/secret"
chmod 600 "$test_home/unreadable/secret"
printf 'FROM scratch\nCOPY secret /\n' > "$test_home/unreadable/Dockerfile"
expect_fail mica build --progress=plain unreadable
stderr_has secret
stderr_has "ermission denied"
echo secret > "$test_home/unreadable/.dockerignore"
expect_fail mica build --progress=plain unreadable
printf 'FROM scratch\nCOPY Dockerfile /\n' > "$test_home/unreadable/Dockerfile"
rm "$test_home/unreadable/.dockerignore"
expect_ok mica build --progress=plain unreadable
# A state folder of another user is refused, whether to look at or to write to.
expect_fail mica --root /root/.no-such-store import busybox.tar busybox:1
stderr_has "/root"
expect_ok mica fsck

# A root build of the same input gives the same files.
busybox_image busybox:1
expect_ok build -o type=tar,dest=root.tar "$test_home/context"
names() { tar tvf "$1" --numeric-owner | awk '{ print $1, $2, $3, $6, $7, $8 }' | sort -k4; }
for snapshotter in auto copy; do
  equal "the tree of an ordinary user, $snapshotter" "" "$(diff <(names root.tar) <(names "$test_home/tree.$snapshotter.tar"))"
done
