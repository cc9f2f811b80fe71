printf 'link\nempty\n' > .dockerignore; mkdir empty kept; ln -s kept link; ln -s kept other
