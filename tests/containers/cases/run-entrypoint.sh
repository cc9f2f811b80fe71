# The image's entrypoint and command, replaced and emptied.
q docker build -q -t greeter:1 - << 'EOF'
FROM base:1
ENTRYPOINT ["echo", "entry"]
CMD ["command"]
EOF
t docker run --rm greeter:1
t docker run --rm greeter:1 other words
t docker run --rm --entrypoint printf greeter:1 '%s\n' x
e docker run --rm --entrypoint '' greeter:1
t docker run --rm --entrypoint '' greeter:1 echo plain
t docker run --rm --entrypoint id greeter:1
t docker run --rm base:1 -c 'echo no entrypoint'
q docker create --name c1 --entrypoint 'two words' greeter:1 a b
t docker inspect -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Path}} {{json .Args}}' c1
q docker rm c1
q docker rmi greeter:1
