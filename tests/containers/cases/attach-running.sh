# What comes after attaching, and the status of the container.
q docker run -d --name c1 base:1 sh -c 'sleep 1; echo out; echo err >&2; exit 5'
t docker attach c1
t docker inspect -f '{{.State.ExitCode}}' c1
e docker attach c1
says 'cannot attach to a stopped container'
q docker rm c1
e docker attach none
