# Input that is missing, odd or hostile, and a full disk: a clear error or the right image, and the store stays whole.
source "$(dirname "$0")/../support/cli.sh"
needs_root "a small file system and owners"
needs_program perl tar python3
busybox_image busybox:1
# No message of ours speaks of bugs of ours.
refused() {  # TEXT COMMAND...
  local text=$1
  shift
  expect_fail "$@"
  stderr_has "mica: "
  stderr_has "$text"
  stderr_lacks "internal error"
}

# Contexts and Dockerfiles that are not there or not what they should be.
mkdir empty context
refused nowhere build nowhere
refused Dockerfile build empty
refused Missing build -f context/Missing context
refused "is a folder" build -f context context
: > context/Dockerfile
refused "cannot be empty" build context
head -c 100000 /dev/urandom > context/Dockerfile
refused "" build context
printf 'FROM busybox:1\nCOPY gone /x\n' > context/Dockerfile
refused gone build context
stderr_has "Dockerfile:2"
printf 'FROM nowhere-at-all:1\n' > context/Dockerfile
refused nowhere-at-all build context
printf 'FROM busybox:1\nRUN --network=none exit 7\n' > context/Dockerfile
refused 7 build context
stderr_has "Dockerfile:2"
printf 'FROM busybox:1\nCOPY context.tar /\n' > context/Dockerfile
echo text > not-a-tar
"$MICA" build - < /dev/null > .stdout 2> .stderr && fail "built from nothing" || true
refused "" "$MICA" import not-a-tar x:1
refused "" "$MICA" load -i not-a-tar
head -c 1000000 "$BUSYBOX_TAR" > cut.tar
refused "" "$MICA" import cut.tar x:1
store_is_clean

# Files that cannot be read, links in circles, sockets, pipes: what no step asks for does no harm.
rm -rf context
mkdir -p context/odd
echo fine > context/fine
ln -s loop2 context/odd/loop1
ln -s loop1 context/odd/loop2
ln -s . context/odd/self
ln -s /nowhere context/odd/dangling
mkfifo context/odd/pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("context/odd/socket")'
printf 'FROM busybox:1\nCOPY fine /\n' > context/Dockerfile
expect_ok timeout 20 "$MICA" build --progress=plain -t odd:1 context
printf 'FROM busybox:1\nCOPY odd /odd\n' > context/Dockerfile
expect_ok timeout 20 "$MICA" build --progress=plain -t odd:1 -o type=image -o type=tar,dest=odd.tar context
equal "links of a context" "/nowhere loop2 loop1 ." "$(tar tvf odd.tar | sed -nE 's,.* odd/[a-z0-9]+ -> ,,p' | xargs)"
expect_ok "$MICA" run --rm --network=none odd:1 sh -c 'test -p /odd/pipe && echo pipe'
stdout_is pipe
printf 'FROM busybox:1\nCOPY odd/loop1 /x\n' > context/Dockerfile
refused loop timeout 20 "$MICA" build --progress=plain context

# Names in no encoding, with line ends, quotes and spaces; paths longer than old headers hold; deep folders.
rm -rf context
mkdir context
perl -e '
  for my $name ("\xff\xfe", "new\nline", "tab\t\x22quote\x27", " space ", "\\back", "-dash", "\xe4\xbd\xa0") { open(my $f, ">", "context/$name") or die; print $f "x"; }
  my $path = "context/long";
  for (1 .. 4) { $path .= "/" . ("d" x 200); mkdir "context/long"; mkdir $path or die; }
  open(my $f, ">", "$path/" . ("f" x 255)) or die; print $f "deep";
  mkdir "context/deep"; $path = "context/deep";
  for (1 .. 120) { $path .= "/dir"; mkdir $path or die; }
  open($f, ">", "$path/end"); print $f "end";'
printf 'FROM scratch\nCOPY . /in/\n' > context/Dockerfile
expect_ok build -t names:1 -o type=image -o type=local,dest=out -o type=tar,dest=out.tar context
equal "names in a local output" "" "$(diff -r context out/in)"
mkdir unpacked
tar xf out.tar -C unpacked
equal "names in a tar output" "" "$(diff -r context unpacked/in)"
expect_ok "$MICA" save -o names.tar names:1
expect_ok "$MICA" --root "$PWD/other" load -i names.tar
expect_ok "$MICA" --root "$PWD/other" fsck

# What is too long for the kernel stops the build at its line.
name=$(printf 'g%.0s' {1..256})
for instruction in "COPY Dockerfile /$name" "WORKDIR /$name" "COPY Dockerfile $(printf '/a%.0s' {1..2100})"; do
  printf 'FROM busybox:1\n%s\n' "$instruction" > context/Dockerfile
  refused "too long" build context
  stderr_has "Dockerfile:2"
done
printf 'FROM busybox:1\nCOPY %s /\n' "$name" > context/Dockerfile
refused "not found" build context
store_is_clean

# A folder of many files.
rm -rf context out
mkdir -p context/many
perl -e 'for (1 .. 20000) { open(my $f, ">", "context/many/$_"); print $f $_; }'
printf 'FROM scratch\nCOPY many /many\n' > context/Dockerfile
expect_ok build -t many:1 context
expect_ok build -o out context
equal "files of a large folder" 20000 "$(ls out/many | wc -l)"
expect_ok build -t many:2 context
equal "cached steps of a large folder" 1 "$(cached_steps)"

# Archives that climb, by names and by links, stay below their root.
rm -rf context
mkdir context
python3 - << 'END'
import io, tarfile
def archive(name, *entries):
    with tarfile.open(name, "w") as tar:
        for path, link in entries:
            info = tarfile.TarInfo(path)
            if link is None:
                info.size = 4
                tar.addfile(info, io.BytesIO(b"evil"))
            else:
                info.type = tarfile.SYMTYPE if link[0] == "s" else tarfile.LNKTYPE
                info.linkname = link[1:]
                tar.addfile(info)
archive("context/names.tar", ("../../../../../../../climbed", None))
archive("context/links.tar", ("up", "s../../../../../../../../../.."), ("up/tmp/mica-climbed", None))
archive("context/absolute.tar", ("/tmp/mica-climbed", None), ("etc", "s/etc"), ("etc/mica-climbed", None))
archive("context/hard.tar", ("hard", "h../../../../../../../../etc/passwd"))
END
passwd=$(sha256sum /etc/passwd)
for name in names links absolute hard; do
  printf 'FROM scratch\nADD %s.tar /a/b/\n' $name > context/Dockerfile
  run build -t climb:1 context
  [[ $status == 0 || $status == 1 ]] || { show; fail "ADD of $name.tar: status $status"; }
  run "$MICA" import "context/$name.tar" climb:2
  [[ $status == 0 || $status == 1 ]] || { show; fail "import of $name.tar: status $status"; }
done
for path in /tmp/mica-climbed /etc/mica-climbed /climbed "$MICA_ROOT/climbed" "$MICA_ROOT/layers/climbed"; do
  [[ ! -e $path ]] || fail "an archive wrote $path"
done
equal "the machine's passwd" "$passwd" "$(sha256sum /etc/passwd)"
store_is_clean

# A disk that fills up.
mkdir small
mount -t tmpfs -o size=6m none small
trap 'umount -l small' EXIT
export MICA_ROOT=$PWD/small/root
busybox_image busybox:1
head -c 3000000 /dev/urandom > context/big
for instruction in 'COPY big /big\nCOPY big /big2' 'ADD big /a/\nADD big /b/'; do
  # shellcheck disable=SC2059
  printf "FROM busybox:1\n$instruction\n" > context/Dockerfile
  refused "space" build -t full:1 context
  store_is_clean
  expect_fail "$MICA" inspect full:1
  expect_ok "$MICA" builder prune -af
done
# What fails is the program of the step: the reason is its own.
printf 'FROM busybox:1\nRUN --network=none head -c 8000000 /dev/urandom > /big\n' > context/Dockerfile
refused "Dockerfile:2" build -t full:1 context
store_is_clean
head -c 5000000 /dev/urandom > context/bigger
tar -C context -cf bigger.tar bigger
refused "space" "$MICA" import bigger.tar full:2
store_is_clean
printf 'FROM busybox:1\nRUN --network=none echo fits > /small\n' > context/Dockerfile
expect_ok build -t fits:1 context
expect_ok "$MICA" run --rm --network=none fits:1 cat /small
stdout_is fits
store_is_clean
