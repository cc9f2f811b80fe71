# An import and a load stopped at every point that the store names: see tests/support/faults.sh.
# timeout: 600
source "$(dirname "$0")/../support/cli.sh"
source "$support/faults.sh"
busybox_image busybox:1
"$MICA" save -o saved.tar busybox:1
# An import of what the store has would pass fewer points: it starts from nothing.
fresh() { rm -rf "$MICA_ROOT"; }
import_it() { "$MICA" import "$BUSYBOX_TAR" imported:1; }
load_it() { "$MICA" load -i saved.tar; }
works() {
  expect_ok "$action"
  store_is_clean
}
for action in import_it load_it; do at_every_point "$action" fresh works; done
