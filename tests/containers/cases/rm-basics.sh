# What can be removed and how.
q docker create --name c1 base:1
q docker create --name c2 base:1
t docker rm c1 c2
q docker run -d --name c1 base:1 sleep 60
e docker rm c1
says 'container is running'
t docker rm -f c1
e docker rm c1
t docker rm -f c1
e docker rm
q docker run --name c1 -v /anonymous -v named:/n base:1 true
t docker rm -v c1
t docker volume ls --format '{{.Name}}'
t docker volume rm named
