# The default set, and what is added and dropped.
caps() { docker run --rm "$@" base:1 sh -c 'grep -E "^Cap(Inh|Prm|Eff|Bnd|Amb)" /proc/self/status'; }
t caps
t caps --cap-drop ALL
t caps --cap-drop ALL --cap-add NET_BIND_SERVICE --cap-add CAP_CHOWN
t caps --cap-add SYS_TIME
t caps --cap-drop net_raw
t caps -u app
t caps -u app --cap-add SYS_TIME
t docker run --rm --cap-drop CHOWN base:1 chown app /tmp
e docker run --rm --cap-add NONSENSE base:1 true
q docker create --name c1 --cap-add net_admin --cap-drop CAP_MKNOD base:1
t docker inspect -f '{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}}' c1
q docker rm c1
