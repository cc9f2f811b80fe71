printf 'deep\n!deep/down/file\n' > .dockerignore
mkdir -p deep/down deep/other; chmod 750 deep; chmod 2711 deep/down; echo 1 > deep/down/file; echo 2 > deep/down/no; echo 3 > deep/other/no
