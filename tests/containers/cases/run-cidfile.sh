t docker run --rm --cidfile id base:1 true
t sh -c 'wc -c < id'
e docker run --rm --cidfile id base:1 true
says 'id'
e docker run --rm --cidfile no/such/folder/id base:1 true
t docker run --name c1 --cidfile id2 base:1 true
t sh -c 'docker inspect -f "{{.Name}}" "$(cat id2)"'
t sh -c 'docker rm "$(cat id2)"'
