# -v with host folders and files, writable and not, and a source that does not exist.
mkdir data
echo content > data/file
t docker run --rm -v "$PWD/data:/d" base:1 cat /d/file
t docker run --rm -v "$PWD/data:/d" base:1 sh -c 'echo more >> /d/file'
t cat data/file
t docker run --rm -v "$PWD/data:/d:ro" base:1 sh -c 'echo x > /d/file'
t docker run --rm -v "$PWD/data/file:/etc/one:ro" base:1 cat /etc/one
t docker run --rm -v ./data:/d base:1 ls /d
t docker run --rm -v "$PWD/new/folder:/d" base:1 sh -c 'stat -c "%F %a %u:%g" /d'
t stat -c '%F %a %u:%g' new/folder
t docker run --rm -v "$PWD/data:/d" -v "$PWD/data/file:/d/again" base:1 ls /d
e docker run --rm -v "$PWD/data:relative" base:1 true
e docker run --rm -v "$PWD/data:/d:nonsense" base:1 true
e docker run --rm -v "$PWD/data:/d" -v "$PWD/data:/d" base:1 true
e docker run --rm -v "$PWD/data:/" base:1 true
