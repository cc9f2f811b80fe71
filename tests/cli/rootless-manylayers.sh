# An image of 200 layers is mounted, run and built on by an ordinary user too, by overlayfs and by copies.
# timeout: 300
source "$(dirname "$0")/../support/cli.sh"
make_user
mica() { as_user mica "$@"; }
layers=200
install -d -o "$test_user" "$test_home/context" "$test_home/above"
{
  echo "FROM busybox:1"
  for ((i = 1; i < layers; i++)); do echo "COPY f$i /many/f$i"; done
} > "$test_home/context/Dockerfile"
for ((i = 1; i < layers; i++)); do echo "$i" > "$test_home/context/f$i"; done
printf 'FROM many:1\nRUN --network=none ls /many | wc -l > /count; rm /many/f100; echo new > /many/f1\n' > "$test_home/above/Dockerfile"
sum='ls /many | wc -l; cat /many/* | sort -n | tail -1; cat /many/f1'
expect_ok mica import -c 'CMD ["sh"]' busybox.tar busybox:1
expect_ok mica build --progress=plain -t many:1 context
expect_ok mica inspect -f '{{len .RootFS.Layers}}' many:1
stdout_is $layers
for snapshotter in auto copy; do
  expect_ok mica --snapshotter=$snapshotter run --rm --network=none many:1 sh -c "$sum"
  stdout_is $'199\n199\n1'
  expect_ok mica --snapshotter=$snapshotter build --progress=plain --no-cache -t above:1 above
  expect_ok mica --snapshotter=$snapshotter run --rm --network=none above:1 sh -c "cat /count; $sum"
  stdout_is $'199\n198\n199\nnew'
done
expect_ok mica save -o saved.tar many:1
expect_ok mica rmi many:1 above:1
expect_ok mica builder prune -af
expect_ok mica load -i saved.tar
expect_ok mica run --rm --network=none many:1 sh -c "$sum"
stdout_is $'199\n199\n1'
expect_ok mica fsck
