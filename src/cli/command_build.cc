#include "cli/command_build.h"

namespace mica::cli {

int command_build(Context&) {
  note("mica: build: not here yet\n");
  return 1;
}

}  // namespace mica::cli
