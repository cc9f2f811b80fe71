# -d prints the id and ends; the container goes on.
t docker run -d --name c1 base:1 sh -c 'echo working; sleep 60'
until_ok sh -c 'docker logs c1 | grep working'
t docker logs c1
t docker ps --format '{{.Names}} {{.Image}} {{.Command}} {{.State}}'
t docker kill c1
t docker wait c1
t docker rm c1
e docker run -d --name c1 base:1 no-such-program
q docker rm c1
e docker run -d -a stdout base:1 true
t docker run -d --rm --name e1 base:1 true
gone() { ! docker inspect e1; }
until_ok gone
