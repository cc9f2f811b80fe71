t docker run --rm --oom-score-adj 500 base:1 cat /proc/self/oom_score_adj
e docker run --rm --oom-score-adj 2000 base:1 true
t docker run --rm base:1 cat /proc/self/oom_score_adj
