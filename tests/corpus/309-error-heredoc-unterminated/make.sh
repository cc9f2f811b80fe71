printf 'EOF \n' >> Dockerfile
