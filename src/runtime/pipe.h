/// An anonymous pipe.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::runtime {
struct Pipe {
  sys::Fd reader, writer;
  static Result<Pipe> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    return Pipe{sys::Fd(ends[0]), sys::Fd(ends[1])};
  }
};
}  // namespace mica::runtime
