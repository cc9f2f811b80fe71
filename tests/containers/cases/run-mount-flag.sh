# --mount in its three kinds and its errors.
mkdir data
echo content > data/file
t docker run --rm --mount "type=bind,source=$PWD/data,target=/d" base:1 cat /d/file
t docker run --rm --mount "type=bind,src=$PWD/data,dst=/d,readonly" base:1 sh -c 'echo x > /d/file'
e docker run --rm --mount "type=bind,source=$PWD/none,target=/d" base:1 true
says 'does not exist'
t docker run --rm --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 base:1 sh -c 'stat -c "%a %F" /t; df -k /t | tail -1 | awk "{print \$2}"'
t docker run --rm --mount type=volume,target=/v base:1 sh -c 'echo x > /v/x && cat /v/x'
t docker run --rm --mount type=volume,source=named,target=/v base:1 sh -c 'echo kept > /v/x'
t docker run --rm --mount source=named,target=/v,readonly base:1 sh -c 'cat /v/x; echo y > /v/y'
e docker run --rm --mount type=nonsense,target=/d base:1 true
e docker run --rm --mount type=bind,target=/d base:1 true
e docker run --rm --mount type=volume base:1 true
e docker run --rm --mount type=tmpfs,source=x,target=/d base:1 true
e docker run --rm --mount "type=bind,source=$PWD/data,target=/d,nonsense=1" base:1 true
q docker volume rm named
