# tmpfs mounts of steps: modes as with Docker, sizes, and nothing of them in the image.
source "$(dirname "$0")/../support/cli.sh"
busybox_image busybox:1
cat > Dockerfile << 'END'
FROM busybox:1
RUN --network=none mkdir -m 700 /covered && touch /covered/below
RUN --network=none --mount=type=tmpfs,target=/new --mount=type=tmpfs,target=/covered --mount=type=tmpfs,target=/small,size=1m \
    stat -c 'is %n %a %u:%g' /new /covered /small; ls -A /covered | wc -l; head -c 2000000 /dev/zero > /small/x || echo full; touch /new/x /covered/x
RUN --network=none ls -A /covered; test -e /new || echo gone
END
expect_ok build .
for line in "is /new 1777 0:0" "is /covered 700 0:0" "is /small 1777 0:0" full below gone; do stderr_has "$line"; done
store_is_clean
