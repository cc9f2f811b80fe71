/// A cancel token that stops at the first SIGINT, SIGTERM or SIGHUP.
#pragma once
#include <memory>

#include "task/task.h"

namespace mica::engine {

/// Owns the thread that waits for the signal; the thread ends with this object.
class Interrupt {
 public:
  static Result<Interrupt> install();
  Interrupt(Interrupt&&) noexcept;
  ~Interrupt();
  const task::Cancel& cancel() const;

 private:
  struct Impl;
  explicit Interrupt(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::engine
