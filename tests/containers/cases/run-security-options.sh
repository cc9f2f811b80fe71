# no-new-privileges and seccomp.
flags() { docker run --rm "$@" base:1 sh -c 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status'; }
t flags --security-opt no-new-privileges
t flags --security-opt no-new-privileges=false
t flags --security-opt seccomp=unconfined
cat > no-chmod.json << 'EOF'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO"}]}
EOF
t docker run --rm --security-opt seccomp=no-chmod.json base:1 chmod 700 /tmp
e docker run --rm --security-opt seccomp=missing.json base:1 true
e docker run --rm --security-opt nonsense base:1 true
