# An image of 200 layers is built, run, built on, exported, saved and loaded.
source "$(dirname "$0")/../support/cli.sh"
needs_root "running containers"
busybox_image busybox:1
layers=200
mkdir context
{
  echo "FROM busybox:1"
  for ((i = 1; i < layers; i++)); do
    echo "COPY f$i /many/f$i"
    echo "$i" > "context/f$i"
  done
} > context/Dockerfile
expect_ok build -t many:1 context
equal "layers" "$layers" "$("$MICA" inspect -f '{{len .RootFS.Layers}}' many:1)"
expect_ok build -t many:1 context
equal "cached steps" $((layers - 1)) "$(($(cached_steps) - 1))"
sum='ls /many | wc -l; cat /many/* | sort -n | tail -1; cat /many/f1'
expect_ok "$MICA" run --rm --network=none many:1 sh -c "$sum"
stdout_is $'199\n199\n1'
expect_ok "$MICA" --snapshotter=copy run --rm --network=none many:1 sh -c "$sum"
stdout_is $'199\n199\n1'

# Steps on top see all that is below, change the lowest layer and remove from one in the middle.
mkdir above
cat > above/Dockerfile << 'END'
FROM many:1
RUN --network=none ls /many | wc -l > /count; echo new > /many/f1; rm /many/f100
FROM scratch
COPY --from=0 /many /many
COPY --from=0 /count /count
END
expect_ok build -o type=local,dest=out above
equal "files seen by a step" 199 "$(cat out/count)"
equal "a changed file of the lowest layer" new "$(cat out/many/f1)"
equal "files after a removal" 198 "$(ls out/many | wc -l)"

expect_ok build -o type=tar,dest=many.tar context
equal "files in a tar output" 199 "$(tar tf many.tar | grep -c 'many/f')"
expect_ok "$MICA" save -o saved.tar many:1
expect_ok "$MICA" --root "$PWD/other" load -i saved.tar
equal "the id of the loaded image" "$(image_id many:1)" "$("$MICA" --root "$PWD/other" inspect -f '{{.Id}}' many:1)"
expect_ok "$MICA" --root "$PWD/other" run --rm --network=none many:1 sh -c "$sum"
stdout_is $'199\n199\n1'
expect_ok "$MICA" history -q many:1
equal "lines of the history" $((layers)) "$(wc -l < .stdout)"
expect_ok "$MICA" rmi many:1
expect_ok "$MICA" builder prune -af
store_is_clean
