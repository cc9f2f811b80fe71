# What a memory limit does, and how it is told.
t docker run --name c1 -m 16m --memory-swap 16m base:1 tail /dev/zero
t docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}' c1
q docker rm c1
