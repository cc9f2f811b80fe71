mkdir more; echo right > more/a
