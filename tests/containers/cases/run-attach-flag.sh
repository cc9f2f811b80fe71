# -a chooses what is seen.
t docker run --rm -a stdout base:1 sh -c 'echo out; echo err >&2'
t docker run --rm -a stderr base:1 sh -c 'echo out; echo err >&2'
t sh -c 'echo in | docker run --rm -i -a stdin -a stdout base:1 cat'
t sh -c 'echo in | docker run --rm -a stdin base:1 cat | wc -c'
e docker run --rm -a nonsense base:1 true
