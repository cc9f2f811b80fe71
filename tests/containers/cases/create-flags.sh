# What create refuses.
e docker create
e docker create none-such:1
e docker create --pull never none-such:1
e docker create --memory nonsense base:1
e docker create -p nonsense base:1
e docker create -v a:b:c:d base:1
e docker create --restart nonsense base:1
