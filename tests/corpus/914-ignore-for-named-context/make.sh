printf '*.txt\n' > .dockerignore; mkdir more; printf '*.md\n' > more/.dockerignore; echo 1 > more/a.md; echo 2 > more/b.txt
