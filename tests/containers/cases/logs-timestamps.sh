# -t, and times to begin and end at.
q docker run --name c1 base:1 sh -c 'echo a; echo b'
t docker logs -t c1
t docker logs --since 1h c1
t docker logs --since 2001-01-01 c1
t docker logs --until 2001-01-01 c1
t docker logs --since 2001-01-01T00:00:00Z --until 1h c1
e docker logs --since nonsense c1
q docker rm c1
