#!/bin/bash
# Writes a small root filesystem as a tar: Debian's busybox-static with links for its applets, a few users, /tmp.
# Same busybox, same bytes: names are sorted and every time is 2020-01-01. Usage: busybox_base.sh OUT.tar
set -euo pipefail
out=$1
busybox=${BUSYBOX:-$(command -v busybox)} || { echo "busybox_base.sh: busybox is missing (apt package busybox-static)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
root=$work/root
mkdir -p "$root"/{bin,dev,etc,home/app,proc,root,run,sys,tmp,usr/bin,var/lib}
cp "$busybox" "$root/bin/busybox"
chmod 755 "$root/bin/busybox"
for applet in adduser awk basename cat chgrp chmod chown cp cut date dd df diff dirname du echo env expr false find grep \
    gunzip gzip head hostname httpd id ip kill ln ls md5sum mkdir mkfifo mknod mktemp more mount mv nc nproc od ping pkill printenv printf ps pwd \
    readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat stty sync tail tar tee test timeout touch tr true truncate tty umount uname \
    uniq usleep vi wc wget which whoami xargs yes; do
  ln -s busybox "$root/bin/$applet"
done
cat > "$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
bob:x:1001:100:bob:/home/bob:/bin/sh
END
cat > "$root/etc/group" <<'END'
root:x:0:
daemon:x:1:
staff:x:50:app,root
users:x:100:
app:x:1000:
END
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
# Owners by name pattern, so that an ordinary user can make the same archive.
tar -C "$root" --format=ustar --sort=name --mtime=@1577836800 --numeric-owner --owner=0 --group=0 --exclude=./home/app -cf "$work/base.tar" .
tar -C "$root" --format=ustar --sort=name --mtime=@1577836800 --numeric-owner --owner=1000 --group=1000 -rf "$work/base.tar" ./home/app
mv "$work/base.tar" "$out"
