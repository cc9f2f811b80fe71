# Names given, taken, refused; made up when none is given.
t docker run --name same base:1 true
e docker run --name same base:1 true
says 'same'
e docker run --name 'with space' base:1 true
e docker run --name -x base:1 true
e docker run --name x1 base:1
t docker rm same x1
id=$(docker create base:1)
t sh -c "docker inspect -f '{{.Name}}' $id | grep -cE '^/[a-z]+_[a-z]+[0-9]*\$'"
q docker rm "$id"
q docker create --name a_b.c-1 base:1
t docker inspect -f '{{.Name}}' a_b.c-1
q docker rm a_b.c-1
