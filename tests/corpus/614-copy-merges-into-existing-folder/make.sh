mkdir -p src/sub; chmod 750 src; chmod 711 src/sub; echo new > src/sub/new
