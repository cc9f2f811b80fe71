#include "cli/each_name.h"

#include <cstdio>

#include "cli/report_error.h"

namespace mica::cli {

Result<int> for_each_name(const Context& context, const std::function<Result<std::string>(const std::string& name)>& work) {
  int status = 0;
  for (const std::string& name : context.args.positionals()) {
    const auto said = work(name);
    if (!said) {
      std::fflush(stdout);
      report_error(said.error());
      status = 1;
    } else if (!said->empty()) {
      TRY(print(*said + "\n"));
      std::fflush(stdout);
    }
  }
  return status;
}

}  // namespace mica::cli
