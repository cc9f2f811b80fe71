/// Drawing of a transfer: a line for each change of a layer's state, as Docker prints them, or one line a layer that is drawn over on a terminal.
#pragma once
#include <memory>

#include "engine/transfer.h"

namespace mica::cli {

/// Lines go to stdout, where scripts look for them; remarks go to stderr. `quiet`: remarks only.
class TransferProgress {
 public:
  explicit TransferProgress(bool quiet);
  ~TransferProgress();
  engine::TransferEvents events();
  /// What is printed from here on stands below the lines drawn so far.
  void settle();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::cli
