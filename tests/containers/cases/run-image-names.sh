# An image by tag, by id, by a part of its id.
id=$(docker inspect -f '{{.Id}}' base:1)
q docker tag base:1 team/base:two
q docker tag base:1 other
t docker run --rm team/base:two echo tag
t docker run --rm other echo latest
t docker run --rm "$id" echo id
t docker run --rm "${id:7:12}" echo short id
q docker run --name c1 "${id:7:12}" true
t docker ps -a --format '{{.Image}}'
t docker inspect -f '{{.Config.Image}}' c1
e docker run --rm 'Not:A:Name' true
e docker rmi other:latest team/base:none
q docker rm c1
q docker rmi team/base:two
