printf '*.md\n!README*.md\nREADME-secret.md\n' > .dockerignore; for f in a.md README.md README-x.md README-secret.md; do echo 1 > $f; done
