printf '*.log\n' > .dockerignore
