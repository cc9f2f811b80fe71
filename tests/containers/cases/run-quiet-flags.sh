# Flags that change nothing that can be seen here are taken.
t docker run --rm -q --log-driver json-file --log-opt max-size=1m --isolation default --detach-keys ctrl-x --sig-proxy=false base:1 echo fine
t docker run --rm --cgroupns private --cgroup-parent /here base:1 echo fine
t docker run --rm --annotation a=b --no-healthcheck --disable-content-trust base:1 echo fine
t docker run --rm --blkio-weight 0 --cpu-shares 100 --memory-swappiness -1 base:1 echo fine
e docker run --rm --log-driver no-such-driver base:1 true
