mkdir -p src/sub/empty; chmod 700 src src/sub; echo 1 > src/one; echo 2 > src/sub/two; ln -s ../one src/sub/link; chown -R 1000:1000 src
