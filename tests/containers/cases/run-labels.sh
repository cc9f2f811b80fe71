# Labels from flags and files.
printf '# comment\nfrom.file=1\nempty=\nbare\nspaced=a b\n' > labels
t docker run --name c1 -l a=1 -l b -l 'c=x=y' --label-file labels base:1 true
t docker inspect -f '{{json .Config.Labels}}' c1
t docker inspect -f '{{index .Config.Labels "from.file"}}' c1
t docker ps -a --filter label=a --format '{{.Names}} {{.Label "c"}}'
t docker ps -a --filter label=a=2 --format '{{.Names}}'
e docker run --rm --label-file missing base:1 true
q docker rm c1
