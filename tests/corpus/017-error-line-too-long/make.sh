{ echo FROM busybox:corpus; printf 'LABEL a='; head -c 66000 /dev/zero | tr '\0' x; echo; } > Dockerfile
