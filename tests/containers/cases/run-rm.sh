# --rm takes the container and its anonymous volumes, and leaves named ones.
t docker run --rm --name c1 -v /anonymous -v named:/n base:1 true
t docker ps -aq
t docker volume ls --format '{{.Name}}'
t docker run --rm --name c1 base:1 false
t docker ps -aq
e docker run --rm --restart always base:1 true
q docker volume rm named
q docker run -d --rm --name d1 base:1 sleep 60
t docker inspect -f '{{.HostConfig.AutoRemove}}' d1
q docker kill d1
gone() { ! docker inspect d1; }
until_ok gone
