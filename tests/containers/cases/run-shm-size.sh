size() { docker run --rm "$@" base:1 sh -c 'df -k /dev/shm | tail -1 | awk "{print \$2}"'; }
t size
t size --shm-size 1m
t size --shm-size 131072
e docker run --rm --shm-size nonsense base:1 true
