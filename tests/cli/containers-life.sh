# start, stop, kill, wait, rm, ps, inspect and what else belongs to a container's life, case by case as Docker does them.
# timeout: 400
source "$(dirname "$0")/../support/containers.sh"
needs_root "containers with networks and limits"
compare_cases {create,start,stop,kill,restart,wait,rm,rename,top,ps,inspect,update,prune,health}"-*"
