# Memory, CPU and process limits as the container's cgroup has them (either version of cgroups).
limit() { docker run --rm "${@:3}" base:1 sh -c "cat /sys/fs/cgroup/$1 2> /dev/null || cat /sys/fs/cgroup/$2"; }
t limit memory/memory.limit_in_bytes memory.max -m 64m
t limit memory/memory.soft_limit_in_bytes memory.low -m 64m --memory-reservation 32m
t limit pids/pids.max pids.max --pids-limit 33
quota() { docker run --rm "$@" base:1 sh -c 'echo $(cat /sys/fs/cgroup/cpu.max 2> /dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us)'; }
t quota --cpus 0.5
t quota --cpus 1.25
t quota --cpu-quota 30000 --cpu-period 60000
t limit cpuset/cpuset.cpus cpuset.cpus --cpuset-cpus 0
e docker run --rm -m 1m base:1 true
e docker run --rm --cpus 1000 base:1 true
e docker run --rm --cpus 0.5 --cpu-quota 30000 base:1 true
e docker run --rm -m 64m --memory-swap 32m base:1 true
q docker create --name c1 -m 64m --memory-reservation 32m --cpus 1.5 --pids-limit 10 --cpu-shares 512 base:1
t docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}' c1
q docker rm c1
