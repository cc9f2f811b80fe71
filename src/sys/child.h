/// Starting a child: what is prepared before, what happens in it until exec.
#pragma once
#include "sys/process.h"

namespace mica::sys {
struct Started {
  int pid;
  Fd pidfd;
};
Result<Started> start_child(const Spawn& spawn);
}  // namespace mica::sys
