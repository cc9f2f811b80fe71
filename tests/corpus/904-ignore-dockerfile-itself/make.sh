printf 'Dockerfile\n.dockerignore\n' > .dockerignore; echo 1 > a
