#include "base/format.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/login.h"

namespace mica::cli {
namespace {

Result<int> run(Context& context) {
  const auto& words = context.args.positionals();
  const std::string server = TRY(engine::login_server(words.empty() ? "" : words[0]));
  const auto interrupt = TRY(engine::Interrupt::install());
  TRY(print(format("Removing login credentials for {}\n", server)));
  const auto out = TRY_DOING(engine::log_out(server, interrupt.cancel()), format("removing the credentials for {}", server));
  if (!out.left_in.empty()) note(format("WARNING! {} still has credentials for {}, and mica only changes what Docker's configuration names.\n", out.left_in, server));
  return 0;
}

}  // namespace

constinit const Command kLogout{.usage = "[SERVER]",
                                .summary = "Log out from a registry",
                                .aliases = {},
                                .flags = {},
                                .least = 0,
                                .most = 1,
                                .needs = Needs::nothing,
                                .run = run};

}  // namespace mica::cli
