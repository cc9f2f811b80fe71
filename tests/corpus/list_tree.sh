#!/bin/bash
# Lists the root filesystem in a tar, one entry a line, sorted by path; with a second tar only what differs from it.
# Line: type mode owner:group size mtime path [-> link | = first hard link | "short text" | sha256:...] [xattrs]
# A time of 2024 or later prints as "now": it came from the build's clock. Times are rounded to seconds, as docker's own tar
# output has them; those of folders are left out (docker's vary from build to build). Usage: list_tree.sh TAR [BASE_TAR]
set -euo pipefail
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unpack() {  # TAR FOLDER
  mkdir -p "$2"
  tar -C "$2" --numeric-owner --xattrs --xattrs-include='*' --delay-directory-restore --warning=no-timestamp -xpf "$1"
}

facts() {  # FOLDER -> sorted "path<TAB>facts"
  (cd "$1" && find . -mindepth 1 -printf '%P\t%y %#m %U:%G %s %T@ %i %n %l\n') | awk -F'\t' '
    { split($2, f, " "); size = f[4]; time = int(f[5] + 0.5) ""; if (time + 0 >= 1704067200) time = "now"
      if (f[1] != "f") size = "-"; if (f[1] == "d") time = "-"; mode = f[2]; while (length(mode) < 4) mode = "0" mode
      mode = substr(mode, length(mode) - 3)
      link = f[8]; for (i = 9; i in f; i++) link = link " " f[i]
      print $1 "\t" f[1] " " mode " " f[3] " " size " " time "\t" f[6] " " f[7] "\t" link }' | sort
}

describe() {  # FOLDER reads lines of facts
  local path fact node link tail inode count
  declare -A first=()
  while IFS=$'\t' read -r path fact node link; do
    tail="" inode=${node% *} count=${node#* }
    case $fact in
      l*) tail=" -> $link" ;;
      f*)
        if [[ $count -gt 1 && -n ${first[$inode]:-} ]]; then tail=" = ${first[$inode]}"
        else
          first[$inode]=$path
          if cmp -s "$1/$path" "${BUSYBOX:-/bin/busybox}"; then tail=" busybox" fact=${fact/ $(stat -c %s "$1/$path") / - }
          elif [[ $(stat -c %s "$1/$path") -le 400 ]] && ! tr -d '\n\t\r' < "$1/$path" | grep -q '[^ -~]'; then
            tail=" \"$(sed -e 's/\\/\\\\/g' -e 's/\t/\\t/g' -e 's/\r/\\r/g' "$1/$path" | awk '{ printf "%s%s", sep, $0; sep = "\\n" }')$([[ -s $1/$path && -z $(tail -c1 "$1/$path") ]] && echo '\n' || :)\""
          else tail=" sha256:$(sha256sum < "$1/$path" | cut -c1-16)"; fi
        fi ;;
    esac
    printf '%s %s%s%s\n' "$fact" "$path" "$tail" "$(xattrs "$1/$path")"
  done
}

xattrs() {
  getfattr -h -d -m - -e hex -- "$1" 2>/dev/null | grep = | grep -v '^security\.selinux' | sort | sed 's/^/ xattr:/' | tr -d '\n' || true
}

unpack "$1" "$work/tree"
: > "$work/base.facts"
if [[ -n ${2:-} ]]; then
  unpack "$2" "$work/base"
  facts "$work/base" > "$work/base.facts"
fi
facts "$work/tree" > "$work/tree.facts"
plain() { awk -F'\t' '{ print $1 "\t" $2 "\t" $4 }' "$1" | sort; }
plain "$work/base.facts" > "$work/base.plain"
awk -F'\t' -v names="$work/base.plain" 'FILENAME == names { base[$1 FS $2 FS $3] = 1; next } !(($1 FS $2 FS $4) in base)' "$work/base.plain" "$work/tree.facts" | describe "$work/tree" | cat -v
cut -f1 "$work/tree.facts" > "$work/tree.names"
cut -f1 "$work/base.facts" | comm -23 - "$work/tree.names" | awk 'gone != "" && index($0, gone "/") == 1 { next } { gone = $0; print "gone " $0 }' | cat -v
