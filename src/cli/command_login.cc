#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/prompt.h"
#include "engine/interrupt.h"
#include "engine/login.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"password", 'p', "string", "Password or Personal Access Token (PAT)"},
    {"password-stdin", 0, "", "Take the Password or Personal Access Token\n(PAT) from stdin"},
    {"username", 'u', "string", "Username"},
};
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

void remark(std::string text) { note(text + "\n"); }

/// What the flags say. The password stays empty when it has to be asked for.
Result<Secret> password_from(const Args& args) {
  const bool given = args.has("password");
  if (given) note("WARNING! A password on the command line can be seen by other users and stays in the shell's history. Use --password-stdin.\n");
  if (given && args.flag("password-stdin")) return fail(Errc::invalid_argument, "--password and --password-stdin are mutually exclusive");
  if (args.flag("password-stdin") && args.text("username").empty()) return fail(Errc::invalid_argument, "--password-stdin needs --username");
  if (!given && !args.flag("password-stdin")) return Secret();
  Secret password(args.text("password"));
  if (!given) password = TRY(secret_from_stdin());
  if (password.empty()) return fail(Errc::invalid_argument, "password is empty");
  return password;
}

/// True: what is stored still counts. False: there is nothing that does, and it was said.
Result<bool> log_in_again(const std::string& server, std::string& user, const task::Cancel& cancel) {
  auto known = engine::known_login(server, cancel);
  if (!known && known.error().code() == Errc::cancelled) return fail(std::move(known.error()));
  if (!known) remark("WARNING! Stored credentials are not used: " + known.error().full_text());
  if (!known || !*known) return false;
  user = (*known)->user;
  remark(format("Authenticating with existing credentials...{}", user.empty() ? "" : format(" [Username: {}]", user)));
  auto tried = engine::try_known_login(server, remark, cancel);
  if (tried) return true;
  if (tried.error().code() == Errc::unauthorized) {
    remark(format("Stored credentials invalid or expired ({})", (*known)->source));
    return false;
  }
  // Another password would not help.
  return fail(std::move(tried.error()));
}

Result<std::string> ask_user(const std::string& usual) {
  auto answer = TRY(ask_line(usual.empty() ? "Username: " : format("Username ({}): ", usual)));
  const std::string user(trim(answer));
  return user.empty() ? usual : user;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string server = TRY(engine::login_server(args.positionals().empty() ? "" : args.positional(0)));
  Secret password = TRY(password_from(args));
  std::string user = args.text("username"), usual;
  if (user.empty() && password.empty()) {
    const auto interrupt = TRY(engine::Interrupt::install());
    const bool done = TRY(log_in_again(server, usual, interrupt.cancel()));
    if (done) {
      TRY(print("Login Succeeded\n"));
      return 0;
    }
  }
  if ((user.empty() || password.empty()) && !stdin_is_terminal())
    return fail(Error(Errc::invalid_argument, "cannot ask for name and password: standard input is not a terminal")
                    .with_hint(format("give both: mica login -u USER --password-stdin{}", server == kHubKey ? "" : " " + server)));
  if (user.empty()) user = TRY(ask_user(usual));
  if (user.empty()) return fail(Errc::invalid_argument, "a user name is needed");
  if (password.empty()) password = TRY(ask_secret("Password: "));

  const auto interrupt = TRY(engine::Interrupt::install());
  const auto kept = TRY(engine::log_in(server, user, password, remark, interrupt.cancel()));
  if (kept.plain_text)
    remark(format("WARNING! Your credentials are stored unencrypted in '{}'.\n"
                  "A credential helper keeps them elsewhere: name one there as \"credsStore\" and log in again.", kept.where));
  if (!kept.overruled_by.empty()) remark(format("WARNING! The credentials in {} are used instead: that place is asked first.", kept.overruled_by));
  TRY(print("Login Succeeded\n"));
  return 0;
}

}  // namespace

constinit const Command kLogin{.usage = "[OPTIONS] [SERVER]",
                               .summary = "Authenticate to a registry",
                               .aliases = {},
                               .flags = kFlags,
                               .least = 0,
                               .most = 1,
                               .needs = Needs::nothing,
                               .run = run};

}  // namespace mica::cli
