# -t without a terminal on our side: one stream, line ends of a terminal.
t sh -c 'docker run --rm -t base:1 sh -c "tty; echo out; echo err >&2" | od -c | sed -n 1,4p'
t docker run --rm -t base:1 sh -c 'echo $TERM'
t docker run --rm base:1 sh -c 'tty; echo "[$TERM]"'
e docker run --rm -it base:1 true
q docker run -dt --name c1 base:1 sh
t docker inspect -f '{{.Config.Tty}} {{.Config.OpenStdin}} {{.State.Running}}' c1
t docker exec c1 tty
t sh -c 'docker exec -t c1 tty | tr -d "\r"'
q docker rm -f c1
