# Standard output and error stay apart; nothing is added, nothing is lost.
t docker run --rm base:1 sh -c 'echo out; echo err >&2; printf last'
t sh -c 'docker run --rm base:1 seq 1 20000 | md5sum'
t sh -c 'docker run --rm base:1 sh -c "yes err | head -3000 >&2" 2>&1 | md5sum'
t sh -c 'docker run --rm base:1 sh -c "head -c 300000 /bin/busybox" | wc -c'
