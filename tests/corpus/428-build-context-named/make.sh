mkdir more; echo m > more/a
