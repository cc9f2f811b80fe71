# --ipc shareable lends /dev/shm; private does not.
q docker run -d --name lender --ipc shareable base:1 sh -c 'echo shared > /dev/shm/x; sleep 60'
until_ok docker exec lender test -s /dev/shm/x
t docker run --rm --ipc container:lender base:1 cat /dev/shm/x
q docker run -d --name keeper --ipc private base:1 sleep 60
e docker run --rm --ipc container:keeper base:1 true
t docker run --rm --ipc none base:1 sh -c 'ls -d /dev/shm 2>&1; grep -c " /dev/shm " /proc/mounts'
q docker rm -f lender keeper
