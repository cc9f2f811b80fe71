# --tmpfs with and without options.
t docker run --rm --tmpfs /t base:1 sh -c 'stat -c "%a %u:%g" /t; grep " /t " /proc/mounts | cut -d" " -f1-3; grep " /t " /proc/mounts | grep -oE "nosuid|nodev|noexec" | sort'
t docker run --rm --tmpfs /t:size=2m,mode=700,uid=1000 base:1 sh -c 'stat -c "%a %u:%g" /t; df -k /t | tail -1 | awk "{print \$2}"'
t docker run --rm --tmpfs /t:exec,size=3m base:1 sh -c 'grep " /t " /proc/mounts | grep -oE "nosuid|nodev|noexec" | sort'
t docker run --rm --tmpfs /t:ro base:1 sh -c 'touch /t/x'
e docker run --rm --tmpfs /t:nonsense=1 base:1 true
e docker run --rm --tmpfs relative base:1 true
t docker run --rm --tmpfs /etc base:1 ls -A /etc
