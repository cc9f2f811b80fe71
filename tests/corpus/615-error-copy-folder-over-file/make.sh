mkdir -p src/sub; echo a > src/sub/a
