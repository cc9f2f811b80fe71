# A build stopped at every point that the store names: see tests/support/faults.sh.
# timeout: 900
source "$(dirname "$0")/../support/cli.sh"
source "$support/faults.sh"
needs_root "RUN steps"
busybox_image busybox:1
base=$PWD/base
cp -a "$MICA_ROOT" "$base"
mkdir context
echo one > context/one
cat > context/Dockerfile << 'END'
FROM busybox:1
COPY one /one
WORKDIR /w
RUN --network=none --mount=type=cache,target=/c echo x > two; echo >> /c/log
END
fresh() { rm -rf "$MICA_ROOT" && cp -a "$base" "$MICA_ROOT"; }
works() {
  store_is_clean
  expect_ok build -t after:1 context
  expect_ok "$MICA" run --rm --network=none after:1 cat /one
  stdout_is one
}
build_it() { build -t built:1 -o type=image -o type=oci,dest=out.oci context; }
at_every_point build_it fresh works
