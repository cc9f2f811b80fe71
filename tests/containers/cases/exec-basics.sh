# Another process in a running container: output, input, status.
q docker run -d --name c1 base:1 sleep 60
t docker exec c1 echo hello
t docker exec c1 sh -c 'echo out; echo err >&2; exit 7'
t sh -c 'echo words | docker exec -i c1 cat'
t sh -c 'echo words | docker exec c1 cat'
t docker container exec c1 pwd
t docker exec c1 echo --rm -it
q docker rm -f c1
