# -i passes what comes in and closes; without it the command reads nothing.
t sh -c 'echo hello | docker run --rm -i base:1 cat'
t sh -c 'echo hello | docker run --rm base:1 cat'
t sh -c 'printf "a\nb\n" | docker run --rm -i base:1 wc -l'
t sh -c 'echo "echo from the shell; exit 5" | docker run --rm -i base:1'
t sh -c 'head -c 200000 /dev/zero | docker run --rm -i base:1 wc -c'
t sh -c 'yes | docker run --rm -i base:1 head -2'
