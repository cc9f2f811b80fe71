# What a bind mount's propagation is in the container.
mkdir data
fields() { docker run --rm "$@" base:1 sh -c 'grep " /d " /proc/self/mountinfo | cut -d" " -f6-7 | sed "s/:[0-9]*/:N/"'; }
t fields -v "$PWD/data:/d"
t fields -v "$PWD/data:/d:ro"
t fields -v "$PWD/data:/d:private"
q docker create --name c1 -v "$PWD/data:/d:ro,rslave" base:1
t docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}} {{json .HostConfig.Binds}}' c1
q docker rm c1
